"""Through which HTTP proxy a server is reached: one decision, for the handshake and for gRPC.

The variables are gRPC's own (``grpc_proxy``, ``https_proxy``, ``http_proxy``; ``no_grpc_proxy``,
``no_proxy``), also ``NO_PROXY``. Loopback is never reached through a proxy.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
_EXCEPTIONS = ("no_grpc_proxy", "no_proxy", "NO_PROXY")


@dataclass(frozen=True, repr=False)
class Proxy:
    """An HTTP proxy and the variable that names it; the address may hold a password."""

    variable: str
    url: str

    @property
    def host(self) -> str:
        """Its name or address; empty where the variable holds none."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Its port; ValueError where the variable holds none that is a number."""
        return urlsplit(self.url).port or 80

    @property
    def credentials(self) -> str:
        """``user:password``, or empty."""
        return unquote(urlsplit(self.url).netloc.rpartition("@")[0])


def split_address(address: str) -> tuple[str, int]:
    """Host and port of ``host:port``; an IPv6 host stands in brackets, and comes without."""
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def proxy_for(host: str, environment: Mapping[str, str] = os.environ) -> Proxy | None:
    """The proxy that ``host`` is reached through, or None."""
    name = next((v for v in _PROXIES if environment.get(v)), None)
    if name is None or _is_loopback(host):
        return None
    excepted = next((environment[v] for v in _EXCEPTIONS if environment.get(v)), "")
    if any(_fits(host, entry.strip()) for entry in excepted.split(",") if entry.strip()):
        return None
    url = environment[name]
    return Proxy(name, url if "://" in url else f"http://{url}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _fits(host: str, entry: str) -> bool:
    """Whether ``entry`` of an exception is this host: ``*``, a domain, an address or a network."""
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        domain = entry.lower().lstrip("*").lstrip(".")
        return host.lower() == domain or host.lower().endswith(f".{domain}")
