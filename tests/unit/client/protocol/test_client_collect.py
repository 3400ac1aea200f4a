"""Answers of a unit that errs or lies: taken whole and right, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from padan.v1 import resources_pb2 as resources
from padan.v1 import run_service_pb2 as pb
from padan_client.base.errors import VerificationError
from padan_client.protocol.unit.collect import PassCollector, SealKey
from padan_linkage.schema import Pass, Segment

PASS = Pass(
    id="lahir", exact=("tanggal_lahir",), similar=(Segment(fields=("nama",)),), confirm=("nik",)
)
SEAL = resources.Seal(seal_id=b"a" * 16, encapsulated_key=b"e" * 32)
OUTCOMES = bytes([1, 2, 3, 2, 1, 2])


def rows(**changes):
    values = {
        "pass_id": "lahir",
        "row_offset": 0,
        "row_count": 6,
        "outcomes": OUTCOMES,
        "sealed_codes": b"".join(bytes([i]) * 44 for i in range(3)),
        "confirmations": bytes([1, 0, 1]),
    }
    return resources.MatchedRows(**{**values, **changes})


def message(seal=SEAL, **changes):
    return pb.StreamResultsResponse(seal=seal, rows=rows(**changes))


def test_a_whole_answer():
    collector = PassCollector(PASS, 6)
    collector.take(message())
    assert collector.complete
    answers = collector.answers()
    assert answers.matched_rows.tolist() == [1, 3, 5]
    assert answers.outcome.tobytes() == OUTCOMES
    assert answers.sealed[:, 0].tolist() == [0, 1, 2]
    assert answers.confirmations.tolist() == [[1], [0], [1]]
    assert collector.seal == SealKey(b"a" * 16, b"e" * 32)


def pieces():
    first = {"row_count": 3, "outcomes": OUTCOMES[:3]}
    first |= {"sealed_codes": bytes(44), "confirmations": b"\x01"}
    last = {"row_offset": 3, "row_count": 3, "outcomes": OUTCOMES[3:]}
    last |= {"sealed_codes": bytes(88), "confirmations": b"\x00\x01"}
    return first, last


def test_pieces_join_and_a_broken_stream_goes_on():
    first, last = pieces()
    collector = PassCollector(PASS, 6)
    collector.take(pb.StreamResultsResponse(seal=SEAL))
    collector.take(message(seal=None, **first))
    with pytest.raises(VerificationError):
        collector.answers()
    collector.begin_stream()
    assert collector.next_row == 3
    collector.take(message(**last))
    assert collector.answers().matched_rows.tolist() == [1, 3, 5]


LIES = {
    "another pass": {"pass_id": "nik"},
    "rows skipped": {"row_offset": 1},
    "rows again": {"row_offset": -1},
    "too many rows": {"row_count": 7, "outcomes": OUTCOMES + b"\x01"},
    "negative count": {"row_count": -1},
    "short outcomes": {"outcomes": OUTCOMES[:-1]},
    "long outcomes": {"outcomes": OUTCOMES + b"\x01"},
    "unknown outcome": {"outcomes": b"\x05" + OUTCOMES[1:]},
    "unset outcome": {"outcomes": b"\x00" + OUTCOMES[1:]},
    "codes missing": {"sealed_codes": bytes(44 * 2)},
    "codes cut": {"sealed_codes": bytes(44 * 3 - 1)},
    "codes for the unmatched": {"sealed_codes": bytes(44 * 6)},
    "confirmations missing": {"confirmations": b"\x01"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_in_the_rows_is_refused_and_leaves_nothing_behind(lie):
    collector = PassCollector(PASS, 6)
    with pytest.raises(VerificationError, match="lahir"):
        collector.take(message(**LIES[lie]))
    assert collector.next_row == 0
    collector.begin_stream()
    collector.take(message())
    assert collector.answers().matched_rows.tolist() == [1, 3, 5]


@pytest.mark.parametrize(
    "seal",
    [
        resources.Seal(seal_id=b"a" * 15, encapsulated_key=b"e" * 32),
        resources.Seal(seal_id=b"a" * 16, encapsulated_key=b"e" * 31),
        None,
    ],
)
def test_a_seal_must_be_there_and_whole(seal):
    with pytest.raises(VerificationError):
        PassCollector(PASS, 6).take(message(seal=seal))


def test_the_seal_may_not_change_in_the_middle():
    first, last = pieces()
    collector = PassCollector(PASS, 6)
    collector.take(message(**first))
    changed = resources.Seal(seal_id=b"z" * 16, encapsulated_key=b"e" * 32)
    with pytest.raises(VerificationError):
        collector.take(message(seal=changed, **last))


def test_a_stream_of_nothing_does_not_go_on_for_ever():
    collector = PassCollector(PASS, 6)
    collector.take(pb.StreamResultsResponse(seal=SEAL))
    for empty in (pb.StreamResultsResponse(), pb.StreamResultsResponse(seal=SEAL)):
        with pytest.raises(VerificationError):
            collector.take(empty)


def test_a_complete_answer_takes_no_more():
    collector = PassCollector(PASS, 6)
    collector.take(message())
    with pytest.raises(VerificationError):
        collector.take(message(row_offset=6, row_count=1, outcomes=b"\x01"))


@settings(max_examples=150)
@given(data=st.data())
def test_any_change_of_a_message_is_refused_or_harmless(data):
    changed = message()
    field = data.draw(st.sampled_from([f.name for f in resources.MatchedRows.DESCRIPTOR.fields]))
    value = getattr(changed.rows, field)
    if isinstance(value, bytes):
        setattr(changed.rows, field, data.draw(st.binary(max_size=200)))
    elif isinstance(value, int):
        setattr(changed.rows, field, data.draw(st.integers(-(2**31), 2**31 - 1)))
    else:
        setattr(changed.rows, field, data.draw(st.text(max_size=5)))
    collector = PassCollector(PASS, 6)
    try:
        collector.take(changed)
    except VerificationError:
        return
    if not collector.complete:
        return
    answers = collector.answers()
    assert set(answers.outcome.tolist()) <= {1, 2, 3}
    assert len(answers.matched_rows) == len(answers.sealed) == len(answers.confirmations)
