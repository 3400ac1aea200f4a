"""What a process did to a folder, and what a disk may hold of it after the power went.

After Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014. A file's content is
certain up to its last sync; of what was written since any 512 bytes may be there or not, and the
length may be there without them. A name is certain once its folder was synced.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import shutil
import time
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple, TypeAlias

_BLOCK, _SECTOR = 4096, 512
#: Looked at again although size and time are as before: the clock of files is coarse.
_FRESH_NS, _SMALL = 50_000_000, 1 << 20


class Survival(Enum):
    """How much of what was not synced a disk keeps."""

    #: All of it: the process was killed, and the machine went on.
    ALL = "all"
    #: Nothing.
    SYNCED = "synced"
    #: Names in their order up to some moment, and any of the contents.
    JOURNAL = "journal"
    #: Names of every folder up to a moment of its own, and any of the contents.
    ANY = "any"


class Version(NamedTuple):
    """A file's content, in blocks that versions share."""

    size: int
    blocks: tuple[bytes, ...]

    @classmethod
    def of(cls, content: bytes, before: Version | None = None) -> Version:
        """The content; blocks that are as they were are the same objects."""
        known = before.blocks if before else ()
        made = []
        for number, at in enumerate(range(0, len(content), _BLOCK)):
            block = content[at : at + _BLOCK]
            same = number < len(known) and known[number] == block
            made.append(known[number] if same else block)
        return cls(len(content), tuple(made))

    def content(self) -> bytes:
        """All of it."""
        return b"".join(self.blocks)


_EMPTY = Version(0, ())


class Name(NamedTuple):
    """A change of names: ``node`` stands at ``there`` (None: nowhere any more), not at ``here``."""

    here: tuple[int, str] | None
    there: tuple[int, str] | None
    node: int


class Write(NamedTuple):
    """A file has new content."""

    node: int
    version: Version


class Sync(NamedTuple):
    """A file's content, or a folder's names, are certain."""

    node: int


class Mark(NamedTuple):
    """Something that the play says of itself."""

    text: str


Change: TypeAlias = Name | Write | Sync | Mark
Tree: TypeAlias = dict[int, dict[str, int]]


def _volatile(name: str) -> bool:
    return name.endswith("-shm") or name == "client.toml"


@dataclass
class History:
    """A watcher that writes down what becomes of a folder. Ends where it was when it began."""

    root: Path
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._contents: dict[int, tuple[int, int, Version]] = {}
        #: Nodes by inode. An inode is given to another file once nobody has it any more.
        self._nodes: dict[int, int] = {}
        self._fresh = itertools.count()
        self.folders: set[int] = set()
        self.top = self._node(self.root.stat().st_ino)
        self._tree, _ = self._scan({})
        self.base: Tree = {node: dict(names) for node, names in self._tree.items()}
        self.first: dict[int, Version] = {n: v for n, (_, _, v) in self._contents.items()}

    def before(self, kind: str, path: Path) -> None:
        """Take note of what was written since."""
        if kind != "write":
            self._look()

    def after(self, kind: str, path: Path) -> None:
        """Take note of the step."""
        if kind == "write":
            return
        self._look()
        if kind in ("fsync", "fdatasync"):
            with contextlib.suppress(FileNotFoundError):
                self.changes.append(Sync(self._node(path.stat().st_ino)))

    def mark(self, text: str) -> None:
        """Write down a remark."""
        self._look()
        self.changes.append(Mark(text))

    def _look(self) -> None:
        tree, written = self._scan(self._tree)
        self.changes += _renamed(self._tree, tree)
        self.changes += written
        self._tree = tree
        living = {node for names in tree.values() for node in names.values()} | {self.top}
        self._nodes = {inode: node for inode, node in self._nodes.items() if node in living}

    def _node(self, inode: int) -> int:
        if inode not in self._nodes:
            self._nodes[inode] = next(self._fresh)
        return self._nodes[inode]

    def _scan(self, before: Tree) -> tuple[Tree, list[Write]]:
        tree: Tree = {}
        written: list[Write] = []
        self._enter(str(self.root), self.top, tree, written)
        return tree, written

    def _enter(self, folder: str, node: int, tree: Tree, written: list[Write]) -> None:
        names = tree[node] = {}
        self.folders.add(node)
        for entry in os.scandir(folder):
            if _volatile(entry.name):
                continue
            try:
                found = entry.stat(follow_symlinks=False)
                node = names[entry.name] = self._node(found.st_ino)
                if entry.is_dir(follow_symlinks=False):
                    self._enter(entry.path, node, tree, written)
                else:
                    self._compare(entry.path, node, found, written)
            except FileNotFoundError:
                names.pop(entry.name, None)

    def _compare(self, path: str, node: int, found: os.stat_result, written: list[Write]) -> None:
        size, moment, known = self._contents.get(node, (-1, -1, None))
        fresh = found.st_size < _SMALL and time.time_ns() - found.st_mtime_ns < _FRESH_NS
        if (size, moment) == (found.st_size, found.st_mtime_ns) and not fresh:
            return
        version = Version.of(Path(path).read_bytes(), known)
        self._contents[node] = (found.st_size, found.st_mtime_ns, version)
        if version != known:
            written.append(Write(node, version))


def _renamed(before: Tree, after: Tree) -> list[Name]:
    """What happened to names between two looks; a name that went elsewhere is one change."""
    old = {(f, n): node for f, names in before.items() for n, node in names.items()}
    new = {(f, n): node for f, names in after.items() for n, node in names.items()}
    gone = {place: node for place, node in old.items() if new.get(place) != node}
    come = {place: node for place, node in new.items() if old.get(place) != node}
    left = {node: place for place, node in gone.items()}
    made = [Name(left.get(node), place, node) for place, node in come.items()]
    moved = {change.here for change in made}
    taken = set(come)
    made += [Name(p, None, n) for p, n in gone.items() if p not in moved and p not in taken]
    return made


class Cut:
    """The state of a disk at one moment of a history; moments are asked for in their order."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._at = 0
        self._names: list[tuple[Name, bool]] = []
        self._certain = 0
        self._contents = {node: [version] for node, version in history.first.items()}

    def go_to(self, moment: int) -> None:
        """On to the state before change ``moment``."""
        for change in itertools.islice(self._history.changes, self._at, moment):
            self._take(change)
        self._at = moment

    def _take(self, change: Change) -> None:
        if isinstance(change, Name):
            self._names.append((change, False))
        elif isinstance(change, Write):
            self._contents.setdefault(change.node, [_EMPTY]).append(change.version)
        elif isinstance(change, Sync):
            self._sync(change.node)

    def _sync(self, node: int) -> None:
        self._certain = len(self._names)
        if node in self._contents:
            self._contents[node] = self._contents[node][-1:]
            return
        self._names = [(n, done or node in _folders(n)) for n, done in self._names]

    def write(self, folder: Path, kept: Survival, draw: random.Random) -> None:
        """Make ``folder`` what is left."""
        tree = {node: dict(names) for node, names in self._history.base.items()}
        for change in self._surviving(kept, draw):
            if change.here:
                names = tree.setdefault(change.here[0], {})
                if names.get(change.here[1]) == change.node:
                    del names[change.here[1]]
            if change.there:
                tree.setdefault(change.there[0], {})[change.there[1]] = change.node
        shutil.rmtree(folder, ignore_errors=True)
        self._lay(folder, self._history.top, tree, kept, draw)

    def _surviving(self, kept: Survival, draw: random.Random) -> list[Name]:
        if kept is Survival.ALL:
            return [change for change, _ in self._names]
        if kept is Survival.SYNCED:
            return [change for change, certain in self._names if certain]
        if kept is Survival.JOURNAL:
            until = draw.randint(self._certain, len(self._names))
            return [c for i, (c, certain) in enumerate(self._names) if certain or i < until]
        until_of: dict[int, int] = {}
        found = []
        for number, (change, certain) in enumerate(self._names):
            place = (change.there or change.here)[0]
            until = until_of.setdefault(place, draw.randint(0, len(self._names)))
            if certain or number < until:
                found.append(change)
        return found

    def _lay(
        self, folder: Path, node: int, tree: Tree, kept: Survival, draw: random.Random
    ) -> None:
        folder.mkdir(mode=0o700)
        for name, child in tree.get(node, {}).items():
            if child in self._history.folders:
                self._lay(folder / name, child, tree, kept, draw)
                continue
            path = folder / name
            path.write_bytes(self._content(child, kept, draw))
            path.chmod(0o600)

    def _content(self, node: int, kept: Survival, draw: random.Random) -> bytes:
        versions = self._contents.get(node, [_EMPTY])
        if kept is Survival.ALL:
            return versions[-1].content()
        if kept is Survival.SYNCED or len(versions) == 1:
            return versions[0].content()
        return _torn(versions[0].content(), draw.choice(versions).content(), draw)


def _folders(change: Name) -> set[int]:
    return {place[0] for place in (change.here, change.there) if place}


def _torn(certain: bytes, written: bytes, draw: random.Random) -> bytes:
    """Some sectors or pages of what was written, over what was certain; the rest of it zeros."""
    size = draw.choice([len(certain), len(written), draw.randint(0, len(written))])
    size = max(size, min(len(certain), len(written)))
    grain, share = draw.choice([_SECTOR, _BLOCK]), draw.choice([0.0, 0.5, 0.9, 1.0])
    made = bytearray(certain[:size].ljust(size, b"\0"))
    for at in range(0, size, grain):
        if draw.random() < share:
            made[at : at + grain] = written[at : min(at + grain, size)].ljust(
                min(grain, size - at), b"\0"
            )
    return bytes(made)
