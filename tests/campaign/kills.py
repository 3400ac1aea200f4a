"""Kills of processes over whole journeys: of the unit, the provider and the officer's command.

A victim is killed (SIGKILL) at a random moment of an errand, or a server right behind the end of
one, which is when it has acknowledged most. Servers are started again, the command is repeated as
an officer would, and at the end all is compared with an undisturbed journey.
"""

from __future__ import annotations

import json
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from books import Books
from crashes import Undisturbed, ViolationError, erase_lists, sweep_homes
from errands import JOURNEY, Errand
from forks import UNDONE
from patience import PATIENCE
from scene import PEOPLE, Scene
from server_fixture import NOW, UnitProcess, toml
from zygote import Forked, Zygote

from padan_client.cli.common import Exit
from padan_server.admission.ledger import BLOCK

_SCRIPT = str(Path(__file__).with_name("forks.py"))
#: So many times at most an errand is disturbed.
_MOST = 4
#: A server that was killed makes these of a command that it served.
_EXCUSED = {UNDONE + Exit.UNAVAILABLE}


@dataclass
class Nursery:
    """The parents of all processes; closed at the end.

    ``seconds``: how long an errand took that nobody disturbed, so that kills come while it runs.
    """

    seconds: dict[str, float] = field(default_factory=dict)

    zygotes: dict[str, Zygote] = field(
        default_factory=lambda: {r: Zygote(_SCRIPT) for r in ("unit", "provider", "client")}
    )

    def close(self) -> None:
        """End them."""
        for zygote in self.zygotes.values():
            zygote.close()


@dataclass
class KilledJourney:
    """One journey under kills that a seed decides. ``kills`` counts them by victim."""

    scene: Scene
    nursery: Nursery
    draw: random.Random
    kills: Counter[str] = field(default_factory=Counter)

    def go(self, undisturbed: Undisturbed) -> None:
        """Make it. Raises ViolationError."""
        with self._servers() as servers:
            for errand in JOURNEY:
                outcome = self._outcome(errand, servers)
                if outcome != undisturbed.outcomes[errand.name]:
                    raise ViolationError(f"{errand.name}: another outcome: {outcome}")
                if not errand.servers or errand.name == "table":
                    time.sleep(0.3)  # both servers read their folders every tenth of it
            erase_lists(self.scene)
        sweep_homes(self.scene)
        self._require_silence()
        wanted = undisturbed.books[JOURNEY[-1].name]
        ahead = BLOCK * self.kills["unit"]
        if found := Books.of(self.scene).differences(wanted, ahead=ahead):
            raise ViolationError("; ".join(found))

    @contextmanager
    def _servers(self) -> Iterator[dict[str, UnitProcess]]:
        scene, made = self.scene, {}
        for role in ("unit", "provider"):
            with socket.create_server(("127.0.0.1", 0)) as free:
                scene.ports[role] = scene.listen[role] = free.getsockname()[1]
            config = scene.folder / f"{role}.toml"
            config.write_text(toml(scene.settings(role) | {"simulated_time": NOW}))
            log, zygote = scene.folder / f"{role}.log", self.nursery.zygotes[role]
            made[role] = UnitProcess(scene.house, config, log, zygote, role=role)
            made[role].start()
        scene.tell()
        try:
            yield made
        finally:
            codes = [server.stop() for server in made.values()]
        if any(codes):
            raise ViolationError(f"a server stopped with {codes}")

    def _outcome(self, errand: Errand, servers: dict[str, UnitProcess]) -> dict:
        left = self.draw.choice([0, 1, 2, 3, _MOST])
        tried = False
        while True:
            if tried and (seen := errand.seen(self.scene, {})) is not None:
                return seen
            tried, kind = True, self.draw.choice(["client", *errand.servers, *errand.servers])
            began, officer = time.monotonic(), self._begin(errand)
            killed = self._disturb(officer, kind, errand, servers) if left else False
            left -= 1
            code = officer.wait(PATIENCE)
            if code == 0:
                if not killed:
                    self.nursery.seconds[errand.name] = time.monotonic() - began
                self._acknowledged(errand, servers)
                return json.loads((self.scene.folder / "outcome.json").read_text())
            if not (killed and (code in _EXCUSED or (kind == "client" and code == -9))):
                told = (self.scene.folder / "client.log").read_text()[-600:]
                raise ViolationError(f"{errand.name}: exit code {code} after {kind}: {told}")

    def _begin(self, errand: Errand) -> Forked:
        zygote, log = self.nursery.zygotes["client"], self.scene.folder / "client.log"
        return zygote.fork("client", self.scene.folder, log, {"ERRAND": errand.name})

    def _disturb(
        self, officer: Forked, kind: str, errand: Errand, servers: dict[str, UnitProcess]
    ) -> bool:
        """Kill the victim at some moment of the errand; False if it ended before."""
        longest = self.nursery.seconds.get(errand.name, 0.5)
        if officer.ended.wait(self.draw.uniform(0.0, longest)):
            return False
        if kind == "client":
            officer.kill()
        else:
            servers[kind].kill()
            servers[kind].start()
        self.kills[kind] += 1
        return True

    def _acknowledged(self, errand: Errand, servers: dict[str, UnitProcess]) -> None:
        """The command has told that it was done: whoever dies now has promised it."""
        if errand.servers and self.draw.random() < 0.5:
            (role,) = errand.servers
            servers[role].kill()
            servers[role].start()
            self.kills[role] += 1

    def _require_silence(self) -> None:
        for role in ("unit", "provider"):
            text = (self.scene.folder / f"{role}.log").read_text()
            if any(p["nik"] in text or p["nama"] in text for p in PEOPLE):
                raise ViolationError(f"a value stands in the log of the {role}")
            if '"defect"' in text:
                raise ViolationError(f"a defect: {text[text.index('defect') - 200 :][:800]}")
