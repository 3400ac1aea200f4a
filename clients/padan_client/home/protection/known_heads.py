"""How far the past of each server had come when this home last saw it.

One file an agreement and server, ``heads/unit/<agreement>.json`` and, since each provider of an
agreement has a server of its own, ``heads/provider/<party>/<agreement>.json``. It holds no secret.
Several commands keep it side by side, and none of them takes it back: what stands there is the
newest head that any of them has seen. Spec ``proto/spec/30-unit-mode.md``, "Heads".
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import from_json

from padan.v1.reason_texts import ServerKind
from padan_client.base.errors import BadInputError
from padan_client.base.files import ensure_private_folder, open_lock, read_plain, write_private
from padan_client.base.language import t
from padan_client.base.ownership import lies
from padan_client.home.protection.home_format import made_by_newer
from padan_linkage.crypto.heads import CHAIN_NAME, MOST_EVENTS, Head
from padan_linkage.crypto.software import FormatAge, format_age

#: Seconds between two times that what moves all the while is written.
_OFTEN_ENOUGH = 1.0
#: 2 has the stores that were left.
_FORMAT: Literal[2] = 2


#: Heads of one server at most: those of an agreement's flows, and of some that it had before. They
#: go with every call, and so many fit with the longest names.
_MOST_HEADS = 32

_Store = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class _KeptHead(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(pattern=CHAIN_NAME)]
    store: _Store
    generation: Annotated[int, Field(strict=True, ge=0, le=MOST_EVENTS)]
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

    @classmethod
    def of(cls, head: Head) -> Self:
        made = {"name": head.name, "store": head.store.hex(), "digest": head.digest.hex()}
        return cls(generation=head.generation, **made)

    def head(self) -> Head:
        store, digest = bytes.fromhex(self.store), bytes.fromhex(self.digest)
        return Head(self.name, store, self.generation, digest)


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal[1, 2] = _FORMAT
    software: str
    heads: Annotated[list[_KeptHead], Field(max_length=_MOST_HEADS)]
    left: list[_Store] = []


class KnownServerPast:
    """What is known of one server: its software when last heard, and its heads by name.

    ``left``: names of stores that it had, and that an officer has accepted another in the place of.
    A head of one of these is none of its past any more, whoever still brings it.
    """

    def __init__(
        self,
        software: str = "",
        heads: Mapping[str, Head] | None = None,
        left: Iterable[bytes] = (),
    ) -> None:
        self.software = software
        self.left = frozenset(left)
        # Spec 30, "Heads", step 6.
        given = (heads or {}).items()
        self.heads = {name: head for name, head in given if head.store not in self.left}

    @property
    def stores(self) -> frozenset[bytes]:
        """Names of the stores that its heads are of."""
        return frozenset(head.store for head in self.heads.values())

    def __repr__(self) -> str:
        return f"KnownServerPast({self.software!r}, {len(self.heads)} heads)"


class GivenHeads:
    """Heads that a server is to lead on from, in the place of a home's; no file is written."""

    def __init__(self, *heads: Head) -> None:
        self._past = KnownServerPast("", {head.name: head for head in heads})

    def of(self, _server: ServerKind) -> KnownServerPast:
        """As :meth:`KnownHeads.of`."""
        return self._past

    def keep(self, _server: ServerKind, seen: KnownServerPast, *, at_once: bool = True) -> None:
        """As :meth:`KnownHeads.keep`, as long as this lives."""
        del at_once
        self._past = _newer(self._past, seen)

    def flush(self) -> None:
        """Nothing waits."""


@dataclass(frozen=True)
class ProviderServer:
    """Whose server is meant of the providers of an agreement, and whether it has that one alone."""

    party: str
    alone: bool


class KnownHeads:
    """The heads of an agreement's unit, and of one ``provider``'s server; for many threads.

    And for many processes. Without ``provider`` nothing is known or kept of any such server.
    """

    def __init__(self, home: Path, agreement: str, provider: ProviderServer | None = None) -> None:
        self._folder = home / "heads"
        self._agreement = agreement
        self._provider = provider
        self._lock = threading.Lock()
        self._read: dict[ServerKind, tuple[tuple[int, int], KnownServerPast]] = {}
        self._unwritten: dict[ServerKind, KnownServerPast] = {}
        self._merged: tuple[KnownServerPast, KnownServerPast, KnownServerPast] | None = None
        self._written = -_OFTEN_ENOUGH

    def of(self, server: ServerKind) -> KnownServerPast:
        """What is known of a server now. Raises BadInputError for a file that cannot be read."""
        with self._lock:
            known = self._kept(server)
            waiting = self._unwritten.get(server)
            if waiting is None:
                return known
            # One object as long as nothing moves, so that it is seen at once that nothing did.
            if self._merged is None or self._merged[:2] != (known, waiting):
                self._merged = known, waiting, _newer(known, waiting)
            return self._merged[2]

    def keep(self, server: ServerKind, seen: KnownServerPast, *, at_once: bool = True) -> None:
        """Keep what was seen, unless something newer is kept.

        Durable on return if ``at_once``; else when a second has passed since the last time, or by
        :meth:`flush`.
        """
        with self._lock:
            waiting = self._unwritten.get(server, KnownServerPast())
            self._unwritten[server] = _newer(waiting, seen)
            if at_once or time.monotonic() - self._written >= _OFTEN_ENOUGH:
                self._write(server, _newer)

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            for server in list(self._unwritten):
                self._write(server, _newer)

    def accept(self, server: ServerKind, seen: KnownServerPast) -> None:
        """Put what was seen in the place of what is kept: somebody has looked at both."""
        with self._lock:
            self._unwritten[server] = seen
            self._write(server, _accepted)

    def _write(
        self,
        server: ServerKind,
        merge: Callable[[KnownServerPast, KnownServerPast], KnownServerPast],
    ) -> None:
        path, self._written = self._path(server), time.monotonic()
        assert path is not None, "the server of no provider was asked"
        if not os.access(self._folder.parent, os.W_OK):
            return  # a home that nobody can change: known as long as this command runs
        with _alone(ensure_private_folder(path.parent) / f"{path.name}.lock"):
            made = merge(self._kept(server), self._unwritten.pop(server))
            kept = [_KeptHead.of(head) for head in made.heads.values()]
            left = sorted(store.hex() for store in made.left)
            document = _Document(software=made.software, heads=kept, left=left)
            write_private(path, document.model_dump_json().encode())

    def _kept(self, server: ServerKind) -> KnownServerPast:
        """What the file says, read again only when it is another file."""
        path = self._found(server)
        if path is None:
            return _NOTHING
        held = path.lstat()
        version = held.st_ino, held.st_mtime_ns
        if server not in self._read or self._read[server][0] != version:
            self._read[server] = version, _parsed(path)
        return self._read[server][1]

    def _found(self, server: ServerKind) -> Path | None:
        """The file to read, None where there is none."""
        path, provider = self._path(server), self._provider
        if path is None or lies(path):
            return path
        # Spec 30, "Heads", step 7.
        if server is ServerKind.PROVIDER and provider is not None and provider.alone:
            path = self._folder / server.value / path.name
        return path if lies(path) else None

    def _path(self, server: ServerKind) -> Path | None:
        folder, name = self._folder / server.value, f"{self._agreement}.json"
        if server is ServerKind.UNIT:
            return folder / name
        return folder / self._provider.party / name if self._provider else None


def heads_of_each(
    home: Path, agreement: str, providers: Collection[str]
) -> dict[tuple[ServerKind, str], KnownHeads]:
    """Those of each server of an agreement; with the party where it is a provider's.

    ``providers``: whose servers answer in direct mode.
    """
    found = {(ServerKind.UNIT, ""): KnownHeads(home, agreement)}
    for party in providers:
        server = ProviderServer(party, alone=len(providers) == 1)
        found[ServerKind.PROVIDER, party] = KnownHeads(home, agreement, server)
    return found


_NOTHING = KnownServerPast()


def _accepted(kept: KnownServerPast, seen: KnownServerPast) -> KnownServerPast:
    """What was seen in the place of what is kept, whose stores are left."""
    left = (kept.left | kept.stores) - seen.stores
    return KnownServerPast(seen.software, seen.heads, left)


def _newer(kept: KnownServerPast, seen: KnownServerPast) -> KnownServerPast:
    """Both, of each chain the head that came further; of another store, the one that was seen.

    A client that stays open may bring heads of a store that was left meanwhile: they are dropped.
    So are chains beyond those that fit into a call, which a server may name to stop one.
    """
    heads = dict(kept.heads)
    for name, head in seen.heads.items():
        before = heads.get(name)
        if head.store in kept.left or (before is None and len(heads) >= _MOST_HEADS):
            continue
        if before is None or before.store != head.store or before.generation < head.generation:
            heads[name] = head
    return KnownServerPast(seen.software or kept.software, heads, kept.left | seen.left)


def _parsed(path: Path) -> KnownServerPast:
    try:
        content = from_json(read_plain(path))
        given = content.get("format") if isinstance(content, dict) else None
        if format_age(given, _FORMAT) is FormatAge.LATER:
            raise made_by_newer(path)
        document = _Document.model_validate(content)
        heads = {h.name: h.head() for h in document.heads}
        return KnownServerPast(document.software, heads, map(bytes.fromhex, document.left))
    except (OSError, ValueError, RecursionError):
        raise BadInputError(
            t(
                f"{path} tidak terbaca; di situ tercatat sampai mana server terakhir terlihat. "
                "Pulihkan dari cadangan, atau hapus bila operator memastikan server itu tidak "
                "dipulihkan sejak itu.",
                f"{path} cannot be read; it says how far the server had come when last seen. "
                "Restore it from a backup, or remove it if the operator is sure that the server "
                "was not restored since.",
            )
        ) from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
