"""Where a play happens: one agreement, both agencies' homes, a unit and a provider on one machine.

All that any of them keeps lies under ``state``, so that it can be copied, cut or damaged as a
whole. Keys and people are the same in every scene of a process; nothing of it is anybody's.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pyarrow.csv
from agency import people, registry_table, small_passes, write_home
from direct_party import set_terms
from e2e_releases import positions
from provider_fixture import Publisher
from server_fixture import Certificates, House
from signing import server_key, write_signed

from padan_lab.demo.pki import Authority

AGREEMENT, FLOW = "kemnaker-bkn-2024", "asn-status"
PROVIDER, REQUESTER = "bkn", "kemnaker"
PEOPLE = people(60, seed=14)
#: Registered at first; and who is asked about: some of them, and strangers.
REGISTERED, ASKED = slice(0, 40), slice(25, 52)


def _terms(text: str) -> str:
    text = set_terms(small_passes(text), day=1_000_000, per_list=10_000, minimum=1)
    return text.replace("per_day = 4", "per_day = 100")


@dataclass
class Scene:
    """The folders of one play."""

    folder: Path
    house: House
    publisher: Publisher
    #: Where unit and provider listen now.
    ports: dict[str, int] = field(default_factory=lambda: {"unit": 1, "provider": 1})

    #: Ports that servers are to take, where they are to be found again after a start.
    listen: dict[str, int] = field(default_factory=dict)

    @classmethod
    def found(cls, folder: Path) -> Scene:
        """A new one: certificates, agreement, homes, what will be sent."""
        folder.mkdir(parents=True)
        pki, clients, servers = _certificates()
        state = folder / "state"
        signed = write_signed(state / "agreements", AGREEMENT, edit=_terms)
        house = House(state, pki, signed, clients, servers, FLOW)
        made = cls(folder, house, Publisher(house))
        for party in (PROVIDER, REQUESTER):
            write_home(made.home(party), house, party, 1)
        made.publisher.settings()
        (state / "out").mkdir()
        made.inputs.mkdir()
        made._write_inputs()
        made.tell()
        return made

    @classmethod
    def there(cls, folder: Path) -> Scene:
        """One that another process has founded, for those who need its folders alone."""
        house = House(folder / "state", None, None, {}, {}, FLOW)
        return cls(folder, house, Publisher(house))

    @property
    def state(self) -> Path:
        """All that is kept."""
        return self.house.folder

    @property
    def inputs(self) -> Path:
        """What officers have before they begin."""
        return self.folder / "inputs"

    def home(self, party: str) -> Path:
        """An agency's folder."""
        return self.state / "homes" / party

    def out(self, name: str) -> Path:
        """A file that a command writes."""
        return self.state / "out" / name

    def data(self, server: str) -> Path:
        """A server's data directory."""
        return self.state / f"{server}-data"

    def settings(self, server: str) -> dict[str, object]:
        """The server's settings, as its TOML file has them."""
        changes = {
            "data_dir": str(self.data(server)),
            "listen": f"127.0.0.1:{self.listen.get(server, 0)}",
            "sweep_seconds": 3600.0,
            "rescan_seconds": 0.1,
        }
        if server == "provider":
            return self.publisher.settings(**changes)
        return self.house.settings(**changes, limits={"sync_bytes": 10_000}, run_attempts=20)

    def tell(self) -> None:
        """Tell both agencies where the servers are."""
        for party in (PROVIDER, REQUESTER):
            certificate = self.house.certificates[party]
            (self.home(party) / "client.toml").write_text(
                f'party = "{party}"\nunit = "127.0.0.1:{self.ports["unit"]}"\n'
                f'provider = "127.0.0.1:{self.ports["provider"]}"\n'
                f'tables_dir = "{self.publisher.tables_dir}"\n'
                f'seeds_dir = "{self.publisher.seeds_dir}"\n'
                f'agreements = "{self.house.agreements_dir}"\n'
                f'[tls]\nca = "{self.house.pki.ca}"\n'
                f'certificate = "{certificate.certificate}"\nkey = "{certificate.key}"\n'
            )

    def _write_inputs(self) -> None:
        rows = registry_table(PEOPLE)
        changed = rows.to_pylist()
        update = [{**changed[26], "status": "PENSIUN"}, changed[44]]
        files = {
            "registry": rows[REGISTERED],
            "update": rows.from_pylist(update),
            "list": rows.from_pylist(PEOPLE[ASKED]),
            "positions": positions("A1", "B2", "C3"),
        }
        for name, table in files.items():
            pyarrow.csv.write_csv(table, self.inputs / f"{name}.csv")
        (self.inputs / "leaving.txt").write_text(f"{changed[30]['id']}\n")


def in_memory() -> str | None:
    """Where syncing costs nothing: states of a disk are laid out thousands of times."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@cache
def _certificates() -> Certificates:
    """One authority for all scenes of this process."""
    folder = Path(tempfile.mkdtemp(prefix="padan-campaign-pki-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    pki = Authority(folder, datetime.now(UTC))
    clients = {party: pki.issue_client(party) for party in (PROVIDER, REQUESTER)}
    servers = {s: pki.issue_server(f"{s}-server", server_key(s)) for s in ("unit", "provider")}
    for certificate in clients.values():
        certificate.key.chmod(0o600)
    return pki, clients, servers
