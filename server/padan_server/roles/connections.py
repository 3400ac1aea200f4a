"""Connections and descriptors: no address takes them all, and files keep some of their own.

grpcio tells nobody who connects before a call comes, and most of those who mean ill never make
one. The kernel knows: ``/proc`` names the server's own sockets with the addresses at their other
ends. Spec: ``proto/spec/30-unit-mode.md``, "Transport".
"""

from __future__ import annotations

import os
import re
import resource
import socket
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

import structlog

from padan_server.base.log import Seldom

_log = structlog.get_logger(__name__)

#: Descriptors that no connection gets: for the store, columns, journals and what reads them.
_RESERVED = 512
_TABLES = (Path("/proc/self/net/tcp"), Path("/proc/self/net/tcp6"))
_OPEN = Path("/proc/self/fd")
_ESTABLISHED = "01"
#: What stands before an address of IPv4 that came to a port of IPv6.
_MAPPED = "0000000000000000FFFF0000" if sys.byteorder == "little" else "00000000000000000000FFFF"
_SOCKET = re.compile(r"socket:\[(\d+)\]")


def raise_descriptor_limit() -> int:
    """Let this process open as many files as it may at all; gives how many these are."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most < 2 * _RESERVED:
        _log.warning("descriptors_few", limit=most, remedy="raise LimitNOFILE")
    return most


def connections_within(descriptors: int) -> int:
    """How many connections there may be, so that files keep their descriptors."""
    return max(1, descriptors - min(_RESERVED, descriptors // 2))


def most_of_one_address(wanted: int, descriptors: int) -> int:
    """How many of them one address may have: as many as wanted, and never more than half."""
    return max(1, min(wanted, connections_within(descriptors) // 2))


def open_descriptors() -> int:
    """How many descriptors this process has open."""
    return sum(1 for _ in _OPEN.iterdir())


class Connections:
    """The connections to one port: of one address, only so many are left open.

    ``most``: how many there may be in all; gRPC turns away whoever comes beyond, without a word.
    """

    def __init__(self, port: int, per_address: int, most: int) -> None:
        self._port = port
        self._per_address = per_address
        self._most = most
        self._seldom = Seldom()
        #: In which look a connection was first seen, by inode: those have no order in time.
        self._seen: dict[int, int] = {}
        self._looks = 0

    def look(self, unwanted: Collection[str] = ()) -> None:
        """Close what an address has beyond its share, the newest first.

        And what is of ``unwanted`` peers, as ``grpc.ServicerContext.peer`` names them.
        """
        there = self._there()
        ends = {end for peer in unwanted if (end := _far_end(peer))}
        by_address: dict[str, list[int]] = defaultdict(list)
        for (address, _), inode in there.items():
            by_address[address].append(inode)
        self._close(self.beyond(by_address), "connections_closed", limit=self._per_address)
        self._tell_if_full(by_address)
        flooding = frozenset(inode for end, inode in there.items() if end in ends)
        self._close(flooding, "flooding_connections_closed")

    def _tell_if_full(self, by_address: Mapping[str, Sequence[int]]) -> None:
        """Say so when the last may have come: nobody else can."""
        # Spec 30, "Transport", step 9.
        there = sum(map(len, by_address.values()))
        if there >= self._most and (untold := self._seldom.untold("connections_full")) is not None:
            _log.error(
                "connections_full",
                limit=self._most,
                addresses=len(by_address),
                untold=untold,
                remedy="raise LimitNOFILE, or keep these addresses from the port",
            )

    def close_all(self) -> int:
        """Close whatever is open; how many these were."""
        there = frozenset(self._there().values())
        return sum(_shut(descriptor, inode) for descriptor, inode in _own_sockets(there))

    def _close(self, inodes: frozenset[int], event: str, **facts: int) -> None:
        closed = sum(_shut(descriptor, inode) for descriptor, inode in _own_sockets(inodes))
        if closed and (untold := self._seldom.untold(event)) is not None:
            _log.warning(event, count=closed, untold=untold, **facts)

    def beyond(self, inodes: Mapping[str, Sequence[int]]) -> frozenset[int]:
        """Of each address what came last, beyond its share; of one look's any."""
        self._looks += 1
        there = [inode for each in inodes.values() for inode in each]
        self._seen = {inode: self._seen.get(inode, self._looks) for inode in there}
        share = self._per_address
        return frozenset(
            inode
            for each in inodes.values()
            for inode in sorted(each, key=self._seen.__getitem__)[share:]
        )

    def _there(self) -> Mapping[tuple[str, int], int]:
        """Inodes of the connections to the port, by address (hexadecimal) and port of the peer."""
        found: dict[tuple[str, int], int] = {}
        for table in _TABLES:
            with suppress(OSError):
                for line in table.read_text().splitlines()[1:]:
                    words = line.split()
                    local, remote, state, inode = words[1], words[2], words[3], int(words[9])
                    ours = int(local.rpartition(":")[2], 16) == self._port
                    # One that waits to be accepted has no number yet.
                    if ours and inode and state == _ESTABLISHED:
                        address, _, port = remote.rpartition(":")
                        found[address.removeprefix(_MAPPED), int(port, 16)] = inode
        return found


class Unwanted:
    """Peers whose connections are to be closed: told by any thread, taken by one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._peers: set[str] = set()
        self._wake: Callable[[], object] = lambda: None

    def wakes(self, wake: Callable[[], object]) -> None:
        """Say what is called once there are some."""
        self._wake = wake

    def add(self, peer: str) -> None:
        """One more, as ``grpc.ServicerContext.peer`` names it."""
        with self._lock:
            self._peers.add(peer)
        self._wake()

    def taken(self) -> Collection[str]:
        """All since the last time."""
        with self._lock:
            peers, self._peers = self._peers, set()
        return peers


def _far_end(peer: str) -> tuple[str, int] | None:
    """Address and port of a peer as the kernel writes them; None if it has none."""
    kind, _, rest = peer.partition(":")
    host, _, port = unquote(rest).rpartition(":")
    family = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}.get(kind)
    if family is None:
        return None
    packed = socket.inet_pton(family, host.strip("[]").partition("%")[0])
    words = (packed[at : at + 4] for at in range(0, len(packed), 4))
    swapped = (word[::-1] if sys.byteorder == "little" else word for word in words)
    return b"".join(swapped).hex().upper().removeprefix(_MAPPED), int(port)


def _own_sockets(inodes: frozenset[int]) -> Iterable[tuple[int, int]]:
    """Descriptors of this process that are these sockets."""
    if not inodes:
        return
    for path in list(_OPEN.iterdir()):
        with suppress(OSError):
            found = _SOCKET.fullmatch(str(path.readlink()))
            if found and int(found.group(1)) in inodes:
                yield int(path.name), int(found.group(1))


def _shut(descriptor: int, inode: int) -> bool:
    """End a connection; grpcio sees that its peer has gone. The number may be another's by now."""
    with suppress(OSError):
        copy = os.dup(descriptor)
        if os.fstat(copy).st_ino == inode:
            with socket.socket(fileno=copy) as own:
                own.shutdown(socket.SHUT_RDWR)
                return True
        os.close(copy)
    return False
