"""A provider that lies at any step: a clear error, nothing delivered, and never a wrong code."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pytest
from agency import NOW, DyingLink, Killed, TamperingLink, people, registry_table
from signing import PartyKeys, former_manifest, sign_manifest

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan_client import (
    MismatchError,
    RefusedError,
    RequesterClient,
    UnavailableError,
    VerificationError,
)
from padan_client.base.effects import Exchange
from padan_client.protocol.direct import session
from padan_linkage.crypto.merkle import Tree, leaf_hash
from padan_linkage.direct.manifest import Manifest, format_moment, parse_manifest
from padan_linkage.direct.oprf import derive_key, epoch_keys
from padan_linkage.direct.table import ROW_BYTES

PEOPLE = people(90, seed=8)
REGISTRY = registry_table(PEOPLE[:60])
LIST = PEOPLE[40:70]
PLANTED = re.compile("|".join(value for person in PEOPLE for value in person.values()))
STREAMS = {"DirectService.DownloadLabelTable", "DirectService.EvaluateElementStream"}


class Liar(TamperingLink):
    """Changes what the provider says; ``tamper(method, message)`` edits or returns others."""

    def __init__(self, home, tamper) -> None:
        def changed(method, message):
            result = tamper(method, message)
            message = message if result is None else result
            stream = method in STREAMS and not isinstance(message, list)
            return [message] if stream else message

        super().__init__(home, changed)


def only(method, change):
    def tamper(called, message):
        return change(message) if called.endswith(method) else None

    return tamper


@pytest.fixture
def pair(make_direct):
    made = make_direct()
    made.publish(REGISTRY)
    return made


def caught(pair, tamper, kinds=VerificationError):
    delivered = []
    with pytest.raises(kinds) as error:
        pair.confirm(LIST, link=Liar(pair.requester, tamper), deliver=delivered.append)
    assert delivered == []
    for text in (str(error.value), repr(error.value)):
        assert not PLANTED.search(text)
    return error.value


def test_untouched_messages_give_the_codes(pair):
    result = pair.confirm(LIST, link=Liar(pair.requester, lambda method, message: None))
    assert result.counts["TIDAK_DITEMUKAN"] == 10


# The agreement and the tables.


def resigned(pair, message, **changes):
    """A manifest changed and signed by the provider itself, with hashes that fit."""
    for table in message.label_tables:
        manifest = parse_manifest(table.manifest).model_copy(update=changes)
        manifest = Manifest.model_validate(manifest.model_dump())
        table.manifest = manifest.document()
        table.signature = sign_manifest(manifest, PartyKeys.of("bkn").sign)
    return message


def test_another_agreement_is_refused(pair):
    def change(message):
        message.document += b"\n"

    caught(pair, only("GetAgreement", change))
    error = caught(
        pair,
        only("GetAgreement", lambda m: setattr(m, "state", agreement_pb.Agreement.STATE_EXPIRED)),
        RefusedError,
    )
    assert error.reason == "AGREEMENT_EXPIRED"


FOREIGN = [
    {"agreement_digest": "0" * 64},
    {"agreement": "kemnaker-bpjskes-2020"},
    {"flow": "jf-binaan"},
    {"direct_schema_digest": "0" * 64},
    {"root": "0" * 64},
    {"rows": 8192},
]


def test_a_manifest_of_something_else_is_refused(pair):
    for changes in FOREIGN:
        caught(pair, only("ListLabelTables", partial(resigned, pair, **changes)))


def test_a_manifest_that_the_provider_did_not_sign_is_refused(pair):
    def change(message):
        for table in message.label_tables:
            manifest = parse_manifest(table.manifest)
            table.signature = sign_manifest(manifest, PartyKeys.of("kemnaker").sign)

    caught(pair, only("ListLabelTables", change))


def test_another_normaliser_is_a_mismatch_and_not_a_list_of_nobody(pair):
    change = {"normaliser_version": "id-0"}
    error = caught(
        pair, only("ListLabelTables", lambda m: resigned(pair, m, **change)), MismatchError
    )
    assert error.reason == "NORMALISER_MISMATCH"


def test_an_expired_table_is_refused(pair):
    past = {
        "created": format_moment(NOW - timedelta(days=9)),
        "expires": format_moment(NOW - timedelta(days=2)),
    }
    caught(pair, only("ListLabelTables", lambda m: resigned(pair, m, **past)))


def test_an_older_table_than_shown_before_is_refused(pair):
    pair.confirm(LIST[:5])
    old = {"created": format_moment(datetime.now(UTC) - timedelta(days=1))}
    caught(pair, only("ListLabelTables", lambda m: resigned(pair, m, **old)))


def test_another_key_for_the_same_epoch_is_refused(pair):
    pair.confirm(LIST[:5])
    keys = {**parse_manifest((pair.tables[0] / "manifest.json").read_bytes()).public_keys}
    keys[min(keys)] = G
    caught(pair, only("ListLabelTables", lambda m: resigned(pair, m, public_keys=keys)))
    with pytest.raises(VerificationError, match="contradictions"):
        pair.confirm(
            LIST[:5],
            link=Liar(
                pair.requester,
                only("ListLabelTables", lambda m: resigned(pair, m, public_keys=keys)),
            ),
        )


def test_tables_of_an_earlier_version_are_told_as_that_and_asked_nothing(pair):
    def change(message):
        for table in message.label_tables:
            signer = PartyKeys.of("bkn").sign
            table.manifest, table.signature = former_manifest(table.manifest, signer)

    charged = pair.charged()
    error = caught(pair, only("ListLabelTables", change))
    assert "versi terdahulu" in str(error)
    assert pair.charged() == charged


def test_what_an_earlier_version_kept_is_in_nobody_s_way(pair):
    """A home whose tables had one key for all, and a job that began with them."""
    with pytest.raises(Killed):
        pair.confirm(LIST, link=DyingLink(pair.requester, 4))
    folders = [p.parent for p in (pair.requester.folder / "direct").rglob("manifest.sig")]
    for folder in folders:
        signer, path = PartyKeys.of("bkn").sign, folder / "manifest.json"
        document, signature = former_manifest(path.read_bytes(), signer)
        path.write_bytes(document)
        (folder / "manifest.sig").write_bytes(signature)
        seen = folder.parent / "seen.json"
        seen.write_text(json.dumps(json.loads(seen.read_text()) | {"public_keys": {"1": G}}))
    assert folders
    pair.publish(REGISTRY)
    assert pair.confirm(LIST).counts["TIDAK_DITEMUKAN"] == 10


def test_a_delta_held_back_is_noticed(pair):
    base = pair.tables[0].name
    for n in range(2):
        row = {**REGISTRY.to_pylist()[n], "status": "PENSIUN"}
        pair.publish(type(REGISTRY).from_pylist([row]), delta_of=base)
    pair.confirm(LIST[:5])
    caught(pair, only("ListLabelTables", lambda m: m.label_tables.pop() and None))
    caught(pair, only("ListLabelTables", lambda m: m.label_tables.pop(1) and None))


def test_a_list_of_tables_without_end_is_cut(pair, monkeypatch):
    monkeypatch.setattr(session, "_MAX_TABLES", 5)

    def change(message):
        message.next_page_token = "x"
        return message

    kinds = (VerificationError, RefusedError)
    caught(pair, only("ListLabelTables", change), kinds)


def test_nothing_published_is_said_so(make_direct):
    error = caught(make_direct(), lambda method, message: None, RefusedError)
    assert error.reason == "TABLE_NOT_FOUND"
    assert "padan publish" in str(error)


def flipped(message):
    message.rows = bytes([message.rows[0] ^ 1]) + message.rows[1:]


def renumbered(message):
    message.chunk += 1


def cut(message):
    message.rows = message.rows[:-ROW_BYTES]


DOWNLOADS = [flipped, renumbered, cut, lambda m: [m, m], lambda m: []]


def test_a_table_spoilt_on_its_way_is_refused_and_fetched_again(pair):
    for change in DOWNLOADS:
        caught(pair, only("DownloadLabelTable", change))
        assert not list((pair.requester.folder / "direct").rglob("rows.bin"))
        shutil.rmtree(pair.requester.folder / "direct")
    assert pair.confirm(LIST).counts["TIDAK_DITEMUKAN"] == 10


def test_a_false_label_under_a_right_signature_gives_no_code(pair):
    """The provider itself signs a table whose labels do not open: nobody's code, nobody's «not
    found» either, and as many questions as ever (``test_direct_sorter``)."""
    spoilt = {}

    def listing(message):
        folder = pair.tables[0]
        rows = np.fromfile(folder / "rows.bin", np.uint8).reshape(-1, 40)
        rows[:, 20] ^= 1
        pieces = [rows[i : i + 4096].tobytes() for i in range(0, len(rows), 4096)]
        leaves = [leaf_hash(piece) for piece in pieces]
        spoilt.update(enumerate(pieces))
        for table in message.label_tables:
            table.chunk_hashes = b"".join(leaves)
        return resigned(pair, message, root=Tree(leaves).root.hex())

    def tamper(method, message):
        if method.endswith("ListLabelTables"):
            return listing(message)
        if method.endswith("DownloadLabelTable"):
            message.rows = spoilt[message.chunk]
        return None

    result = pair.confirm(LIST, link=Liar(pair.requester, tamper))
    assert result.reasons == {"label_rusak": 20}
    assert result.table["hasil"].to_pylist()[:20] == ["belum_dapat_dipastikan"] * 20
    assert not any(result.table["kode"].to_pylist()[:20])
    assert result.counts["TIDAK_DITEMUKAN"] == 10


# The evaluation.


def as_list(change):
    """Changes the answers of either way of evaluating."""

    def tamper(method, message):
        if method.endswith(("EvaluateElementStream", "EvaluateElements")):
            return change(message)
        return None

    return tamper


def under(pair, *keys):
    """An evaluation that is right, each chunk's under one of these keys in turn."""
    sent = {}

    class Keeps(Liar):
        def _perform(self, effect):
            if isinstance(effect, Exchange):
                requests = list(effect.requests())
                sent.update((request.chunk, request.elements) for request in requests)
                effect = replace(effect, requests=lambda: iter(requests))
            return super()._perform(effect)

    def change(message):
        key = keys[message.chunk % len(keys)]
        message.evaluated, message.proof = key.evaluate_blinded(sent[message.chunk], bytes(32))

    return Keeps(pair.requester, as_list(change))


def test_a_key_for_this_requester_alone_is_noticed(pair):
    with pytest.raises(VerificationError, match="proof"):
        pair.confirm(LIST, link=under(pair, derive_key(bytes(32), b"this requester's")))


def test_the_key_of_another_direct_key_is_noticed(pair):
    """The provider's own, which the manifest names: a chunk has to be under its key's."""
    place = pair.provider.place(*pair.names)
    keys = epoch_keys(
        pair.provider.seeds().seed(place, 1),
        agreement_digest=place.digest,
        flow_id=pair.flow,
        epoch=1,
        key_ids=[key.id for key in place.flow.direct.keys],
    )
    mine = list(keys.values())
    assert pair.confirm(LIST, link=under(pair, *mine)).counts["TIDAK_DITEMUKAN"] == 10
    with pytest.raises(VerificationError, match="proof"):
        pair.confirm(LIST, link=under(pair, *mine[1:], mine[0]))


def swapped(message):
    one, two, rest = message.evaluated[:32], message.evaluated[32:64], message.evaluated[64:]
    message.evaluated = two + one + rest


EVALUATIONS = [
    swapped,
    lambda m: setattr(m, "proof", bytes(64)),
    lambda m: setattr(m, "proof", b"\xff" * 64),
    lambda m: setattr(m, "proof", m.proof[:-1]),
    lambda m: setattr(m, "evaluated", m.evaluated[:-32]),
    lambda m: setattr(m, "evaluated", bytes(32) + m.evaluated[32:]),
    lambda m: setattr(m, "evaluated", b"\xff" * 32 + m.evaluated[32:]),
    lambda m: setattr(m, "chunk", 1),
]


def test_a_false_evaluation_gives_no_code(pair):
    for change in EVALUATIONS:
        caught(pair, as_list(change))
    assert pair.confirm(LIST).counts["TIDAK_DITEMUKAN"] == 10


def test_a_false_evaluation_in_a_stream_gives_no_code(pair):
    long = people(1500, seed=77)
    for change in (lambda m: [m, m], lambda m: [], swapped, lambda m: setattr(m, "chunk", 0)):
        with pytest.raises((VerificationError, UnavailableError)):
            pair.confirm(long, link=Liar(pair.requester, only("EvaluateElementStream", change)))


def test_another_commitment_than_ours_is_noticed(pair):
    def change(message):
        message.element_count += 1

    caught(pair, only("CreateBlindedList", change))
    caught(pair, only("CreateBlindedList", lambda m: setattr(m, "name", "x")))
    caught(pair, only("CreateBlindedList", lambda m: setattr(m, "root", bytes(32))))


def test_real_time_believes_no_more(pair):
    link = Liar(pair.requester, as_list(swapped))
    with (
        RequesterClient(pair.requester, *pair.names, link=link) as client,
        pytest.raises(VerificationError),
    ):
        client.confirm_few(LIST[:4], mode="direct")


def test_a_provider_that_refuses_is_told_as_such(pair):
    pair.server.stop()
    link = Liar(pair.requester, lambda method, message: None)
    with pytest.raises(UnavailableError, match="penyedia"):
        pair.confirm(LIST, link=link)


G = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"
