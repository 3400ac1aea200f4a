"""Sealed files of a home: opened by their identity and in their place alone, in a form that stays.

The files of an earlier version are made here as spec 20 has them, with nothing of the product's.
"""

from __future__ import annotations

import base64
import json
import os

import numpy as np
import pyarrow as pa
import pytest
from agency import NOW, make_session, small_passes
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from signing import PartyKeys, write_signed

from padan_client.base.errors import BadInputError
from padan_client.home.cover.cover_book import CoverBook, Page
from padan_client.home.cover.list_cover import ListCover
from padan_client.home.epochs import EpochStore
from padan_client.home.jobs import JobStore
from padan_client.home.kept_registries import KeptRegistries
from padan_client.home.sealed_file import OtherFormError, Purpose, SealedFileError, SealedFiles
from padan_client.records.preparing import QUARANTINE_SCHEMA
from padan_client.records.registry import Registry
from padan_linkage.answering.payloads import PAYLOAD_BYTES
from padan_linkage.cover import CoverPeople, KnownPeople, Lives
from padan_linkage.crypto.keys import exchange_public_key
from padan_linkage.crypto.sealing import KeptSeal

DATASET = "agreements/kemnaker-bkn-2024/flows/asn-status/datasets/7"


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    return write_signed(tmp_path_factory.mktemp("signed"), edit=small_passes)


@pytest.fixture
def session(signed):
    return make_session(signed, "asn-status", provider=False)


@pytest.fixture
def files(session):
    return SealedFiles(Purpose.REGISTRY, session.identity, os.urandom)


def sealed(session, purpose, content, context):
    """Nonce and ciphertext as spec 20 has them."""
    keys = PartyKeys.of(session.place.party)
    info = b"padan/v1 own " + purpose
    key = HKDF(keys.exchange, 32, b"padan/v1 identity", SHA256, 1, info)
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, content, context)


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)


def registry():
    return Registry(
        ids=pa.array(["a", "b"]),
        records={"nama": pa.array(["SITI", "BUDI"])},
        payloads=np.arange(2 * PAYLOAD_BYTES, dtype=np.uint8).reshape(2, PAYLOAD_BYTES),
        quarantine=QUARANTINE_SCHEMA.empty_table(),
    )


def stream(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


# Homes of an earlier version.


def test_an_epoch_of_an_earlier_version_goes_on_and_can_be_destroyed(session, tmp_path):
    place, private = session.place, bytes(range(32))
    public_key = base64.b64encode(exchange_public_key(private)).decode()
    record = {
        "epoch": 1,
        "public_key": public_key,
        "created": NOW.isoformat(),
        "peer_public_key": None,
        "destroyed": None,
    }
    folder = tmp_path / place.agreement.id / place.digest.hex()[:16] / place.flow.id
    context = b"padan/v1 epoch\x00" + place.digest + place.flow.id.encode() + bytes(7) + b"\x01"
    put(folder / "1.key", sealed(session, b"epoch store", private, context))
    put(folder / "1.json", json.dumps(record, indent=1).encode())
    store = EpochStore(tmp_path, session.identity, os.urandom)
    assert store.private_key(place, 1) == private
    store.destroy(place, 1, NOW)
    assert not (folder / "1.key").exists()
    assert json.loads((folder / "1.json").read_bytes())["destroyed"]


def test_a_registry_that_kept_less_is_published_anew(session, tmp_path):
    put(tmp_path / "kemnaker-bkn-2024" / "asn-status" / "7.pool", b"sealed")
    with pytest.raises(BadInputError, match="registr"):
        CoverBook(tmp_path, session.identity, os.urandom).load(DATASET)


def test_what_a_delta_needs_comes_back_and_nothing_of_it_is_on_the_disk(session, tmp_path):
    seal = KeptSeal(b"i" * 16, b"e" * 32, b"r" * 32, {"nik": b"secret pass key." * 2}, 300)
    names = {"nama": pa.array(["SITI NURBAYA", "BUDI"])}
    lives = Lives(np.array([0, 3]), np.array([2, 0]), np.array([True, False]))
    cover = CoverPeople(names, lives, np.array([1]), {"nama": pa.array(["BUDY"])})
    known = KnownPeople(pa.array(["R-1"]), Lives.new(1, 2), np.array([7], np.uint64))
    book = CoverBook(tmp_path, session.identity, os.urandom)
    book.save(DATASET, 3, Page(seal, cover, known, 0.25, 4))
    book.save(DATASET.replace("/7", "/8"), 3, Page(seal, CoverPeople.of(names), known, 0.0, 1))
    kept = book.load(DATASET)
    assert (kept.seal, kept.pace, kept.uploads) == (seal, 0.25, 4)
    assert kept.cover.records == names
    assert kept.cover.former["nama"].to_pylist() == ["BUDY"]
    for mine, other in ((kept.cover.lives, lives), (kept.known.lives, known.lives)):
        assert all((column == vars(other)[name]).all() for name, column in vars(mine).items())
    assert (kept.cover.former_of.tolist(), kept.known.ids.to_pylist()) == ([1], ["R-1"])
    assert kept.known.former.tolist() == [7]
    whole = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (b"secret pass key.", (b"secret pass key." * 2).hex().encode(), b"NURBAYA"):
        assert secret not in whole
    book.forget(DATASET)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
    assert book.forget_epoch("kemnaker-bkn-2024", "asn-status", 3) == 1
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_registry_of_an_earlier_version_serves_a_delta(session, tmp_path):
    place, kept = session.place, registry()
    payloads = pa.array([row.tobytes() for row in kept.payloads], pa.binary(PAYLOAD_BYTES))
    table = pa.table({"\x00id": kept.ids, "\x00payload": payloads, **kept.records})
    name = f"{place.agreement.id}/{place.flow.id}/2/base.0.sealed"
    pieces = [
        sealed(session, b"direct registry", stream(piece), f"{name}/{number}/2".encode())
        for number, piece in enumerate((table[:1], table[1:]))
    ]
    framed = b"".join(len(piece).to_bytes(8, "big") + piece for piece in pieces)
    put(tmp_path / name, (2).to_bytes(8, "big") + framed)
    persons = KeptRegistries(tmp_path, session.identity, os.urandom).load(place, 2, "base", 0)
    found = persons.registry
    assert found.ids.equals(kept.ids)
    assert found.records["nama"].equals(kept.records["nama"])
    assert np.array_equal(found.payloads, kept.payloads)


# What opens and is of another version.

REGISTRY = "kemnaker-bkn-2024/asn-status/2/base.0.sealed"
LIST = "kemnaker-bkn-2024/asn-status/1.sealed"


def cover_of(session, folder):
    CoverBook(folder, session.identity, os.urandom).load(DATASET)


def registry_of(session, folder):
    KeptRegistries(folder, session.identity, os.urandom).load(session.place, 2, "base", 0)


def list_of(session, folder):
    job = JobStore(folder / "jobs", session.identity, os.urandom).open(
        "confirm", bytes(32), agreement="a", flow="f", epoch=1
    )
    ListCover(folder, session.identity, os.urandom).done(session.place, 1, job)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"{}"],
        [b"padan cover 2", b"", b"", b""],
        [b"[" * 200, b"x"],
        [stream(pa.table({"of a later version": ["x"]}))] * 3,
        [b'{"seal": 1, "pieces": [1, 1, 1]}', *[stream(pa.table({"a": [1]}))] * 3],
    ],
)
@pytest.mark.parametrize(
    ("read", "purpose", "name", "context"),
    [
        (cover_of, Purpose.COVER, "kemnaker-bkn-2024/asn-status/3/7.cover", f"{DATASET}/3"),
        (registry_of, Purpose.REGISTRY, REGISTRY, REGISTRY),
        (list_of, Purpose.LIST_COVER, LIST, LIST),
    ],
)
def test_content_of_another_version_is_told_as_that_and_stays(
    session, tmp_path, read, purpose, name, context, pieces
):
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    sealing = SealedFiles(purpose, session.identity, os.urandom)
    sealing.write_pieces(path, context.encode(), len(pieces), pieces)
    before = path.read_bytes()
    with pytest.raises(OtherFormError, match="Padan versi lain"):
        read(session, tmp_path)
    assert path.read_bytes() == before


# What does not open.


@pytest.fixture
def path(files, tmp_path):
    path = tmp_path / "kept" / "file"
    files.write_pieces(path, b"agreement/flow/1", 3, [b"one", b"two", b"three"])
    return path


def read(files, path, context=b"agreement/flow/1"):
    return list(files.read_pieces(path, context))


def test_what_was_sealed_is_private_and_opens(files, path):
    assert read(files, path) == [b"one", b"two", b"three"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"three" not in path.read_bytes()
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def lengthen(content):
    """A first piece that says it is longer than any memory."""
    return content[:8] + b"\xff" * 8 + content[16:]


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: c[:-1],
        lambda c: c[:-1] + bytes([c[-1] ^ 1]),
        lambda c: (2).to_bytes(8, "big") + c[8:],
        lambda c: bytes(8) + c[8:],
        lambda _: b"",
        lengthen,
    ],
    ids=["cut", "altered", "a piece less", "no piece", "empty", "endless"],
)
def test_an_altered_file_is_named(files, path, damage):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SealedFileError, match=f"{path} diubah"):
        read(files, path)


def test_a_file_opens_in_its_place_alone(files, path):
    with pytest.raises(SealedFileError):
        read(files, path, b"agreement/flow/2")


def test_a_file_opens_for_its_purpose_and_identity_alone(session, signed, path):
    stranger = make_session(signed, "asn-status", provider=True).identity
    others = [(Purpose.REGISTRY, stranger), (Purpose.COVER, session.identity)]
    for purpose, identity in others:
        with pytest.raises(SealedFileError):
            read(SealedFiles(purpose, identity, os.urandom), path)


def test_a_file_that_others_may_read_is_refused(files, path):
    path.chmod(0o640)
    with pytest.raises(BadInputError, match="chmod 600"):
        read(files, path)


def test_a_draft_that_fails_leaves_the_file_as_it_was(files, path):
    def failing():
        yield b"new"
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        files.write_pieces(path, b"agreement/flow/1", 3, failing())
    assert read(files, path) == [b"one", b"two", b"three"]
    assert [p.name for p in path.parent.iterdir()] == ["file"]
