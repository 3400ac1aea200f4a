"""Running units for tests: in this process (fast) and as a process of its own (to be killed).

``make_unit(...)`` gives a :class:`RunningUnit` with a CA, certificates, generated identities and a
signed example agreement; ``make_unit_process(...)`` the same around ``padan-server unit``.
"""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
import structlog
from engines import FakeEngine
from laid_store import lay_store
from parties import PartyClient
from patience import PATIENCE
from signing import SignedFile, server_key, write_signed
from zygote import Forked, Zygote

from padan_lab.demo.pki import Authority, Certificate
from padan_server.base.config import UnitConfig
from padan_server.base.log import configure_logging
from padan_server.roles.unit import Unit

#: A moment inside the term of the flagship agreement.
NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


@dataclass
class FixedClock:
    """A clock that tests move."""

    moment: datetime = NOW

    def now(self) -> datetime:
        """The moment it was set to."""
        return self.moment

    def forward(self, **amount: float) -> None:
        """Move on (days=1, hours=2 …)."""
        self.moment += timedelta(**amount)


Certificates = tuple[Authority, dict[str, Certificate], dict[str, Certificate]]


@dataclass
class House:
    """What exists before a unit starts: PKI, signed agreement, folders."""

    folder: Path
    pki: Authority
    signed: SignedFile
    certificates: dict[str, Certificate]
    servers: dict[str, Certificate]
    flow_id: str
    channels: list[grpc.Channel] = field(default_factory=list)

    @property
    def agreements_dir(self) -> Path:
        """Where the unit reads agreements."""
        return self.folder / "agreements"

    @property
    def data_dir(self) -> Path:
        """Where the unit keeps everything."""
        return self.folder / "data"

    def settings(self, **changes: object) -> dict[str, object]:
        """Settings of the unit as its TOML file has them."""
        return {
            "listen": "127.0.0.1:0",
            "data_dir": str(self.data_dir),
            "agreements_dir": str(self.agreements_dir),
            "tls": self.tls("unit"),
            "parties": {p: [c.pin] for p, c in self.certificates.items()},
            "drain_seconds": 1.0,
            **changes,
        }

    def tls(self, server: str) -> dict[str, str]:
        """What the server called ``server`` shows and trusts."""
        own = self.servers[server]
        files = {"ca": self.pki.ca, "certificate": own.certificate, "key": own.key}
        return {name: str(path) for name, path in files.items()}

    def channel(self, port: int, certificate: Certificate, ca: Path | None = None) -> grpc.Channel:
        """A mutual-TLS channel with a certificate of choice."""
        credentials = grpc.ssl_channel_credentials(
            root_certificates=(ca or self.pki.ca).read_bytes(),
            private_key=certificate.key.read_bytes(),
            certificate_chain=certificate.certificate.read_bytes(),
        )
        channel = grpc.secure_channel(f"127.0.0.1:{port}", credentials)
        self.channels.append(channel)
        return channel

    def client(self, port: int, party: str, flow_id: str = "") -> PartyClient:
        """A party at the unit on ``port``."""
        channel = self.channel(port, self.certificates[party])
        return PartyClient(channel, party, self.signed, flow_id or self.flow_id)

    def close(self) -> None:
        """Close every channel."""
        while self.channels:
            self.channels.pop().close()


@dataclass
class RunningUnit:
    """A unit in this process."""

    house: House
    unit: Unit
    clock: FixedClock
    engine: FakeEngine
    stopped: bool = False

    @property
    def server(self) -> Unit:
        """It, under the name that it has in every role."""
        return self.unit

    def stop(self) -> None:
        """Stop it as SIGTERM would; harmless to repeat."""
        if not self.stopped:
            self.stopped = True
            self.unit.stop()

    def pass_time(self, **amount: float) -> None:
        """Let time pass: a jump would move the clock and be doubted."""
        self.clock.forward(**amount)
        self.unit.clock.accept()

    def sweep(self) -> None:
        """Have it do now what it does every minute."""
        self.unit._maintenance.sweep()

    @property
    def uploads(self) -> set[str]:
        """Ids of the datasets that have files."""
        return {p.name.partition(".")[0] for p in (self.house.data_dir / "datasets").glob("*")}

    @property
    def port(self) -> int:
        """Its port on loopback."""
        return self.unit.port

    def client(self, party: str, flow_id: str = "") -> PartyClient:
        """A party at this unit."""
        return self.house.client(self.port, party, flow_id)

    def pair(self, flow_id: str = "") -> tuple[PartyClient, PartyClient]:
        """Provider and requester of the flow, both of whom have contributed to epoch 1."""
        flow = self.house.signed.agreement.flow(flow_id or self.house.flow_id)
        provider = self.client(flow.provider, flow.id)
        requester = self.client(flow.requester, flow.id)
        provider.contribute()
        requester.contribute()
        return provider, requester


@dataclass
class UnitProcess:
    """``padan-server unit`` as a process that can be killed and started again on its data.

    With another ``role``, ``padan-server provider``.
    """

    house: House
    config: Path
    log: Path
    zygote: Zygote | None
    process: Forked | subprocess.Popen[bytes] | None = None
    port: int = 0
    role: str = "unit"

    def start(self, failpoint: str = "") -> None:
        """Start it and wait until it serves (or has died at a fail point during start)."""
        began = self.log.stat().st_size if self.log.exists() else 0
        environment = {f"PADAN_{self.role.upper()}_FAILPOINT": failpoint}
        if self.zygote is not None:
            self.process = self.zygote.fork(self.role, self.config, self.log, environment)
        else:
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "padan_server", self.role, "--config", str(self.config)],
                    env={**os.environ, **environment},
                    stderr=log,
                )
        while self.process.poll() is None:
            with self.log.open("ab+") as log:
                log.seek(began)
                for line in log.read().splitlines():
                    if f'"{self.role}_started"'.encode() in line:
                        self.port = json.loads(line)["port"]
                        return
            time.sleep(0.005)
        raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def wait_killed(self) -> None:
        """Wait until it has died of SIGKILL at its fail point."""
        assert self.process
        assert self.process.wait(PATIENCE) == -signal.SIGKILL

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        assert self.process
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def client(self, party: str) -> PartyClient:
        """A party at this unit, on a new channel."""
        return self.house.client(self.port, party)


@pytest.fixture(scope="session")
def session_pki(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One CA and one certificate a party and a server for the whole session."""
    pki = Authority(tmp_path_factory.mktemp("pki"), datetime.now(UTC))
    parties = ("kemnaker", "bkn", "bpjstk", "imigrasi", "bpjskes", "kemenkopmk")
    clients = {name: pki.issue_client(name) for name in parties}
    servers = {
        name: pki.issue_server(f"{name}-server", server_key(name))
        for name in ("unit", "provider", *parties)
    }
    return pki, clients, servers


@pytest.fixture
def make_house(session_pki, tmp_path) -> Iterator[Callable[..., House]]:
    """Makes a :class:`House`: ``make_house(agreement_id=…, flow_id=…, edit=…)``."""
    houses: list[House] = []
    pki, clients, servers = session_pki

    def make(
        agreement_id: str = "kemnaker-bkn-2024", flow_id: str = "asn-status", **signing
    ) -> House:
        folder = tmp_path / f"house{len(houses)}"
        signed = write_signed(folder / "agreements", agreement_id, **signing)
        house = House(folder, pki, signed, dict(clients), servers, flow_id)
        houses.append(house)
        return house

    yield make
    for house in houses:
        house.close()


@pytest.fixture
def make_unit(make_house) -> Iterator[Callable[..., RunningUnit]]:
    """Makes a running unit in this process.

    ``make_unit(house=…, engine=…, clock=…, disk=…, settings={}, …)``, the rest as ``make_house``.
    """
    running: list[RunningUnit] = []

    def make(
        house: House | None = None, engine=None, clock=None, disk=None, settings=None, **signing
    ) -> RunningUnit:
        house = house or make_house(**signing)
        clock, engine = clock or FixedClock(), engine or FakeEngine()
        config = UnitConfig(**house.settings(**(settings or {})))
        lay_store(config)
        made = RunningUnit(house, Unit(config, engine, clock=clock, disk=disk), clock, engine)
        made.unit.start()
        running.append(made)
        return made

    yield make
    for made in running:
        made.house.close()
        made.stop()


@pytest.fixture
def unit_log() -> Iterator[io.StringIO]:
    """The log of units in this process, as it is written."""
    stream = io.StringIO()
    configure_logging("debug", stream)
    yield stream
    structlog.reset_defaults()
    logging.basicConfig(force=True)


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Finds a free port on loopback."""

    def find() -> int:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            return listening.getsockname()[1]

    return find


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """The parent of forked units."""
    made = Zygote()
    yield made
    made.close()


@pytest.fixture
def make_unit_process(make_house, request) -> Iterator[Callable[..., UnitProcess]]:
    """Makes a unit process that has not been started yet.

    Forked, with the fake engine, one at a time; or with ``engine="real"`` the command itself.
    ``settings`` as in the TOML file.
    """
    made: list[UnitProcess] = []

    def make(house: House | None = None, engine: str = "fake", settings=None, **signing):
        house = house or make_house(**signing)
        config = house.folder / "unit.toml"
        changes = {"allow_failpoints": True, "simulated_time": NOW, **(settings or {})}
        settings = house.settings(**changes)
        config.write_text(toml(settings))
        if engine != "real":
            lay_store(UnitConfig(**settings))
        process = UnitProcess(
            house,
            config,
            house.folder / "unit.log",
            None if engine == "real" else request.getfixturevalue("zygote"),
        )
        made.append(process)
        return process

    yield make
    for process in made:
        process.house.close()
        if process.process and process.process.poll() is None:
            process.kill()


def toml(settings: dict[str, object]) -> str:
    """Settings as TOML: scalars first, then tables."""
    lines, tables = [], []
    for name, value in settings.items():
        if isinstance(value, dict):
            tables.append(f"[{name}]")
            tables += [f"{key} = {_value(v)}" for key, v in value.items()]
        else:
            lines.append(f"{name} = {_value(value)}")
    return "\n".join(lines + tables) + "\n"


def _value(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else json.dumps(value)
