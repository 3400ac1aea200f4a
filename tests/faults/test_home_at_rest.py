"""With a home's disk and the unit's, but not the passphrase, nothing opens and no order is undone.

Both agencies do everything that a home takes part in, in both modes, under locked identities.
Whatever is about to be renamed into place or removed is a durable step: just before each, and at
the end, all files of both homes are set aside. So what is searched is every state of the disk that
a kill could leave behind.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from agency import people, registry_table, small_passes
from at_rest import at_rest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from e2e_search import Search, files_under, spellings
from engines import FakeEngine
from signing import PartyKeys

from padan_client import ProviderClient, RequesterClient
from padan_client.home import folder as home_folder
from padan_client.home import identity as identities
from padan_client.home.epochs import EpochStore
from padan_client.home.jobs import Job, JobStore
from padan_client.home.protection import locked
from padan_client.protocol.direct import blocks, evaluating
from padan_linkage.crypto import keys
from padan_linkage.crypto.keys import LinkageKey, exchange_public_key
from padan_linkage.crypto.sealing import Sealer
from padan_linkage.direct.labelling.persons import PersonSecrets

PASSPHRASE = "sapi goreng merah tua hujan"
PEOPLE = people(90, seed=77)
#: Lie in a home to be handed out, or are public once they are there (spec 20, "What stays plain").
PUBLIC = ("published", "tables", "seeds")
#: What a home shows to whoever has its disk (spec 20, "What stays plain").
PLAIN = re.compile(
    r"\.?identity\.json|client\.toml|\w+\.public\.json|epochs/.+/\d+\.json|levels/.+"
    r"|format\.json|heads/.+\.json"
)
#: So many letters in a row stand in no random bytes.
TEXT = re.compile(rb"[ -~]{24}")

_watched: list[Watch] = []


def _heard(event: str, _: object) -> None:
    if _watched and event in {"os.rename", "os.remove"}:
        _watched[-1].look()


sys.addaudithook(_heard)


@dataclass
class Watch:
    """Everything that lay in some folders just before a rename or a removal."""

    folders: list[Path]
    seen: dict[bytes, tuple[str, bytes]] = field(default_factory=dict)
    steps: int = 0

    def look(self) -> None:
        """Set aside what is there now."""
        self.steps += 1
        for path in (p for folder in self.folders for p in folder.rglob("*")):
            if path.is_file() and not set(path.parts) & set(PUBLIC):
                content = path.read_bytes()
                key = hashlib.sha256(bytes(path) + content).digest()
                self.seen.setdefault(key, (path.as_posix(), content))

    def contents(self, start: str = "") -> list[bytes]:
        """What was in files whose name has ``start``, drafts of them too."""
        return [text for name, text in self.seen.values() if start in name]


@contextmanager
def watching(*folders: Path) -> Iterator[Watch]:
    """Look at every durable step."""
    _watched.append(Watch(list(folders)))
    try:
        yield _watched[-1]
        _watched[-1].look()
    finally:
        _watched.pop()


@dataclass
class Taken:
    """What the agencies used, what the unit was handed, and what lay in the homes."""

    watch: Watch
    secrets: dict[str, set[bytes]]
    sealed: list[tuple[bytes, bytes, bytes]]
    jobs: list[bytes]
    public: set[bytes]
    unit: list[bytes] = field(default_factory=list)

    def search(self) -> Search:
        """For everything that opens or orders something, and for whom it is about."""
        search = Search()
        for name, values in self.secrets.items():
            for value in values:
                search.add(name, spellings(value))
        return search


def noted(real, note):
    """``real``, whose result and arguments are told to ``note``."""

    def call(*args, **more):
        made = real(*args, **more)
        note(made, args)
        return made

    return call


@contextmanager
def spying(loot: Taken) -> Iterator[None]:
    """Note what both sides use; and each sealed row as it goes to the unit, with what it is of."""

    def note(name: str, *values: bytes) -> None:
        loot.secrets.setdefault(name, set()).update(map(bytes, values))

    def sealed(made, args) -> None:
        sealer, pass_id, tokens, *_ = args
        associated = sealer._associated_rows(pass_id, tokens)
        loot.sealed += [
            (bytes(c[:12]), bytes(c[12:]), a) for c, a in zip(made, associated, strict=True)
        ]

    def extracted(made, _) -> None:
        note("key of a label", *(row.tobytes() for row in made))

    def person(_, args) -> None:
        note("secret of a person", *(row.tobytes() for row in args[0].secret))

    spies = [
        (EpochStore, "private_key", lambda made, _: note("epoch key", made)),
        (EpochStore, "linkage_key", lambda made, _: note("linkage key", made._secret)),
        (LinkageKey, "subkey", lambda made, _: note("subkey", made)),
        (keys, "exchange", lambda made, _: note("shared secret", made)),
        (identities.Identity, "derive", lambda made, _: note("own secret", made)),
        (Sealer, "keep", lambda made, _: note("seal key", *made.pass_keys.values())),
        (Sealer, "seal", sealed),
        (Job, "seed_bytes", lambda made, _: note("seed of a job", made)),
        (blocks, "extract", extracted),
        (PersonSecrets, "openers", person),
        (evaluating.Outputs, "put", lambda _, args: note("output", *map(bytes, args[2]))),
        (evaluating, "blind", lambda _, args: note("blind", args[1][:48])),
        (JobStore, "save", lambda _, args: loot.jobs.append(args[1].model_dump_json().encode())),
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for owner, name, spy in spies:
            patch.setattr(owner, name, noted(getattr(owner, name), spy))
        yield


@pytest.fixture
def locked_homes(tmp_path, monkeypatch) -> Path:
    """Identities under a passphrase, which every opening of a home is given."""
    monkeypatch.setattr(locked, "SCRYPT_N", 2**10)
    for party in ("bkn", "kemnaker"):
        own = PartyKeys.of(party)
        identity = identities.Identity(party, own.sign, own.exchange)
        folder = tmp_path / "homes" / party
        identities.save_identity(folder, identity, passphrase=PASSPHRASE, randomness=bytes)
    load = home_folder.load_identity
    monkeypatch.setattr(
        home_folder, "load_identity", lambda home, **_: load(home, passphrase=PASSPHRASE)
    )
    return tmp_path / "homes"


def everything(pair) -> None:
    """Publish, confirm, a delta and real time, in both modes."""
    base, changed = registry_table(PEOPLE[:60]), registry_table(PEOPLE).slice(60, 5)
    asked = PEOPLE[30:75]
    with ProviderClient(pair.provider, *pair.names, threads=1) as provider:
        first = provider.publish(base, id_column="id", status_column="status")
        provider.publish(
            changed,
            id_column="id",
            status_column="status",
            delta_of=first.dataset,
            deletes=["R00003"],
        )
    with RequesterClient(pair.requester, *pair.names) as requester:
        result = requester.confirm(asked, mode="unit")
        requester.confirm_few(asked[:3], mode="unit")
    assert result.counts["TIDAK_DITEMUKAN"] == 10
    table = pair.publish(base)
    pair.publish(changed, delta_of=table.dataset, deletes=["R00003"])
    assert pair.confirm(asked).counts["TIDAK_DITEMUKAN"] == 10
    with RequesterClient(pair.requester, *pair.names) as requester:
        requester.confirm_few(asked[:3], mode="direct")


@pytest.fixture
def loot(locked_homes, make_direct) -> Taken:
    pair = make_direct(unit=True, engine=FakeEngine(), edit=small_passes)
    own = {party: PartyKeys.of(party) for party in ("bkn", "kemnaker")}
    public = {exchange_public_key(each.exchange) for each in own.values()}
    found = Taken(Watch([]), {}, [], [], public)
    for each in own.values():
        found.secrets.setdefault("private key", set()).update({each.sign, each.exchange})
    values = {v.encode() for p in PEOPLE for v in (p["nik"], p["nama"])}
    found.secrets["a person's value"] = values
    with watching(pair.provider.folder, pair.requester.folder) as found.watch, spying(found):
        everything(pair)
    at_rest(pair.unit.server)
    found.unit = files_under(pair.unit.house.data_dir)
    return found


def candidates(contents: list[bytes]) -> set[bytes]:
    """Every 32 bytes that stand anywhere, as they are."""
    return {text[at : at + 32] for text in contents for at in range(len(text) - 31)}


def opens(loot: Taken, contents: list[bytes]) -> bool:
    """Whether a sealed row of the unit's opens under anything that lies there."""
    nonce, sealed, associated = loot.sealed[0]
    for key in candidates(contents):
        try:
            AESGCM(key).decrypt(nonce, sealed, associated)
        except InvalidTag:
            continue
        return True
    return False


def readable(loot: Taken) -> set[str]:
    """Files in which somebody can read something, without what tells one from another."""
    found = {name for name, text in loot.watch.seen.values() if TEXT.search(text)}
    inside = {name.partition("/homes/")[2].partition("/")[2] for name in found}
    return {re.sub(r"\.[0-9a-f]{16}\.tmp$", "", name).replace("/.", "/") for name in inside}


def test_a_home_at_rest_opens_nothing_and_orders_nothing(loot):
    assert loot.watch.steps > 40
    search = loot.search()
    assert set(search.names()) >= {
        *("private key", "epoch key", "linkage key", "subkey", "own secret", "shared secret"),
        *("seal key", "seed of a job", "key of a label", "output", "blind", "a person's value"),
    }
    assert search.found(loot.watch.contents()) == set()

    # The census: what is to be read stands on the page, and nothing else is.
    assert {name for name in readable(loot) if not PLAIN.fullmatch(name)} == set()

    # What a job had in the clear is found, and opens a row.
    assert search.found(loot.jobs) >= {"seal key", "seed of a job"}
    assert [text for text in loot.unit if loot.sealed[0][1] in text], "the unit has that row"
    jobs = loot.watch.contents(".job")
    assert len(jobs) > 20
    assert opens(loot, [bytes(3) + key for key in loot.secrets["seal key"]])
    assert not opens(loot, jobs)
    private = candidates(loot.watch.contents("identity") + loot.watch.contents(".key"))
    assert not {exchange_public_key(each) for each in private} & loot.public
