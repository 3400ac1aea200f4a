"""A connection to a server, straight or through a proxy; where there is none, the true cause."""

from __future__ import annotations

import base64
import contextlib
import errno
import http.client
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Timer
from typing import Any, Self

from padan.v1.reason_texts import ServerKind
from padan_client.base.errors import PadanError
from padan_client.base.language import system_reason, t
from padan_client.transport.faults import ConnectionFault, fault_error
from padan_client.transport.proxies import Proxy, split_address
from padan_client.transport.waiting import Awaited

#: What getaddrinfo says of a name that there is not; anything else is the resolver's own trouble.
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_UNREACHABLE = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
)
#: A server that is there takes a connection at once, however busy it is: its kernel does.
_CONNECT_SECONDS = 10.0
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})
#: How http.client words an answer to CONNECT other than success.
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")


def ignored(_: Awaited) -> None:
    """Nobody hears what is waited for."""


@dataclass(frozen=True)
class Called:
    """Who is called: its kind, ``host:port``, the proxy between, and for how many seconds.

    ``owes`` hears what is waited for.
    """

    server: ServerKind
    address: str
    proxy: Proxy | None
    seconds: float
    owes: Callable[[Awaited], None] = ignored

    def error(
        self, fault: ConnectionFault, *, seconds: float | None = None, **facts: str
    ) -> PadanError:
        """The error of a fault there; ``seconds``: how long it had, where not all of the call's."""
        host = split_address(self.address)[0]
        waited = self.seconds if seconds is None else seconds
        known = {"host": host, "seconds": f"{waited:.0f}", **facts}
        return fault_error(fault, self.server, self.address, self.proxy, waited, **known)


def connect(called: Called) -> socket.socket:
    """An open socket, whose reads and writes wait for the call's seconds.

    Raises UnavailableError, or BadInputError where the proxy's address is none; ``reason`` tells.
    """
    if called.proxy is not None:
        return _tunnelled(called, called.proxy)
    waited = min(called.seconds, _CONNECT_SECONDS)
    try:
        made = socket.create_connection(split_address(called.address), timeout=waited)
    except UnicodeError:  # a part of the name is longer than DNS has any
        raise called.error(ConnectionFault.NAME_UNKNOWN) from None
    except OSError as error:
        reason = system_reason(error)
        raise called.error(_fault(error), system=reason, seconds=waited) from None
    made.settimeout(called.seconds)
    return made


def _fault(error: OSError) -> ConnectionFault:
    if isinstance(error, socket.gaierror):
        unknown = error.errno in _NO_SUCH_NAME
        return ConnectionFault.NAME_UNKNOWN if unknown else ConnectionFault.NAME_UNRESOLVED
    if isinstance(error, TimeoutError):
        return ConnectionFault.CONNECTION_SILENT
    if isinstance(error, ConnectionRefusedError):
        return ConnectionFault.CONNECTION_REFUSED
    if error.errno in _UNREACHABLE:
        return ConnectionFault.NETWORK_UNREACHABLE
    if error.errno in _FORBIDDEN:
        return ConnectionFault.CONNECTION_FORBIDDEN
    return ConnectionFault.CONNECTION_FAILED


def _tunnelled(called: Called, proxy: Proxy) -> socket.socket:
    """Through a proxy by CONNECT (RFC 9110, 9.3.6)."""
    host, port = split_address(called.address)
    headers = {"Host": called.address}
    if proxy.credentials:
        user = base64.b64encode(proxy.credentials.encode()).decode("ascii")
        headers["Proxy-Authorization"] = f"Basic {user}"
    try:
        tunnel = http.client.HTTPConnection(proxy.host, proxy.port, timeout=called.seconds)
        tunnel.set_tunnel(host, port, headers)
    except (ValueError, http.client.InvalidURL):
        raise called.error(ConnectionFault.PROXY_INVALID) from None
    answers = _answers_of(tunnel)
    with _Hurry(tunnel, called.seconds) as hurry:
        try:
            tunnel.connect()
        except (OSError, http.client.HTTPException) as error:
            tunnel.close()
            raise _no_tunnel(called, TimeoutError() if hurry.late else error) from None
        finally:
            for answer in answers:  # older Pythons leave it open, and the socket with it
                answer.close()
    return tunnel.sock


class _Hurry:
    """Ends the talk with a proxy in time, one that sends a byte now and then too."""

    def __init__(self, tunnel: http.client.HTTPConnection, seconds: float) -> None:
        self._tunnel, self._late = tunnel, Event()
        self._timer = Timer(seconds, self._end)

    @property
    def late(self) -> bool:
        """Whether it was ended."""
        return self._late.is_set()

    def __enter__(self) -> Self:
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self._late.set()
        if (talk := self._tunnel.sock) is not None:
            with contextlib.suppress(OSError):
                talk.shutdown(socket.SHUT_RDWR)


def _answers_of(tunnel: http.client.HTTPConnection) -> list[http.client.HTTPResponse]:
    """What will have been answered to CONNECT."""
    answers: list[http.client.HTTPResponse] = []

    def made(*given: Any, **more: Any) -> http.client.HTTPResponse:
        answers.append(http.client.HTTPResponse(*given, **more))
        return answers[-1]

    tunnel.response_class = made  # type: ignore[assignment]
    return answers


def _no_tunnel(called: Called, error: Exception) -> PadanError:
    if refused := _TUNNEL.match(str(error)):
        return _refused(called, refused[1])
    return called.error(ConnectionFault.PROXY_UNREACHABLE, system=_why(error))


def _refused(called: Called, status: str) -> PadanError:
    login = t(
        ", atau isi nama dan sandi pada alamat proxynya",
        ", or give the proxy's address a name and password",
    )
    return called.error(
        ConnectionFault.PROXY_REFUSES, status=status, login=login if status == "407" else ""
    )


def _why(error: Exception) -> str:
    """Why a proxy is not there; the resolver's numbers are not the operating system's."""
    if isinstance(error, socket.gaierror):
        return t("namanya tidak ditemukan di DNS", "DNS does not find its name")
    if isinstance(error, TimeoutError):
        return t("batas waktu lewat", "timed out")
    if isinstance(error, OSError):
        return system_reason(error)
    return t("bukan proxy HTTP", "no HTTP proxy")
