"""Networks that cut, delay, throttle, repeat and corrupt what agencies and servers say."""

from __future__ import annotations

import contextlib
import random
import socket
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from books import Books
from crashes import Undisturbed, erase_lists, read_again, sweep_homes
from errands import JOURNEY, Errand, LeftUndoneError
from relay import Relay
from scene import Scene
from servers import Servers

from padan_client.cli.common import Exit
from padan_server.admission.ledger import BLOCK

KINDS = ("cut", "delayed", "throttled", "repeated", "corrupted")
#: So often at most an errand is begun again.
_PATIENCE = 40
#: What a command may end with on such a network; never a code, and never a defect.
_ALLOWED = {Exit.UNAVAILABLE, Exit.UNVERIFIED, Exit.BAD_INPUT}


class RoughRelay(Relay):
    """Does to one piece in some what its ``kind`` says, at most ``left`` times."""

    def __init__(self, port: int, kind: str, draw: random.Random) -> None:
        super().__init__(port)
        self._kind, self._draw = kind, draw
        self.left = draw.randint(1, 6)
        self.done = 0

    def _pass_on(self, source: socket.socket, target: socket.socket, kept: bytearray) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                for piece in self._handled(data):
                    target.sendall(piece)
            target.shutdown(socket.SHUT_WR)

    def _handled(self, data: bytes) -> list[bytes]:
        if self.left <= 0 or self._draw.random() > 0.1:
            return [data]
        self.left -= 1
        self.done += 1
        at = self._draw.randrange(len(data))
        if self._kind == "cut":
            self.cut()
            return [data[:at]]
        if self._kind == "delayed":
            time.sleep(self._draw.uniform(0.0, 0.3))
            return [data]
        if self._kind == "throttled":
            time.sleep(0.05)
            step = max(1, len(data) // 20)
            return [data[i : i + step] for i in range(0, len(data), step)]
        if self._kind == "repeated":
            return [data, data[at:]]
        return [data[:at], bytes([data[at] ^ self._draw.randint(1, 255)]), data[at + 1 :]]


@dataclass
class RoughJourney:
    """A journey on a network that is rough anew for each errand. ``done`` counts by kind."""

    folder: Path
    servers: Servers
    draw: random.Random
    done: Counter[str] = field(default_factory=Counter)

    def go(self, undisturbed: Undisturbed) -> str:
        """Make it; what was violated."""
        scene = Scene.found(self.folder)
        with self.servers.running(scene) as running:
            for errand in JOURNEY:
                try:
                    outcome = self._outcome(scene, errand)
                except LeftUndoneError as left:
                    return str(left)
                if outcome != undisturbed.outcomes[errand.name]:
                    return f"{errand.name}: another outcome: {outcome}"
                read_again(running)
            erase_lists(scene)
        sweep_homes(scene)
        if not self.servers.told_nothing():
            return "a value stands in the log"
        wanted = undisturbed.books[JOURNEY[-1].name]
        return "; ".join(Books.of(scene).differences(wanted, ahead=BLOCK))

    def _outcome(self, scene: Scene, errand: Errand) -> dict:
        near, kind = dict(scene.ports), self.draw.choice(KINDS)
        with ExitStack() as stack:
            relays = {
                server: stack.enter_context(RoughRelay(port, kind, self.draw))
                for server, port in near.items()
            }
            scene.ports = {server: relay.port for server, relay in relays.items()}
            scene.tell()
            try:
                return self._done(scene, errand)
            finally:
                self.done[kind] += sum(relay.done for relay in relays.values())
                scene.ports = near
                scene.tell()

    def _done(self, scene: Scene, errand: Errand) -> dict:
        for number in range(_PATIENCE):
            seen = errand.seen(scene, {}) if number else None
            if seen is not None:
                return seen
            try:
                return errand.do(scene, {})
            except LeftUndoneError as left:
                if left.code not in _ALLOWED:
                    raise
        raise LeftUndoneError(errand.name, Exit.UNAVAILABLE, "never done")
