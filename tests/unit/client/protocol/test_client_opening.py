"""Codes that are opened, and codes that are not for the row they came with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from agency import make_session, small_passes
from signing import write_signed

from padan_client.base.errors import VerificationError
from padan_client.protocol.unit.collect import SealKey
from padan_client.protocol.unit.merging import merge_passes, open_pass
from padan_client.records.lists import prepare_list
from padan_lab.bench.rates.unmeasured import open_edition
from padan_linkage.answering.answers import PassAnswers
from padan_linkage.answering.outcomes import MATCHED as MATCH
from padan_linkage.answering.outcomes import NOT_MATCHED, UNDECIDED
from padan_linkage.answering.payloads import Payloads
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.crypto.sealing import Sealer

ROWS = 40
#: Wrong answers a row that the edition tolerates: of forty rows no more than four.
RATE = 5e-4
MATCHED = np.arange(0, ROWS, 2)
PEOPLE = [
    {
        "nik": "",
        "nama": "ORANG",
        "tempat_lahir": "",
        "tanggal_lahir": f"1980-{i % 12 + 1:02d}-{i // 12 + 1:02d}",
    }
    for i in range(36)
]


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    return write_signed(tmp_path_factory.mktemp("signed"), edit=small_passes)


class FortyRows:
    """Forty rows, every second matched; code of row i is i % 3."""

    def __init__(self, signed, pass_id):
        self.requester = make_session(signed, "asn-status", provider=False)
        provider = make_session(signed, "asn-status", provider=True)
        rng = np.random.default_rng(5)
        self.pass_id = pass_id
        self.tokens = rng.integers(0, 256, (ROWS, 16), dtype=np.uint8)
        self.codes = np.uint64(1) << (MATCHED % 3).astype(np.uint64)
        self.sealer = Sealer(
            provider.identity.exchange_private(),
            provider.peer_exchange_key,
            agreement_digest=signed.digest,
            flow_id="asn-status",
            epoch=1,
            seal_id=b"s" * 16,
        )
        self.key = SealKey(b"s" * 16, self.sealer.encapsulated_key)
        self.sealed = self.seal(Payloads.of(self.codes))
        self.record_of_row = np.where(np.arange(ROWS) < 36, np.arange(ROWS)[::-1] - 4, -1)

    def seal(self, answers):
        tokens, drbg = self.tokens[MATCHED], Drbg(b"n" * 32)
        return self.sealer.seal(self.pass_id, tokens, answers.pack(), drbg)

    def answers(self, sealed=None, pass_id=None):
        outcome = np.ones(ROWS, np.uint8)
        outcome[MATCHED] = 2
        return PassAnswers(
            pass_id=pass_id or self.pass_id,
            outcome=outcome,
            sealed=self.sealed if sealed is None else sealed,
            confirmations=np.zeros((len(MATCHED), 1 if self.pass_id == "lahir" else 0), np.uint8),
        )

    def open(self, sealed=None, key=None, tokens=None, pass_id=None):
        return open_pass(
            self.requester,
            self.answers(sealed, pass_id),
            key or self.key,
            self.record_of_row,
            self.tokens if tokens is None else tokens,
            {},
            RATE,
        )


@pytest.fixture(params=["nik", "lahir"])
def scene(signed, request):
    return FortyRows(signed, request.param)


@pytest.fixture
def exact(signed):
    return FortyRows(signed, "nik")


@pytest.fixture
def filtered(signed):
    return FortyRows(signed, "lahir")


def test_codes_open_and_come_to_their_records(scene):
    opened = scene.open()
    assert len(opened.record) == 36
    for record, outcome, code in zip(
        opened.record, opened.outcome, opened.payload.codes, strict=True
    ):
        row = int(np.flatnonzero(scene.record_of_row == record)[0])
        assert outcome == (2 if row % 2 == 0 else 1)
        assert code == (1 << row % 3 if row % 2 == 0 else 0)
    assert not opened.failed.any()


def swap(sealed, a=0, b=1):
    changed = sealed.copy()
    changed[[a, b]] = changed[[b, a]]
    return changed


def flip(sealed, row=0, byte=20):
    changed = sealed.copy()
    changed[row, byte] ^= 1
    return changed


@pytest.mark.parametrize("change", [swap, flip])
def test_in_an_exact_pass_one_false_code_refuses_the_answer(exact, change):
    with pytest.raises(VerificationError, match="nik"):
        exact.open(change(exact.sealed))


def test_in_a_filter_pass_a_few_false_codes_are_not_believed(filtered):
    opened = filtered.open(swap(filtered.sealed))
    doubtful = opened.record[opened.failed]
    assert sorted(doubtful.tolist()) == sorted(filtered.record_of_row[[0, 2]].tolist())
    assert not opened.payload.codes[opened.failed].any()


def test_in_a_filter_pass_many_false_codes_refuse_the_answer(filtered):
    with pytest.raises(VerificationError, match="lahir"):
        filtered.open(np.roll(filtered.sealed, 1, axis=0))


def open_edition_of(session):
    """An edition under which every pass may answer alone."""
    place = session.place
    return open_edition(session.schema, place.digest, place.flow.id, place.flow.match, {})


def test_an_answer_that_does_not_open_is_none(filtered):
    session = filtered.requester
    requested = prepare_list(
        session.schema,
        PEOPLE,
        columns=None,
        id_column=None,
    )
    opened = filtered.open(swap(filtered.sealed))
    answered, _ = merge_passes(
        session.place.flow, session.schema, requested, [opened], open_edition_of(session), None
    )
    assert opened.failed.sum() == 2
    assert (answered.outcome[opened.record[opened.failed]] == NOT_MATCHED).all()
    assert not answered.code[opened.record[opened.failed]].any()


@pytest.mark.parametrize(
    "seal",
    [
        SealKey(b"t" * 16, b""),
        SealKey(b"s" * 16, bytes(32)),
        SealKey(b"s" * 16, b"\x09" + bytes(31)),
    ],
)
def test_a_false_seal_refuses_the_answer(scene, seal):
    key = seal.encapsulated_key or scene.sealer.encapsulated_key
    with pytest.raises(VerificationError):
        scene.open(key=SealKey(seal.seal_id, key))


def test_codes_of_another_pass_do_not_open(scene):
    other = "lahir" if scene.pass_id == "nik" else "nik"
    with pytest.raises(VerificationError):
        scene.open(pass_id=other)


def test_a_code_that_the_flow_does_not_have_is_refused(exact):
    beyond = np.uint64(1) << np.full(len(MATCHED), 3, np.uint64)
    with pytest.raises(VerificationError, match="codes"):
        exact.open(exact.seal(Payloads.of(beyond)))


def test_a_payload_of_an_unknown_form_is_refused(exact):
    answers = Payloads.of(exact.codes)
    payloads = answers.pack().copy()
    payloads[3, 0] = 9
    sealed = exact.sealer.seal("nik", exact.tokens[MATCHED], payloads, Drbg(b"n" * 32))
    with pytest.raises(VerificationError, match="codes"):
        exact.open(sealed)


def test_the_providers_decoys_are_nobody(exact):
    decoy = np.zeros(len(MATCHED), np.bool_)
    decoy[:5] = True
    opened = exact.open(exact.seal(Payloads.of(exact.codes, decoy=decoy)))
    nobody = exact.record_of_row[MATCHED[:5]]
    believed = opened.record[opened.matched]
    assert not set(nobody.tolist()) & set(believed.tolist())
    assert len(believed) == 18 - 5


def test_a_unit_that_answers_two_records_with_one_row_is_seen_where_rows_answer_once(filtered):
    """Both records have the row's token, so its code opens for both; one of them must be wrong."""
    filtered.tokens[2] = filtered.tokens[0]
    sealed = filtered.seal(Payloads.of(filtered.codes))
    sealed[1] = sealed[0]
    place = filtered.requester.place
    once = replace(place.flow, match=MatchPolicy(one_to_one=True))
    requested = prepare_list(
        filtered.requester.schema,
        PEOPLE,
        columns=None,
        id_column=None,
    )
    both = sorted(filtered.record_of_row[[0, 2]].tolist())
    outcomes = {}
    for flow in (place.flow, once):
        filtered.requester = replace(filtered.requester, place=replace(place, flow=flow))
        opened = filtered.open(sealed)
        edition = open_edition_of(filtered.requester)
        answered, _ = merge_passes(
            flow, filtered.requester.schema, requested, [opened], edition, None
        )
        assert not opened.failed.any()
        outcomes[flow.match.one_to_one] = sorted(answered.outcome[both].tolist())
    assert outcomes == {False: [MATCH, MATCH], True: [MATCH, UNDECIDED]}
