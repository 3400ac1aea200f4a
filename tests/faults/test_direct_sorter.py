"""The provider as a sorter: whatever its table says of one person, is that person on the list?

Two worlds of one size, with the target on the list and without: what the provider's server is sent,
message by message, must be the same. The old way, key after key for whoever is still open, is
played too and is found.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from agency import NOW, people
from crooked_tables import BROKEN, OUT, ServerView, publish

from padan_client import RequesterClient, VerificationError
from padan_client.base.effects import work
from padan_client.protocol.direct import confirming, real_time
from padan_client.protocol.direct.answering import key_counts, rounded_records
from padan_client.protocol.direct.evaluating import evaluate
from padan_linkage.answering.answers import RecordAnswers
from padan_linkage.direct.commitment import ListLayout
from padan_linkage.direct.inputs import list_inputs, requester_inputs
from padan_linkage.direct.labelling.deciding import Decided
from padan_linkage.direct.labelling.lookup import look_up
from padan_linkage.direct.oprf import derive_key
from padan_server.direct import lists

EVERYBODY = people(64, seed=29)
#: Registered: the target and others; of the rest nobody is.
REGISTERED, TARGET = EVERYBODY[:24], 0
#: The key that opens alone, and two weak ones that open together.
FIRST, SECOND, THIRD = "nik-nama", "nama-tempat", "nama-lahir"


def alone(key, person):
    """The target under the first key alone, everybody else under the two weak ones."""
    return 1 if (key == FIRST) == (person == TARGET) and key in {FIRST, SECOND, THIRD} else OUT


#: What tables say, by the name of the trick.
TRICKS = {
    "honest": lambda key, person: 1,
    "one person under a key alone": alone,
    "the target's labels left out": lambda key, person: OUT if person == TARGET else 1,
    "nobody but the target": lambda key, person: 1 if person == TARGET else OUT,
    "a wrong code for the target": lambda key, person: 2 if person == TARGET else 1,
    "one weak key of the target, which opens nothing": lambda key, person: (
        1 if person != TARGET or key == SECOND else OUT
    ),
    "two weak keys of the target": lambda key, person: (
        1 if person != TARGET or key in {SECOND, THIRD} else OUT
    ),
    "codes that contradict": lambda key, person: 2 if person == TARGET and key == SECOND else 1,
    "a code that the flow does not have": lambda key, person: 1 << 31 if person == TARGET else 1,
    "the target's labels broken": lambda key, person: BROKEN if person == TARGET else 1,
    "the target's first label broken": lambda key, person: (
        BROKEN if person == TARGET and key == FIRST else 1
    ),
    "every label broken": lambda key, person: BROKEN,
}


def worlds(size):
    """Lists of one size: with the target among others, registered and not, and without."""
    others = [*EVERYBODY[1 : 1 + size // 2], *EVERYBODY[24 : 24 + size - size // 2 - 1]]
    return [EVERYBODY[TARGET], *others], [EVERYBODY[60], *others]


@pytest.fixture
def pair(make_direct, monkeypatch):
    view = ServerView(monkeypatch)
    made = make_direct()
    made.view = view
    return made


def asked(pair, records, way):
    """What the provider's server saw while the records were asked; the client's own end."""
    pair.view.take()
    with suppress(VerificationError):
        if way == "list":
            pair.confirm(records)
        else:
            with RequesterClient(pair.requester, *pair.names) as client:
                client.confirm_few(records, mode="direct")
    return pair.view.take()


def same(pair, size, way):
    """Whether both worlds leave one transcript; the tables are here already."""
    with_target, without = worlds(size)
    asked(pair, without, way)
    seen = [asked(pair, records, way) for records in (with_target, without, with_target)]
    assert all(seen)
    return seen[0] == seen[1] == seen[2]


def test_no_table_tells_who_was_asked_about(pair):
    for number, (name, choose) in enumerate(TRICKS.items()):
        publish(pair, REGISTERED, choose, NOW + timedelta(hours=number), name=name)
        for size, way in ((20, "list"), (1, "few")):
            assert same(pair, size, way), f"{name}: {size} records, {way}"


def without(person, *fields):
    return person | dict.fromkeys(fields, "")


#: Lists of one size by what their rows hold; a key is for all, some or none of them.
HELD = {
    "every row has a key": lambda of: of,
    "no row has a number": lambda of: [without(p, "nik") for p in of],
    "every other number is broken": lambda of: [
        p | {"nik": "123"} if i % 2 else p for i, p in enumerate(of)
    ],
    "one row in three has a key": lambda of: [
        p if i % 3 == 0 else without(p, "nik") for i, p in enumerate(of)
    ],
    "a number alone": lambda of: [without(p, *{*p} - {"nik"}) for p in of],
    "nothing stands in any row": lambda of: [without(p, *p) for p in of],
    "one person over and over": lambda of: [of[0]] * len(of),
}


@pytest.mark.parametrize(("size", "way"), [(41, "list"), (300, "list"), (1, "few"), (7, "few")])
def test_no_list_tells_what_its_rows_hold(pair, size, way):
    """How many have a key, are quarantined, are alike: one size, one transcript, one charge."""
    publish(pair, REGISTERED, TRICKS["honest"], NOW, name="honest")
    rows = people(size, seed=3)
    asked(pair, rows, way)
    seen, charged = {}, {}
    for name, held in HELD.items():
        before = pair.charged()
        seen[name] = asked(pair, held(rows), way)
        charged[name] = pair.charged() - before
    assert any("EvaluateElement" in entry[1] for entry in seen["every row has a key"])
    assert [name for name in HELD if seen[name] != seen["every row has a key"]] == []
    assert set(charged.values()) == {rounded_records(size, terms(pair))}


def terms(pair):
    """What the agreement says of the flow's direct mode."""
    return pair.requester.place(*pair.names).flow.direct


def test_a_row_that_no_key_is_for_is_undecided_and_says_what_it_lacks(pair):
    publish(pair, REGISTERED, TRICKS["honest"], NOW, name="honest")
    found, stranger = EVERYBODY[3], EVERYBODY[60]
    rows = [
        found,
        without(found, "nik", "nama"),
        stranger,
        without(stranger, "nama") | {"nik": "12"},
        without(found, *found),
    ]
    result = pair.confirm(rows)
    said = result.table.to_pylist()
    undecided = ("belum_dapat_dipastikan", "ruas_kurang")
    assert [(row["hasil"], row["alasan"]) for row in said[1::2]] == [undecided] * 2
    assert [row["hasil"] for row in said[0::2]] == [
        "ditemukan",
        "belum_dapat_dipastikan",
        "karantina",
    ]
    assert said[4]["alasan"] == "empty_row"
    assert "nik" in said[1]["penjelasan"] != said[3]["penjelasan"]
    assert (result.usable, result.reasons["ruas_kurang"]) == (2, 3)


def test_a_number_damaged_behind_its_district_is_asked_about_by_the_district(pair):
    publish(pair, REGISTERED, TRICKS["honest"], NOW, name="honest")
    damaged = EVERYBODY[3] | {"nik": EVERYBODY[3]["nik"][:-1]}
    (row,) = pair.confirm([damaged]).table.to_pylist()
    met = "direct:nik-wilayah+nama-tempat+nama-lahir+nama-bulan"
    assert (row["hasil"], row["cara"]) == ("ditemukan", met)


def test_no_delta_tells_who_was_asked_about(pair):
    """A delta of the target alone; one that takes it away from a key; one that is broken."""
    for number, choose in enumerate((TRICKS["nobody but the target"], alone, lambda *_: BROKEN)):
        created = NOW + timedelta(hours=number)
        base = publish(pair, REGISTERED, TRICKS["honest"], created, name=f"base {number}")
        publish(pair, REGISTERED, choose, created, base=base, name=f"delta {number}")
        for size, way in ((20, "list"), (1, "few")):
            assert same(pair, size, way), (number, way)


def test_a_proof_that_fails_in_the_middle_ends_alike(pair, monkeypatch):
    """False evaluations of one chunk, or under another key: refused, whoever is on the list."""
    monkeypatch.setattr("padan_client.protocol.direct.evaluating.WINDOW", 1)
    place = pair.provider.place(*pair.names)
    publish(pair, REGISTERED, alone, NOW, name="base")
    other = derive_key(bytes(32), place.digest)
    finish, many = lists.BlindedLists.finish, people(560, seed=5)

    def bent(self, grant, pending):
        done = finish(self, grant, pending)
        if done.number != 1:
            return done
        evaluated, proof = other.evaluate_blinded(pending.chunk.elements, bytes(32))
        return lists.Evaluation(done.number, done.count, evaluated, proof, done.fresh)

    monkeypatch.setattr(lists.BlindedLists, "finish", bent)
    seen = []
    for first in (EVERYBODY[60], EVERYBODY[TARGET], EVERYBODY[61]):
        pair.view.take()
        with pytest.raises(VerificationError):
            pair.confirm([first, *many])
        seen.append(pair.view.take())
    assert seen[1] == seen[2], "the first play takes the table too"


#: Elements that a record of a staged list asks under each key: under one alone.
ASKED: list[int] = []


def staged(evaluation, requested):
    """The old way: a key after the other, for the records that no key before it settled."""
    session, answers = evaluation.session, RecordAnswers.none(len(requested))
    keys = session.schema.keys
    for number, key in enumerate(keys):
        still = np.flatnonzero(answers.answered_by < 0)
        if not still.size:
            break
        one = session.schema.model_copy(update={"keys": (key,)})
        records = requested.subset(still)
        if not len(requester_inputs(session.fields, key, records)):
            continue
        rows = rounded_records(len(still), session.schema)
        inputs = yield from work(
            lambda one=one, records=records, rows=rows: list_inputs(
                session.fields, one, records, rows
            )
        )
        widths = session.schema.widths(session.fields)
        ASKED[:] = [width if each is key else 0 for each, width in zip(keys, widths, strict=True)]
        outputs = yield from evaluate(
            replace(evaluation, session=replace(session, schema=one)), inputs
        )
        found = outputs.take(inputs.slots[0])
        met = look_up(session.tables, found, number, still[inputs.records[0]])
        answers.answered_by[met.record] = number
    decided = Decided(answers, tuple((n,) for n in range(len(session.schema.keys))))
    return decided, key_counts(session, decided, len(requested))


@pytest.mark.parametrize(("size", "way"), [(20, "list"), (1, "few")])
def test_the_old_way_is_found(pair, monkeypatch, size, way):
    """The positive control: the same view, the same tables, and the target shows."""
    # Small lists show it by their sizes; the provider's quota counts whole records no more.
    monkeypatch.setattr(
        lists, "_layout", lambda _, elements: ListLayout(elements // max(ASKED), (*ASKED,))
    )
    monkeypatch.setattr(confirming, "answer", staged)
    monkeypatch.setattr(real_time, "answer", staged)
    publish(pair, REGISTERED, alone, NOW, name="alone")
    assert not same(pair, size, way)
