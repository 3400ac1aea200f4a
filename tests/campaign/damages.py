"""Files that a disk damaged at rest: noticed and named, nothing erased, and no wrong answer.

Played on the state that a journey had when an errand began. A file of a server or a home is
altered; the errand then gives the same outcome, or is refused in words.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crashes import Recording, Undisturbed
from errands import Errand, LeftUndoneError
from history import Cut, Survival
from servers import BOTH, Servers

from padan_client.cli.common import Exit

_PLACES = ("unit-data", "provider-data", "homes", "tables", "seeds")
_PASSING = ("-shm", "lock", "client.toml")
_PAGE = 4096


def _flip(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << draw.randrange(8))]) + content[at + 1 :]


def _zero(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content)) // 512 * 512
    return content[:at] + bytes(len(content[at : at + _PAGE])) + content[at + _PAGE :]


def _cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content))]


def _scribble(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content))
    return content[:at] + draw.randbytes(len(content[at : at + 64])) + content[at + 64 :]


KINDS: dict[str, Callable[[bytes, random.Random], bytes | None]] = {
    "bit flipped": _flip,
    "page of zeros": _zero,
    "cut": _cut,
    "scribbled": _scribble,
    "grown": lambda content, draw: content + draw.randbytes(100),
    "gone": lambda content, draw: None,
}


@dataclass
class Damages:
    """Plays damage of one recording."""

    undisturbed: Undisturbed
    recording: Recording
    servers: Servers

    def play(self, draw: random.Random) -> tuple[str, str]:
        """Damage one file, go on with an errand: the kind, and what was violated."""
        moment = draw.choice(self.recording.beginnings())
        cut = Cut(self.recording.history)
        cut.go_to(moment.at)
        cut.write(self.recording.scene.state, Survival.ALL, draw)
        path = draw.choice(self._files())
        kind = draw.choice(sorted(KINDS))
        content = path.read_bytes()
        damaged = KINDS[kind](content, draw) if content else b"x"
        if damaged is None:
            path.unlink()
        else:
            path.write_bytes(damaged)
        before = self._columns()
        found = self._go_on(moment.errand)
        if not found and len(lost := before - self._columns()) > (kind == "gone"):
            found = f"erased: {[*lost]}"
        name = path.relative_to(self.recording.scene.state)
        return kind, found and f"{moment.errand.name}, {kind} {name}: {found}"

    def _go_on(self, errand: Errand) -> str:
        scene = self.recording.scene
        try:
            with self.servers.running(scene, errand.servers or BOTH):
                outcome = errand.do(scene, {})
        except LeftUndoneError as left:
            return str(left) if left.code == Exit.DEFECT or "INTERNAL" in str(left) else ""
        except RuntimeError as refused:  # a server that does not start on this
            return "" if "rusak" in str(refused) or "tidak" in str(refused) else repr(refused)
        except Exception as e:  # noqa: BLE001 - whatever it is, it is to be told
            return f"{type(e).__name__}: {e}"
        if outcome != self.undisturbed.outcomes[errand.name]:
            return f"another outcome: {outcome}"
        return ""

    def _files(self) -> list[Path]:
        state = self.recording.scene.state
        return [
            path
            for place in _PLACES
            for path in sorted((state / place).rglob("*"))
            if path.is_file() and not path.name.endswith(_PASSING)
        ]

    def _columns(self) -> Counter[str]:
        """What no damage may have a server erase, though it may put it aside: registries."""
        found = [
            path
            for folder in ("datasets", "aside")
            for path in (self.recording.scene.data("unit") / folder).rglob("*.npy")
        ]
        names = (path.parts[-2:] for path in found)
        return Counter("/".join(name) for name in names if name[0] != "directory")
