"""An edition is measured on the registry itself, and answers strangers as seldom as agreed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from padan_linkage.answering.answers import OpenedAnswers
from padan_linkage.answering.outcomes import (
    FIELDS_MISSING,
    MATCHED,
    NOT_MATCHED,
    UNDECIDED,
)
from padan_linkage.answering.payloads import Payloads
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.cover import with_cover
from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.edition.applying import kind_of, rule_of
from padan_linkage.edition.document import ANY, Edition, GivenFields
from padan_linkage.edition.expecting import expected
from padan_linkage.edition.measuring import EditionMaker
from padan_linkage.edition.words import keyed, read
from padan_linkage.encoding import EncodedPass, PassEncoder
from padan_linkage.matching import match_pass
from padan_linkage.merging.merge import merge
from padan_linkage.schema import Pass, Schema

POLICY = MatchPolicy(max_false_match_rate=2e-3)
SCHEMA = Schema.model_validate(
    {
        "fields": [
            {"name": "nik", "kind": "bpjstk_number"},
            {"name": "nama", "kind": "person_name"},
            {"name": "lahir", "kind": "date"},
            {"name": "hobi", "kind": "text"},
        ],
        "passes": [
            {"id": "nik", "exact": ["nik"]},
            {"id": "lahir-nama", "exact": ["lahir", "nama:sorted"]},
            {
                "id": "lahir",
                "exact": ["lahir"],
                "similar": [{"fields": ["nama", "nik"], "bits": 512, "weight": 200}],
                "bucket_bits": 6,
            },
        ],
    }
)
KEY = LinkageKey(b"k" * 32, SCHEMA.digest(), "alur", 1)


def people(number: int, seed: int, common: float = 0.3) -> dict[str, pa.StringArray]:
    """People of 600 birth dates, a share of whom are all called Siti; nobody has a hobby."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))

    def word():
        return "".join(rng.choice(letters, 7))

    names = ["siti" if rng.random() < common else f"{word()} {word()}" for _ in range(number)]
    days = [f"19{50 + d // 12}-{1 + d % 12:02}-01" for d in rng.integers(0, 600, number).tolist()]
    codes = [f"{n:09}" for n in rng.choice(10**9, number, replace=False).tolist()]
    return {
        "nik": pa.array(codes),
        "nama": pa.array(names),
        "lahir": pa.array(days),
        "hobi": pa.array([""] * number),
    }


class MeasuredRegistry:
    """A registry with its edition, and what a list is answered by it."""

    def __init__(self, records, *, policy=POLICY, seed=b"s"):
        self.records, self.policy = records, policy
        number = len(records["nik"])
        self.codes = np.left_shift(np.uint64(1), np.arange(number, dtype=np.uint64) % 3)
        self.tables = {p.id: self._encoded(p, records, 1.25) for p in SCHEMA.passes}
        maker = EditionMaker.of(SCHEMA, policy, records, self.codes, Drbg(seed * 32))
        for p in SCHEMA.passes:
            theirs, asked = self.tables[p.id], self._encoded(p, maker.asked.records, 1.0)
            maker.take(p, theirs.table, theirs.record_of_row, asked.table, asked.record_of_row)
        self.edition, self.calibrations = maker.made("ab" * 32, "alur")

    def _encoded(self, p, records, room) -> EncodedPass:
        count = len(records["nik"])
        drbg = Drbg(p.id.encode().ljust(32, b"-"))
        given = {f.name: records[f.name] for f in SCHEMA.fields if f.name in records}
        return PassEncoder(SCHEMA, p, KEY).encode(
            with_cover(SCHEMA, given, int(count * room), drbg), people=count, drbg=drbg
        )

    def answers(self, listed):
        count = len(listed["nik"])
        opened = []
        for p in SCHEMA.passes:
            theirs, mine = self.tables[p.id], self._encoded(p, listed, 1.25)
            result = match_pass(
                SCHEMA, p, theirs.table, mine.table, self.policy, self.calibrations.get(p.id)
            )
            rows = np.flatnonzero(result.outcome == MATCHED)
            record = theirs.record_of_row[result.row[rows]]
            genuine = (theirs.tokens[result.row[rows]] == mine.tokens[rows]).all(axis=1)
            answers = _Answers(p.id, result.outcome)
            said = Payloads.of(self.codes[np.maximum(record, 0)], decoy=record < 0)
            opened.append(OpenedAnswers.of(answers, mine.record_of_row, said, ~genuine, record))
        ids = [p.id for p in SCHEMA.passes]
        rule = rule_of(self.edition, SCHEMA, self.policy, listed, ids)
        return merge(count, opened, rule), rule


class _Answers:
    """Of a pass, as its owner has them before opening."""

    def __init__(self, pass_id, outcome):
        self.pass_id, self.outcome = pass_id, outcome
        self.confirmations = np.zeros((int((outcome == MATCHED).sum()), 0), np.uint8)

    def __len__(self):
        return len(self.outcome)

    @property
    def matched_rows(self):
        return np.flatnonzero(self.outcome == MATCHED)


@pytest.fixture(scope="module")
def registry():
    return MeasuredRegistry(people(3000, 1))


def kinds(edition: Edition, *fields: str):
    return {g.telling: g for g in edition.given if g.fields == fields}


def take(records, rows):
    index = pa.array(rows)
    return {name: column.take(index) for name, column in records.items()}


def only(records, *fields):
    blank = pa.array([""] * len(records["nik"]))
    return {name: column if name in fields else blank for name, column in records.items()}


def test_a_common_name_and_a_birth_date_prove_nothing_and_a_rare_one_does(registry):
    given = kinds(registry.edition, "nama", "lahir")
    assert registry.edition.common[0] == ("siti",)
    assert given[1].answered < 0.5
    assert given[16].answered > 0.99
    assert given[1].noticed == given[16].noticed == 1.0


def test_what_answers_is_told_for_each_combination_of_fields(registry):
    assert kinds(registry.edition, "nik")[ANY].answering == ("nik",)
    assert kinds(registry.edition, "nik")[ANY].answered == 1.0
    assert kinds(registry.edition, "nama")[ANY].usable == ()
    assert not kinds(registry.edition, "hobi")


def test_strangers_are_answered_as_seldom_as_agreed_in_every_combination(registry):
    strangers = people(4000, 2)
    for fields in (("nik", "nama", "lahir"), ("nama", "lahir"), ("nik", "lahir"), ("nik",)):
        answers, _ = registry.answers(only(strangers, *fields))
        wrong = int((answers.outcome == MATCHED).sum())
        assert wrong <= 2 * POLICY.max_false_match_rate * 4000, fields


def test_registered_people_are_found_and_rows_that_nothing_looks_for_are_undecided(registry):
    some = take(registry.records, np.arange(0, 3000, 5))
    answers, _ = registry.answers(some)
    assert (answers.outcome == MATCHED).all()
    assert (answers.code == registry.codes[::5]).all()
    answers, _ = registry.answers(only(some, "nama"))
    assert (answers.outcome == UNDECIDED).all()
    assert (answers.reason == FIELDS_MISSING).all()


def test_a_field_that_no_registered_person_has_changes_nothing(registry):
    strangers = people(300, 3)
    more = strangers | {"hobi": pa.array(["memancing"] * 300)}
    first, second = (registry.answers(x)[0] for x in (strangers, more))
    assert (first.outcome == second.outcome).all()
    assert (first.outcome == NOT_MATCHED).mean() > 0.9


def test_a_row_that_its_only_pass_is_not_for_is_not_taken_for_one_without_the_field():
    alone = Pass(id="saja", exact=("nik",), without=("nama",))
    schema = Schema(fields=SCHEMA.fields, passes=(alone,))
    lone = GivenFields(
        fields=("nik",), telling=ANY, asked=900, answered=1.0, noticed=1.0, wrong=0.0,
        answering=("saja",), usable=("saja",),
    )  # fmt: skip
    filled = np.array([[True, False], [True, True], [False, True]])
    assert kind_of([lone], schema, filled, np.zeros(3, np.int64)).tolist() == [0, -1, -1]


def test_a_row_is_answered_alike_in_any_list(registry):
    mixed = {
        name: pa.concat_arrays([column.slice(0, 400), people(400, 4)[name]])
        for name, column in registry.records.items()
    }
    whole, _ = registry.answers(mixed)
    order = np.random.default_rng(5).permutation(800)
    shuffled, _ = registry.answers(take(mixed, order))
    assert (shuffled.outcome == whole.outcome[order]).all()
    for rows in ([3], [500], np.arange(395, 405), np.arange(0, 800, 9)):
        part, _ = registry.answers(take(mixed, rows))
        for name in ("outcome", "reason", "code"):
            assert (getattr(part, name) == getattr(whole, name)[rows]).all()


def test_the_same_registry_and_seed_give_the_same_edition(registry):
    again = MeasuredRegistry(registry.records)
    assert again.edition.document() == registry.edition.document()
    assert again.calibrations == registry.calibrations


def doubled(records, copies, **changed):
    """The registry with some of its people again, under other values of some fields."""
    return {
        name: pa.concat_arrays([column, pa.array(changed.get(name, column.to_pylist())[:copies])])
        for name, column in records.items()
    }


def test_copies_that_were_not_merged_silence_no_pass():
    """A row without a number, and one of whose digits two are exchanged, may be the same person."""
    records = people(2000, 6, common=0.0)
    slips = [v[:3] + v[4] + v[3] + v[5:] for v in records["nik"].to_pylist()]
    clean = MeasuredRegistry(records)
    whole = ("nik", "nama", "lahir")
    for left in (doubled(records, 60, nik=[""] * 60), doubled(records, 60, nik=slips)):
        found = kinds(MeasuredRegistry(left).edition, *whole)[ANY]
        assert found.answered >= kinds(clean.edition, *whole)[ANY].answered - 0.07
        assert found.answering == kinds(clean.edition, *whole)[ANY].answering


def test_namesakes_and_twins_are_strangers_all_the_same():
    records = people(2000, 7, common=0.0)
    others = [f"{(int(v) + 345678901) % 10**9:09}" for v in records["nik"].to_pylist()]
    namesakes = MeasuredRegistry(doubled(records, 200, nik=others))
    assert kinds(namesakes.edition, "nama", "lahir")[ANY].answered < 0.5


def test_a_list_is_told_how_right_its_answers_are(registry):
    mixed = {
        name: pa.concat_arrays([column.slice(0, 50), people(2000, 7)[name]])
        for name, column in registry.records.items()
    }
    answers, rule = registry.answers(mixed)
    told = expected(rule, answers)
    found = answers.outcome == MATCHED
    true = float(found[:50].sum() / found.sum())
    assert told.precision.low <= true <= told.precision.high
    assert told.precision.low < told.precision.value <= told.precision.high
    none, rule = registry.answers(take(people(20, 8), np.arange(20)))
    assert expected(rule, none).precision.value is None


def test_common_words_are_read_with_the_key_and_by_whoever_has_them(registry):
    edition = keyed(registry.edition, KEY, SCHEMA)
    assert b"siti" not in edition.document()
    strangers = people(50, 9)
    open_again = read(edition, KEY, SCHEMA, strangers)
    assert open_again.common[0] == ("siti",)
    ids = [p.id for p in SCHEMA.passes]
    rules = [
        rule_of(e, SCHEMA, POLICY, strangers, ids).kind for e in (registry.edition, open_again)
    ]
    assert (rules[0] == rules[1]).all()
    other = LinkageKey(b"l" * 32, SCHEMA.digest(), "alur", 1)
    assert not any(read(edition, other, SCHEMA, strangers).common)
