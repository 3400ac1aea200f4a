"""Agencies for tests of the client: a home folder with fixed keys, and generated people."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from server_fixture import House, RunningUnit
from signing import PartyKeys, SignedFile

from padan_client import Home
from padan_client.base.effects import Download, Exchange, Pause, Unary, Upload, Work
from padan_client.base.place import FlowPlace
from padan_client.home import identity as identities
from padan_client.protocol.rotating import rotate
from padan_client.protocol.session import Session
from padan_client.transport.channel import Link
from padan_client.transport.pinning import agreed_pins
from padan_client.transport.servers import servers_of
from padan_lab.demo.flows import with_filters
from padan_linkage.crypto.keys import LinkageKey

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def write_home(folder: Path, house: House, party: str, port: int, ca: Path | None = None) -> Path:
    """A home folder as ``padan keys init`` and an administrator leave it."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = PartyKeys.of(party)
    if not (folder / "identity.json").exists():
        mine = identities.Identity(party, keys.sign, keys.exchange)
        identities.save_identity(folder, mine, passphrase=None, randomness=bytes)
    certificate = house.certificates[party]
    certificate.key.chmod(0o600)
    (folder / "client.toml").write_text(
        f"party = {json.dumps(party)}\n"
        f'unit = "127.0.0.1:{port}"\n'
        f"agreements = {json.dumps(str(house.agreements_dir))}\n"
        f"[tls]\nca = {json.dumps(str(ca or house.pki.ca))}\n"
        f"certificate = {json.dumps(str(certificate.certificate))}\n"
        f"key = {json.dumps(str(certificate.key))}\n"
    )
    return folder


def point_home_at(folder: Path, port: int) -> None:
    """Give a home another address of the unit."""
    path = folder / "client.toml"
    unit = f'unit = "127.0.0.1:{port}"'
    path.write_text(re.sub(r"(?m)^unit = .*$", unit, path.read_text()))


@dataclass
class Agencies:
    """Both sides of a flow at one unit; the epoch is complete."""

    unit: RunningUnit
    flow: str
    provider: Home
    requester: Home

    @property
    def agreement(self) -> str:
        """The agreement's id."""
        return self.unit.house.signed.agreement.id

    @property
    def names(self) -> tuple[str, str]:
        """Agreement and flow, as the clients' constructors take them."""
        return self.agreement, self.flow


def give_address(folder: Path, address: str) -> None:
    """Give a home any address of the unit, whose certificate is for localhost."""
    path = folder / "client.toml"
    text = re.sub(r"(?m)^(unit|server_name) = .*\n", "", path.read_text())
    path.write_text(f'unit = "{address}"\n{text}server_name = "localhost"\n')


def make_agencies(folder: Path, unit: RunningUnit, flow_id: str = "") -> Agencies:
    """Homes of both sides, with a first key epoch made through the unit."""
    flow = unit.house.signed.agreement.flow(flow_id or unit.house.flow_id)
    homes = []
    for party in (flow.provider, flow.requester):
        home = write_home(folder / party, unit.house, party, unit.port)
        homes.append(Home.open(home, jitter=lambda: 0.0))
    agencies = Agencies(unit, flow.id, *homes)
    for home in homes:
        turn_epoch(home, agencies)
    return agencies


def turn_epoch(home: Home, agencies: Agencies) -> object:
    """What ``padan keys rotate`` does."""
    with Link.open(home, *agencies.names) as link:
        return link.run(rotate(home, *agencies.names, NOW))


_TOWNS = ("BANDUNG", "CIREBON", "DENPASAR", "MALANG", "PADANG", "SALATIGA", "SURABAYA", "TEGAL")
_SYLLABLES = "ba bi bu da di du ga gi ha ja ka ki ku la li lu ma mi na ni ra ri sa si su ta ti wa"


def people(count: int, seed: int = 1) -> list[dict[str, str]]:
    """Generated people with nik, nama, tempat_lahir, tanggal_lahir; no two alike."""
    draw, places = random.Random(seed), random.Random(seed + 1_000_000)
    syllables = _SYLLABLES.split()
    made: dict[str, dict[str, str]] = {}
    while len(made) < count:
        born = date(1960, 1, 1) + timedelta(days=draw.randrange(16_000))
        woman = draw.random() < 0.5
        day = born.day + (40 if woman else 0)
        district = draw.choice(("317401", "327301", "337205", "357801", "517101"))
        nik = f"{district}{day:02d}{born:%m%y}{draw.randrange(1, 9999):04d}"
        name = " ".join(
            "".join(draw.choice(syllables) for _ in range(draw.randint(2, 4))).upper()
            for _ in range(draw.randint(2, 3))
        )
        person = {"nik": nik, "nama": name, "tempat_lahir": places.choice(_TOWNS)}
        made[nik] = {**person, "tanggal_lahir": born.isoformat()}
    return list(made.values())


def registry_table(persons: list[dict[str, str]], seed: int = 1) -> pa.Table:
    """People as an ASN registry with an id and a status each."""
    statuses = ("AKTIF", "TIDAK AKTIF", "PENSIUN")
    rows = [
        {"id": f"R{i:05d}", **person, "status": statuses[i % len(statuses)]}
        for i, person in enumerate(persons)
    ]
    return pa.Table.from_pylist(rows)


CODES = {"AKTIF": "ASN_AKTIF", "TIDAK AKTIF": "ASN_TIDAK_AKTIF", "PENSIUN": "ASN_PENSIUN"}


def small_passes(text: str) -> str:
    """The flagship flow's schema cut down to an exact pass and one with a filter."""
    start = text.index("[[flow.schema.passes]]")
    stop = text.index("[flow.direct]", start)
    passes = """\
[[flow.schema.passes]]
id = "nik"
exact = ["nik"]

[[flow.schema.passes]]
id = "lahir"
exact = ["tanggal_lahir", "nama:phonetic_first"]
similar = [{ fields = ["nama"], bits = 512, weight = 100, diffusion = 10 }]
confirm = ["nik"]
bucket_bits = 8

"""
    head = text[:start].replace("real_time = true", 'real_time = true\nconfirm = ["nik"]', 1)
    modes = 'modes = ["direct", "unit"]'
    head = head.replace(modes, f'{modes}\naccepts = ["filters"]', 1)
    return head + passes + text[stop:]


def filtered(text: str) -> str:
    """The flagship with two passes of filters, which it accepts."""
    return with_filters(text.encode()).decode()


def one_list_an_epoch(text: str) -> str:
    """Small passes, and what an agreement allows that says nothing: tests accept more."""
    quota = "minimum_batch = 10 }"
    text = small_passes(text).replace(quota, quota.replace(" }", ", lists_per_epoch = 1 }"), 1)
    return text.replace('accepts = ["filters"]', "accepts = []", 1)


def all_servers(home: Home):
    """The servers of a home whose only agreement begins with a flow that both of them serve."""
    agreement = home.agreements()[0].agreement
    pins = agreed_pins(home, agreement.id, agreement.flows[0].id)
    return servers_of(home.config, home.folder, pins)


class TamperingLink(Link):
    """A link on which somebody changes what the servers say.

    ``tamper(method, message)`` returns the message to be seen instead; for a stream, any number of
    them (an iterable).
    """

    def __init__(self, home: Home, tamper) -> None:
        super().__init__(all_servers(home), home.config.timeouts, lambda seconds: None)
        self._tamper = tamper

    def _perform(self, effect):
        if isinstance(effect, Download | Exchange):

            def sink(message):
                for changed in self._tamper(effect.method, message):
                    effect.sink(changed)

            return super()._perform(replace(effect, sink=sink))
        result = super()._perform(effect)
        if isinstance(effect, Unary | Upload):
            return self._tamper(effect.method, result)
        return result


class Killed(BaseException):
    """The client process died."""


class DyingLink(Link):
    """A link whose client dies just after its n-th call was carried out, unseen by the client."""

    def __init__(self, home: Home, dies_after: int) -> None:
        super().__init__(all_servers(home), home.config.timeouts, lambda seconds: None)
        self._left = dies_after
        self.calls: list[str] = []

    def _perform(self, effect):
        if isinstance(effect, Work | Pause):
            return super()._perform(effect)
        self.calls.append(effect.method)
        result = super()._perform(effect)
        self._left -= 1
        if self._left == 0:
            raise Killed
        return result


def make_session(signed: SignedFile, flow_id: str, *, provider: bool) -> Session:
    """One side of a flow with a linkage key of the test's own; no unit is asked."""
    flow = signed.agreement.flow(flow_id)
    party = flow.provider if provider else flow.requester
    keys = PartyKeys.of(party)
    place = FlowPlace(signed.agreement, signed.digest, flow, party)
    assert flow.schema is not None
    key = LinkageKey(b"k" * 32, signed.digest, flow_id, 1)
    return Session(place, flow.schema, key, identities.Identity(party, keys.sign, keys.exchange))
