"""Binding a port; where that fails, why: gRPC says "failed to bind" whatever was wrong."""

from __future__ import annotations

import errno
import os
import socket

import grpc

_UNRESOLVED = (
    "nama itu tidak ditemukan di DNS; isi alamat mesin ini, atau 0.0.0.0 untuk semuanya. "
    "/ DNS does not find that name; fill in an address of this machine, or 0.0.0.0 for all."
)
_WHY = {
    errno.EADDRINUSE: (
        "porta itu sedang dipakai proses lain (ss -ltnp menunjukkannya). / another process uses "
        "that port (ss -ltnp shows which)."
    ),
    errno.EACCES: (
        "porta di bawah 1024 hanya boleh dipakai root; pilih yang lebih besar, atau beri "
        "CAP_NET_BIND_SERVICE. / ports below 1024 are for root alone; take a higher one, or give "
        "CAP_NET_BIND_SERVICE."
    ),
    errno.EADDRNOTAVAIL: (
        "alamat itu bukan alamat mesin ini. / that address is not this machine's."
    ),
    errno.EAFNOSUPPORT: ("mesin ini tidak memakai IPv6. / this machine has no IPv6."),
}
_WHY[errno.EPERM] = _WHY[errno.EACCES]


class ListenError(OSError):
    """A port cannot be listened on; the message names the setting and why, in both languages."""

    def __init__(self, setting: str, address: str, why: str) -> None:
        super().__init__(f"{setting} = {address}: {why}")


def bind(server: grpc.Server, address: str, credentials: grpc.ServerCredentials) -> int:
    """Bind a server to ``address``, ``host:port``; returns the port. Raises ListenError."""
    try:
        port = server.add_secure_port(address, credentials)
    except RuntimeError:
        port = 0
    if port == 0:
        host, _, wanted = address.rpartition(":")
        raise ListenError("listen", address, _why(host.strip("[]"), int(wanted)))
    return int(port)


def metrics_error(host: str, port: int, error: OSError) -> ListenError:
    """Why the metrics cannot be served."""
    return ListenError("metrics_host, metrics_port", f"{host}:{port}", _told(error))


def _why(host: str, port: int) -> str:
    """What the operating system says to the same wish."""
    try:
        for family, kind, protocol, _, place in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
                probe.listen()
    except UnicodeError:
        return _UNRESOLVED
    except OSError as error:
        return _told(error)
    return (
        "gRPC menolak tls.certificate dan tls.key, atau porta itu baru saja dilepas; jalankan "
        "lagi. / gRPC refuses tls.certificate and tls.key, or the port was free a moment ago "
        "only; start again."
    )


def _told(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return _UNRESOLVED
    number = error.errno or 0
    return _WHY.get(number, os.strerror(number))
