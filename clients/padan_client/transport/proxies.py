"""Through which HTTP proxy a server is reached: one decision, for the handshake and for gRPC.

``proxy`` of ``client.toml`` decides, by default the variables ``grpc_proxy``, ``https_proxy`` and
``http_proxy``, with the exceptions in ``no_grpc_proxy`` and ``no_proxy``, in small letters or
capitals. This machine itself is never reached through a proxy.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from padan_client.home.config import ProxyChoice

_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
_EXCEPTIONS = ("no_grpc_proxy", "no_proxy")
_SETTING = "proxy (client.toml)"


@dataclass(frozen=True, repr=False)
class Proxy:
    """An HTTP proxy and what names it, a variable or a setting; the address may hold a password."""

    source: str
    url: str

    @property
    def host(self) -> str:
        """Its name or address. ValueError where it is not one of an HTTP proxy."""
        parts = urlsplit(self.url)
        if parts.scheme.lower() != "http" or not parts.hostname:
            raise ValueError("no HTTP proxy")
        return parts.hostname

    @property
    def port(self) -> int:
        """Its port; ValueError where the address holds none that is a number."""
        return urlsplit(self.url).port or 80

    @property
    def credentials(self) -> str:
        """``user:password``, or empty."""
        return unquote(urlsplit(self.url).netloc.rpartition("@")[0])


def split_address(address: str) -> tuple[str, int]:
    """Host and port of ``host:port``; an IPv6 host stands in brackets, and comes without."""
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def proxy_for(
    host: str,
    port: int,
    choice: str = ProxyChoice.ENVIRONMENT,
    environment: Mapping[str, str] = os.environ,
) -> Proxy | None:
    """The proxy that ``host`` is reached through at ``port``, or None.

    ``choice``: the setting ``proxy``, one of :class:`ProxyChoice` or an address.
    """
    if choice == ProxyChoice.NONE or _is_here(host):
        return None
    if choice != ProxyChoice.ENVIRONMENT:
        return Proxy(_SETTING, choice)
    source, url = next(_values(_PROXIES, environment), ("", ""))
    excepted = (entry for _, text in _values(_EXCEPTIONS, environment) for entry in text.split(","))
    if not url or any(_fits(host, port, entry.strip()) for entry in excepted):
        return None
    return Proxy(source, url if "://" in url else f"http://{url}")


def _values(names: tuple[str, ...], environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The variables that hold something, in order; small letters before capitals."""
    for name in names:
        for spelling in (name, name.upper()):
            if value := environment.get(spelling, "").strip():
                yield spelling, value


def _is_here(host: str) -> bool:
    """Whether the host is this machine: loopback, or its own name."""
    name = host.lower().rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        own = socket.gethostname().lower()
        return name in {"localhost", "localhost.localdomain", own} or name.endswith(".localhost")
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _fits(host: str, port: int, entry: str) -> bool:
    """Whether an exception is this host: ``*``, a domain, address or network; a port too."""
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        name, colon, wanted = entry.lower().rpartition(":")
        if colon and wanted.isdecimal():
            return int(wanted) == port and _fits(
                host, port, name.removeprefix("[").removesuffix("]")
            )
        domain = entry.lower().lstrip("*").strip(".")
        called = host.lower().rstrip(".")
        return bool(domain) and (called == domain or called.endswith(f".{domain}"))
