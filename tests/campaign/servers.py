"""Both servers of a scene in this process, for as long as a block."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from engines import FakeEngine
from scene import PEOPLE, Scene
from server_fixture import FixedClock

from padan_server.base.config import ProviderConfig, UnitConfig
from padan_server.base.log import configure_logging
from padan_server.direct.evaluators import Evaluators
from padan_server.roles.provider import Provider
from padan_server.roles.unit import Unit

BOTH = frozenset({"unit", "provider"})


@dataclass
class Servers:
    """What runs them: an evaluation process and a log that outlive each."""

    evaluators: Evaluators = field(default_factory=lambda: Evaluators(1))
    log: io.StringIO = field(default_factory=io.StringIO)

    @contextmanager
    def running(
        self, scene: Scene, names: frozenset[str] = BOTH, clock: FixedClock | None = None, disk=None
    ) -> Iterator[dict[str, Unit | Provider]]:
        """Start some of them on what lies in the scene; stop them as SIGTERM would."""
        self.log.seek(0)
        self.log.truncate()
        configure_logging("info", self.log)
        clock = clock or FixedClock()
        with ExitStack() as stack:
            made: dict[str, Unit | Provider] = {}
            if "unit" in names:
                config = UnitConfig(**scene.settings("unit"))
                made["unit"] = Unit(config, FakeEngine(), clock=clock, disk=disk)
            if "provider" in names:
                config = ProviderConfig(**scene.settings("provider"))
                made["provider"] = Provider(config, clock=clock, evaluators=self.evaluators)
            for name, server in made.items():
                server.start()
                stack.callback(server.stop)
                scene.ports[name] = server.port
            scene.tell()
            yield made

    def told_nothing(self) -> bool:
        """That no value of a person stands in the log."""
        text = self.log.getvalue()
        return not any(p["nik"] in text or p["nama"] in text for p in PEOPLE)

    def close(self) -> None:
        """End the evaluation process."""
        self.evaluators.close()
