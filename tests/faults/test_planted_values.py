"""After a real run the unit's disk, database, log and living memory are searched for secrets.

The unit is a process of its own, as installed. The agencies publish, confirm a list and ask about
one person; what they keep to themselves is noted on their side and then looked for on the unit's,
raw, in hex and in base64.

What cannot be asserted: the unit holds the agreement, so the codes' names and wordings, the fields
and the values of the status columns are there by design. Therefore the test's agreement has many
codes that hold together, and what is looked for is the combination that one person has: the joined
text of the answer, and the open 16-byte payload that is sealed. In an exact pass the token is the
table's key, so tokens are secret in passes with a filter alone. Memory that was never given to the
unit's process (the kernel's TLS, pages already reused) is out of reach.
"""

import base64
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest
from agency import people
from cryptography.hazmat.primitives import serialization
from e2e_population import PARTIES, Town, inside
from e2e_search import Search, files_under, private_memory, spellings
from patience import PATIENCE

from padan_client import provider
from padan_client.home.epochs import EpochStore
from padan_client.home.identity import Identity
from padan_client.home.jobs import Job
from padan_lab.demo.flows import with_filters
from padan_linkage.agreement import Flow, example, load_agreement
from padan_linkage.crypto import keys
from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.sealing import Sealer
from padan_linkage.encoding import PassEncoder
from padan_linkage.normalise import normalise
from padan_linkage.schema import TOKEN_BYTES, Kind

AGREEMENT, FLOW = "kemnaker-bkn-2024", "asn-status"
MARKS = 48
REGISTERED, ASKED = 400, 300

PLANTED = (
    ("3174016708310017", "QUIXANDRA ZYLPHIRAWATI", "1931-08-27"),
    ("5171012911280023", "XAVERNIUS WOLTERZOON KWEEKHOVEN", "1928-11-29"),
    ("3273015102340031", "FJORDIANTI VLADZYSLAWA", "1934-02-11"),
    ("7371010304360047", "THADDEUSZ OXFORDIANTORO", "1936-04-03"),
)


@dataclass
class Secrets:
    """What the agencies keep to themselves, by what it is."""

    kept: dict[str, set[bytes]] = field(default_factory=dict)
    encapsulated: set[bytes] = field(default_factory=set)

    def note(self, name: str, *values: bytes) -> None:
        """Remember values of one kind."""
        self.kept.setdefault(name, set()).update(map(bytes, values))


def marked(text: str) -> str:
    """The agreement with 48 more codes of which any may hold, one registry column each."""
    codes = "".join(
        f'[[flow.code]]\ncode = "TANDA_{i:02d}"\ntext = "tanda {i:02d}"\ngloss = "mark {i:02d}"\n\n'
        for i in range(MARKS)
    )
    columns = "".join(
        f'[flow.registry.tanda_{i:02d}]\n"YA" = "TANDA_{i:02d}"\n\n' for i in range(MARKS)
    )
    # Direct mode has fewer codes, and is not asked here; one field is for its keys alone.
    text = re.sub(r"  \{ name = \"tempat_lahir\".*\n", "", text, count=1)
    direct = r"\[flow\.direct\]\n.*?(?=\n\[\[flow\]\])"
    text = re.sub(direct, "", text, count=1, flags=re.DOTALL)
    text = text.replace('modes = ["direct", "unit"]', 'modes = ["unit"]', 1)
    text = text.replace("real_time = true", "real_time = true\nseveral = true", 1)
    text = text.replace("[flow.registry.status]", codes + "[flow.registry.status]", 1)
    return text.replace("[flow.schema]", columns + "[flow.schema]", 1)


def registry_rows() -> list[dict[str, str]]:
    """Planted people first, then others; statuses and marks drawn for each."""
    draw = random.Random(3)
    planted = [dict(zip(("nik", "nama", "tanggal_lahir"), p, strict=True)) for p in PLANTED]
    rows = []
    for i, person in enumerate(planted + people(REGISTERED - len(planted), seed=21)):
        row = {"id": f"NIPLOKAL-{i:05d}-{draw.randrange(10**8):08d}", **person}
        row |= {f"tanda_{m:02d}": draw.choice(("YA", "")) for m in range(MARKS)}
        row |= {"status": draw.choice(("AKTIF", "PENSIUN")), "catatan": f"SURATRAHASIA{i:05d}"}
        rows.append(row)
    return rows


def written_forms(row: dict[str, str]) -> set[bytes]:
    """A person's values as they are written, changed in case, and normalised."""
    year, month, day = row["tanggal_lahir"].split("-")
    texts = {
        row["id"],
        row["nik"],
        row["catatan"],
        *(row["nama"], row["nama"].lower(), row["nama"].title(), row["nama"].replace(" ", "")),
        *(part for part in row["nama"].split() if len(part) >= 8),
        *(part.lower() for part in row["nama"].split() if len(part) >= 8),
        *normalise(Kind.PERSON_NAME, pa.array([row["nama"]])).values.to_pylist(),
        *(row["tanggal_lahir"], f"{day}-{month}-{year}", f"{day}/{month}/{year}"),
    }
    return {text.encode(code) for text in texts for code in ("utf-8", "utf-16-le")}


@contextmanager
def noting(secrets: Secrets) -> Iterator[None]:
    """Spies in both agencies' clients."""

    def tokens(made, encoder) -> None:
        if encoder._pass.similar:
            secrets.note("token in a pass with a filter", *made.hashes[:, :TOKEN_BYTES])
        secrets.note("salt key", *made.hashes[:, TOKEN_BYTES:])

    def seal(made, _) -> None:
        secrets.note("seal key", *made.pass_keys.values())
        secrets.encapsulated.add(made.encapsulated_key)

    def as_is(name: str):
        return lambda made, _: secrets.note(name, made)

    spies = [
        (EpochStore, "linkage_key", lambda made, _: secrets.note("linkage key", made._secret)),
        (EpochStore, "private_key", as_is("epoch key")),
        (LinkageKey, "subkey", as_is("subkey")),
        (keys, "exchange", as_is("shared secret")),
        (Identity, "derive", as_is("agency's own secret")),
        (Sealer, "keep", seal),
        (Job, "seed_bytes", as_is("seed of the permutations")),
        (PassEncoder, "_tokens", tokens),
        (provider, "prepare_registry", lambda r, _: secrets.note("open answer", *r.payloads)),
    ]
    with pytest.MonkeyPatch.context() as patch:
        for owner, name, note in spies:
            patch.setattr(owner, name, noted(getattr(owner, name), note))
        yield


def noted(real, note):
    """``real``, whose result and first argument are told to ``note``."""

    def call(*args, **more):
        made = real(*args, **more)
        note(made, args[0])
        return made

    return call


@dataclass
class Remains:
    """What was left of the unit when all was done, what to look for, and what it does hold."""

    secrets: Search
    held: Search
    disk: dict[str, list[bytes]]
    log: bytes
    memory: list[bytes] | None


def what_it_must_not_have(
    secrets: Secrets, rows: list[dict], answers: list[dict], town: Town
) -> Search:
    """Everything that the agencies keep to themselves."""
    search = Search()
    for number, row in enumerate(rows):
        names = {row["nama"].encode(), row["nama"].lower().encode()}
        values = written_forms(row) if number < len(PLANTED) else {row["nik"].encode(), *names}
        for value in values:
            search.add("a person's value", spellings(value))
    for row in answers:
        if row["hasil"] == "ditemukan":
            for text in (row["kode"], row["keterangan"]):
                search.add("a person's codes", spellings(text.encode()))
    for party in PARTIES:
        identity = town.opened(party).identity
        secrets.note("signing key", identity._sign)
        secrets.note("exchange key", identity.exchange_private())
        secrets.note("TLS key", tls_key(town.certificates[party].key))
        search.add("TLS key", pem_lines(town.certificates[party].key))
    for name, values in secrets.kept.items():
        for value in values:
            search.add(name, spellings(value))
    return search


def what_it_has(secrets: Secrets, town: Town, flow: Flow) -> Search:
    """Controls: what is there must be found."""
    search = Search()
    search.add("party", [b"kemnaker"])
    search.add("wording", [flow.codes[0].text.encode()])
    search.add("agreement", [town.digest(AGREEMENT).hex().encode()])
    search.add("encapsulated key", secrets.encapsulated)
    search.add("the unit's own TLS key", pem_lines(town.servers["unit"].key))
    return search


def pem_lines(path: Path) -> list[bytes]:
    """The lines of a key's file that have a part of the private number."""
    return path.read_bytes().splitlines()[1:3]


def tls_key(path: Path) -> bytes:
    """The private number of a certificate's key."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    return key.private_numbers().private_value.to_bytes(32, "big")


@pytest.fixture(scope="module")
def scene(session_pki, tmp_path_factory):
    town = Town(tmp_path_factory.mktemp("planted"), *session_pki)
    town.found_parties()
    source = town.folder / "source.toml"
    source.write_text(marked(with_filters(example(AGREEMENT)).decode()))
    agreement = load_agreement(town.sign(AGREEMENT, source).read_bytes())
    flow = agreement.flow(FLOW)
    town.go_to(inside(agreement))
    log = town.folder / "unit.log"
    process = town.open_process(log)
    secrets, rows, disk = Secrets(), registry_rows(), {}
    try:
        with noting(secrets):
            answers = run(town, flow, rows, disk)
        try:
            memory = private_memory(process.pid)
        except PermissionError:
            memory = None
        disk["alive"] = files_under(town.data)
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
    disk["stopped"] = files_under(town.data)
    missing = what_it_must_not_have(secrets, rows, answers, town)
    return Remains(missing, what_it_has(secrets, town, flow), disk, log.read_bytes(), memory)


def run(town: Town, flow: Flow, rows: list[dict], disk: dict[str, list[bytes]]) -> list[dict]:
    """Publish, confirm a list, ask about one person; returns all answers."""
    asked = [{k: row[k] for k in ("nik", "nama", "tanggal_lahir")} for row in rows[:ASKED]]
    town.turn_epoch(AGREEMENT, flow)
    town.publish(AGREEMENT, flow, pa.Table.from_pylist(rows))

    def keep_disk(_: object) -> None:
        """The list and its answers are erased when the job is closed; this is just before."""
        assert (town.data / "unit.sqlite-wal").stat().st_size
        disk["matched"] = files_under(town.data)

    with town.requester(AGREEMENT, flow) as client:
        listed = client.confirm(pa.Table.from_pylist(asked), deliver=keep_disk)
        one = client.confirm_one(asked[0])
    answers = listed.table.to_pylist()
    assert sum(row["hasil"] == "ditemukan" for row in answers) >= ASKED - 5
    assert one["kode"] == answers[0]["kode"] != ""
    return [*answers, one]


def test_what_is_looked_for_is_all_that_there_is_to_hide(scene):
    assert len(scene.secrets) > 10_000
    kinds = set(scene.secrets.names())
    assert kinds == {
        "a person's value",
        "a person's codes",
        "open answer",
        "token in a pass with a filter",
        "salt key",
        "linkage key",
        "epoch key",
        "subkey",
        "shared secret",
        "agency's own secret",
        "seal key",
        "seed of the permutations",
        "signing key",
        "exchange key",
        "TLS key",
    }


@pytest.mark.parametrize("moment", ["matched", "alive", "stopped"])
def test_the_disk_and_the_database_hold_no_secret(scene, moment):
    content = scene.disk[moment]
    assert len(content) > 20
    assert scene.held.found(content) >= {"party", "encapsulated key"}
    assert scene.secrets.found(content) == set()


def test_the_log_holds_no_secret(scene):
    assert scene.held.found([scene.log]) >= {"party", "agreement"}
    assert scene.secrets.found([scene.log]) == set()


def test_living_memory_holds_no_secret(scene):
    if scene.memory is None:
        pytest.skip("this machine does not let a process read its child's memory")
    assert sum(map(len, scene.memory)) > 20_000_000
    found = scene.held.found(scene.memory)
    assert found >= {"party", "wording", "the unit's own TLS key"}
    assert scene.secrets.found(scene.memory) == set()


@pytest.mark.parametrize("before", range(9))
def test_the_search_finds_a_secret_wherever_and_however_it_is_written(before):
    secret = random.Random(1).randbytes(32)
    search = Search()
    search.add("it", spellings(secret))
    for found, value in (({"it"}, secret), (set(), secret[:16] + b"?" + secret[17:])):
        for written in (
            value,
            value.hex().encode(),
            value.hex().upper().encode(),
            base64.b64encode(bytes(before) + value + b"more"),
            base64.urlsafe_b64encode(bytes(before) + value),
        ):
            content = b"x" * before + written + b"x" * before
            assert search.found([b"", b"short", content]) == found
    assert search.found([bytes(8 * 1024 * 1024 - before) + secret]) == {"it"}
