"""Running providers of direct mode: in this process (fast) and as a process (to be killed).

``make_provider(...)`` gives a :class:`RunningProvider`, ``make_provider_process(...)`` the same
around ``padan-server provider``. Tables hold random rows: a provider cannot tell them from others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from direct_party import set_terms
from laid_store import lay_store
from parties import PartyClient
from server_fixture import NOW, FixedClock, House, UnitProcess, toml
from signing import sign_manifest

from padan_linkage.agreement import Mode
from padan_linkage.direct.manifest import Manifest, format_moment
from padan_linkage.direct.oprf import EvaluationKey, epoch_keys
from padan_linkage.direct.table import ROW_BYTES, LabelTableWriter
from padan_server.admission.enforcement import schema_digest
from padan_server.base.config import ProviderConfig
from padan_server.direct.evaluators import Evaluators
from padan_server.roles.provider import Provider


@dataclass
class Publisher:
    """What ``padan publish --mode direct`` leaves behind: seeds and tables."""

    house: House

    @property
    def tables_dir(self) -> Path:
        """Where tables appear."""
        return self.house.folder / "tables"

    @property
    def seeds_dir(self) -> Path:
        """Where the seeds of epochs lie."""
        return self.house.folder / "seeds"

    def settings(self, **changes: object) -> dict[str, object]:
        """Settings of the provider as its TOML file has them."""
        for folder in (self.tables_dir, self.seeds_dir):
            folder.mkdir(parents=True, exist_ok=True)
        flow = self.house.signed.agreement.flow(self.house.flow_id)
        return self.house.settings(
            party=flow.provider,
            tables_dir=str(self.tables_dir),
            seeds_dir=str(self.seeds_dir),
            evaluation_workers=1,
            tls=self.house.tls("provider"),
            **changes,
        )

    def seed(self, epoch: int) -> bytes:
        """The seed of an epoch, made on first use."""
        signed = self.house.signed
        path = self.seeds_dir / signed.agreement.id / self.house.flow_id / f"{epoch}.seed"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(hashlib.sha256(f"test seed {epoch}".encode()).digest())
            path.chmod(0o600)
        return path.read_bytes()

    def keys(self, epoch: int) -> dict[str, EvaluationKey]:
        """The evaluation keys of an epoch, by the direct key's id."""
        direct = self.house.signed.agreement.flow(self.house.flow_id).direct
        return epoch_keys(
            self.seed(epoch),
            agreement_digest=self.house.signed.digest,
            flow_id=self.house.flow_id,
            epoch=epoch,
            key_ids=[key.id for key in direct.keys],
        )

    def public_keys(self, epoch: int) -> list[bytes]:
        """The public keys of an epoch, in the schema's order."""
        return [key.public_key for key in self.keys(epoch).values()]

    def publish(
        self,
        name: str = "a",
        *,
        epoch: int = 1,
        rows: int = 100,
        base: str | None = None,
        sequence: int = 0,
        created: datetime = NOW,
        days: float = 30,
        claims: dict[str, object] | None = None,
    ) -> Manifest:
        """Publish a table of random rows whose id is made of ``name``; ``claims``: its lies."""
        signed, flow_id = self.house.signed, self.house.flow_id
        flow = signed.agreement.flow(flow_id)
        table = table_id(name)
        folder = self.tables_dir / f".{table}.new"
        folder.mkdir(parents=True)
        content = np.random.default_rng(len(name)).integers(0, 256, (rows, ROW_BYTES), np.uint8)
        with LabelTableWriter(folder / "rows.bin") as writer:
            writer.append(content[np.lexsort(content[:, 15::-1].T)])
        values = {
            "agreement": signed.agreement.id,
            "agreement_digest": signed.digest.hex(),
            "flow": flow_id,
            "epoch": epoch,
            "table": table,
            "base": base and table_id(base),
            "sequence": sequence,
            "public_keys": {i: k.public_key.hex() for i, k in self.keys(epoch).items()},
            "root": writer.root.hex(),
            "rows": rows,
            "direct_schema_digest": schema_digest(flow, Mode.DIRECT).hex(),
            "normaliser_version": "id-1",
            "created": format_moment(created),
            "expires": format_moment(created + timedelta(days=days)),
            **(claims or {}),
        }
        manifest = Manifest.model_validate(values)
        signer = signed.identities[flow.provider].sign
        (folder / "manifest.json").write_bytes(manifest.document())
        (folder / "manifest.sig").write_bytes(sign_manifest(manifest, signer))
        folder.rename(self.tables_dir / table)
        return manifest


def table_id(name: str) -> str:
    """The table id that a name stands for."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


@dataclass
class RunningProvider:
    """A provider in this process."""

    publisher: Publisher
    provider: Provider
    clock: FixedClock
    stopped: bool = False

    @property
    def house(self) -> House:
        """PKI, agreement, folders."""
        return self.publisher.house

    @property
    def server(self) -> Provider:
        """It, under the name that it has in every role."""
        return self.provider

    @property
    def port(self) -> int:
        """Its port on loopback."""
        return self.provider.port

    def client(self, party: str = "kemnaker") -> PartyClient:
        """A party at this provider."""
        return self.house.client(self.port, party)

    def rescan(self) -> None:
        """Read agreements and tables again, now."""
        self.provider._rescan()

    def stop(self) -> None:
        """Stop it as SIGTERM would; harmless to repeat."""
        if not self.stopped:
            self.stopped = True
            self.provider.stop()


@pytest.fixture(scope="session")
def evaluators() -> Iterator[Evaluators]:
    """One evaluation process for all providers of the session."""
    made = Evaluators(1)
    yield made
    made.close()


@pytest.fixture
def make_publisher(make_house) -> Callable[..., Publisher]:
    """Makes a :class:`Publisher`: ``make_publisher(day=…, per_list=…, minimum=…)``."""

    def make(day: int = 100_000, per_list: int = 100_000, minimum: int = 1) -> Publisher:
        return Publisher(make_house(edit=lambda text: set_terms(text, day, per_list, minimum)))

    return make


@pytest.fixture
def make_provider(make_publisher, evaluators) -> Iterator[Callable[..., RunningProvider]]:
    """Makes a running provider in this process, with a table of epoch 1 unless told otherwise.

    ``make_provider(publisher=…, clock=…, settings={}, published=True, own=False, …)``, the rest as
    ``make_publisher``; ``own`` gives it an evaluation process of its own.
    """
    running: list[RunningProvider] = []

    def make(
        publisher=None, clock=None, settings=None, published=True, own=False, **terms
    ) -> RunningProvider:
        publisher = publisher or make_publisher(**terms)
        clock = clock or FixedClock()
        config = ProviderConfig(**publisher.settings(**(settings or {})))
        if published and not any(publisher.tables_dir.iterdir()):
            publisher.publish()
        lay_store(config)
        shared = None if own else evaluators
        made = RunningProvider(publisher, Provider(config, clock=clock, evaluators=shared), clock)
        made.provider.start()
        running.append(made)
        return made

    yield make
    for made in running:
        made.house.close()
        made.stop()


@pytest.fixture
def make_provider_process(make_publisher, request) -> Iterator[Callable[..., UnitProcess]]:
    """Makes a provider process that has not been started yet.

    Forked, one at a time; or with ``real=True`` the command itself. Gives the process and its
    publisher.
    """
    made: list[UnitProcess] = []

    def make(real: bool = False, settings=None, **terms) -> tuple[UnitProcess, Publisher]:
        publisher = make_publisher(**terms)
        house = publisher.house
        config = house.folder / "provider.toml"
        changes = {"allow_failpoints": True, "simulated_time": NOW, **(settings or {})}
        settings = publisher.settings(**changes)
        config.write_text(toml(settings))
        if not real:
            lay_store(ProviderConfig(**settings))
        zygote = None if real else request.getfixturevalue("zygote")
        log = house.folder / "provider.log"
        process = UnitProcess(house, config, log, zygote, role="provider")
        made.append(process)
        return process, publisher

    yield make
    for process in made:
        process.house.close()
        if process.process and process.process.poll() is None:
            process.kill()


def children(pid: int) -> list[int]:
    """Processes whose parent is ``pid``."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    """Whether a process runs (a dead one that nobody has reaped does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
