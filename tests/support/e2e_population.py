"""One unit with the real matcher, and every party of the five example agreements around it.

Everything that people do before data flow is done with the commands that they type: keys, the
agreement's file, signatures.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from server_fixture import FixedClock
from typer.testing import CliRunner

from padan_client import ConfirmResult, Home, ProviderClient, PublishResult, RequesterClient
from padan_client.cli.app import app
from padan_client.protocol.rotating import rotate
from padan_client.transport.channel import Link
from padan_lab.demo.flows import several_lists
from padan_lab.demo.pki import Authority, Certificate
from padan_lab.generate import ID_COLUMN
from padan_linkage.agreement import (
    EXAMPLE_IDS,
    Agreement,
    Flow,
    agreement_digest,
    example,
    load_agreement,
)
from padan_linkage.agreement.standing import term
from padan_server.base.config import UnitConfig
from padan_server.matching.linkage_engine import LinkageEngine
from padan_server.roles.unit import Unit

AGREEMENTS = {i: load_agreement(example(i)) for i in EXAMPLE_IDS}
PARTIES = tuple(sorted({p.id for a in AGREEMENTS.values() for p in a.parties}))


def padan(home: Path, *arguments: str | Path, code: int = 0) -> str:
    """Run a command as the party of ``home``; returns its standard output."""
    done = CliRunner().invoke(
        app, [str(a) for a in arguments], env={"PADAN_HOME": str(home), "COLUMNS": "500"}
    )
    assert done.exit_code == code, f"{arguments}: {done.stderr or done.exception!r}"
    return done.stdout


def padan_json(home: Path, *arguments: str | Path, code: int = 0) -> dict:
    """As :func:`padan` with ``--json``; returns the object."""
    return json.loads(padan(home, *arguments, "--json", code=code))


def inside(agreement: Agreement) -> datetime:
    """The middle of the term."""
    start, end = term(agreement)
    return (start + (end - start) / 2).astimezone(UTC)


def outside(agreement: Agreement) -> dict[str, datetime]:
    """The last moment before the term and the first one after it, by the reason for refusing."""
    start, end = term(agreement)
    return {"AGREEMENT_NOT_STARTED": start - timedelta(microseconds=1), "AGREEMENT_EXPIRED": end}


@dataclass
class Town:
    """The unit, its clock, and the home folder of every party."""

    folder: Path
    pki: Authority
    certificates: dict[str, Certificate]
    servers: dict[str, Certificate]
    clock: FixedClock = field(default_factory=FixedClock)
    unit: Unit | None = None

    @property
    def agreements(self) -> Path:
        """Folder of the signed agreements."""
        return self.folder / "agreements"

    @property
    def data(self) -> Path:
        """All that the unit holds."""
        return self.folder / "data"

    def home(self, party: str) -> Path:
        """Folder of a party."""
        return self.folder / "homes" / party

    def found_parties(self, parties: Sequence[str] = PARTIES) -> None:
        """``padan keys init`` for these parties."""
        for party in parties:
            padan(self.home(party), "keys", "init", "--party", party, "--no-passphrase")

    def sign(self, agreement_id: str, source: Path | None = None) -> Path:
        """Make the file, fill in the keys, let all parties sign; returns the file.

        ``source`` is a file to take instead of the example.
        """
        parties = [p.id for p in AGREEMENTS[agreement_id].parties]
        target = self.agreements / f"{agreement_id}.toml"
        keys = [
            argument
            for party in parties
            for argument in ("--party", f"{party}={self.home(party) / f'{party}.public.json'}")
        ]
        keys += ["--unit", str(self.servers["unit"].certificate)]
        for party in AGREEMENTS[agreement_id].direct_providers:
            keys += ["--server", f"{party}={self.servers[party].certificate}"]
        new = ("agreement", "new", "--from", source or agreement_id, "--out", target, *keys)
        padan(self.home(parties[0]), *new)
        # Tests ask several lists of one epoch, and change registries in it.
        target.write_bytes(several_lists(target.read_bytes(), lists=100))
        for party in parties:
            padan(self.home(party), "agreement", "sign", target)
        return target

    def digest(self, agreement_id: str) -> bytes:
        """SHA-256 of a signed file."""
        return agreement_digest((self.agreements / f"{agreement_id}.toml").read_bytes())

    def go_to(self, moment: datetime) -> None:
        """Set the clock, forward or back, as an operator does who then accepts it."""
        self.clock.moment = moment
        if self.unit is not None:
            self.unit.clock.accept()

    def open(self) -> None:
        """Start the unit in this process and tell everybody where it is."""
        self.unit = Unit(UnitConfig(**self._settings()), LinkageEngine(), clock=self.clock)
        self.unit.start()
        self._tell(self.unit.port)

    def open_process(self, log: Path) -> subprocess.Popen[bytes]:
        """Start the unit as a process and wait until it serves; all its output goes to ``log``."""
        settings = self._settings() | {"simulated_time": self.clock.now().isoformat()}
        config = self.folder / "unit.toml"
        tables = {name: settings.pop(name) for name in ("tls", "parties")}
        lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
        for name, table in tables.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(v)}" for key, v in table.items())]
        config.write_text("\n".join(lines) + "\n")
        command = [sys.executable, "-m", "padan_server", "unit", "--config", str(config)]
        with log.open("ab") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        while process.poll() is None:
            for line in log.read_bytes().splitlines():
                if b'"unit_started"' in line:
                    self._tell(json.loads(line)["port"])
                    return process
            time.sleep(0.01)
        raise AssertionError(log.read_text())

    def _settings(self) -> dict:
        own = self.servers["unit"]
        return {
            "listen": "127.0.0.1:0",
            "data_dir": str(self.data),
            "agreements_dir": str(self.agreements),
            "tls": {
                "ca": str(self.pki.ca),
                "certificate": str(own.certificate),
                "key": str(own.key),
            },
            "parties": {party: [self.certificates[party].pin] for party in PARTIES},
            "sweep_seconds": 3600.0,  # the clock jumps between terms: nothing is swept meanwhile
            "drain_seconds": 1.0,
        }

    def _tell(self, port: int) -> None:
        for party in (p for p in PARTIES if self.home(p).exists()):
            own = self.certificates[party]
            own.key.chmod(0o600)
            (self.home(party) / "client.toml").write_text(
                f"party = {json.dumps(party)}\n"
                f'unit = "127.0.0.1:{port}"\n'
                f"agreements = {json.dumps(str(self.agreements))}\n"
                f"[tls]\nca = {json.dumps(str(self.pki.ca))}\n"
                f"certificate = {json.dumps(str(own.certificate))}\n"
                f"key = {json.dumps(str(own.key))}\n"
            )

    def opened(self, party: str) -> Home:
        """A party's home, opened."""
        return Home.open(self.home(party), jitter=lambda: 0.0)

    def turn_epoch(self, agreement_id: str, flow: Flow) -> None:
        """Both sides join the next key epoch of a flow."""
        for party in (flow.provider, flow.requester):
            home = self.opened(party)
            with Link.open(home, agreement_id, flow.id) as link:
                link.run(rotate(home, agreement_id, flow.id, self.clock.now()))

    @contextmanager
    def provider(self, agreement_id: str, flow: Flow) -> Iterator[ProviderClient]:
        """The flow's provider."""
        with ProviderClient(self.opened(flow.provider), agreement_id, flow.id, threads=1) as client:
            yield client

    @contextmanager
    def requester(self, agreement_id: str, flow: Flow) -> Iterator[RequesterClient]:
        """The flow's requester."""
        with RequesterClient(
            self.opened(flow.requester), agreement_id, flow.id, threads=1
        ) as client:
            yield client

    def publish(
        self, agreement_id: str, flow: Flow, registry: pa.Table, day: date | None = None
    ) -> PublishResult:
        """Publish a registry, as of ``day``."""
        with self.provider(agreement_id, flow) as client:
            return client.publish(registry, id_column=ID_COLUMN, as_of=day)

    def confirm(self, agreement_id: str, flow: Flow, asked: pa.Table) -> ConfirmResult:
        """Confirm a generated list."""
        with self.requester(agreement_id, flow) as client:
            return client.confirm(asked, id_column=ID_COLUMN)

    def close(self) -> None:
        """Stop the unit."""
        if self.unit is not None:
            self.unit.stop()


def found_town(
    folder: Path,
    pki: Authority,
    certificates: dict[str, Certificate],
    servers: dict[str, Certificate],
    edit: Callable[[bytes], bytes] | None = None,
) -> Town:
    """A town with keys for everybody, the five agreements signed, and the unit open.

    ``edit`` changes the agreements before they are signed.
    """
    town = Town(folder, pki, certificates, servers)
    town.found_parties()
    for agreement_id in EXAMPLE_IDS:
        source = None
        if edit is not None:
            source = folder / f"{agreement_id}.draft.toml"
            source.write_bytes(edit(example(agreement_id)))
        town.sign(agreement_id, source)
    town.open()
    return town
