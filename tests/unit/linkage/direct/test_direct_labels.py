"""Labels: what a table says of a person is found by who has the value, and by nobody else."""

import os

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    BROKEN_LABEL,
    MATCHED,
    NOT_MATCHED,
    UNDECIDED,
)
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.labelling.bodies import BODY, LabelAnswers, masked
from padan_linkage.direct.labelling.deciding import decide
from padan_linkage.direct.labelling.hkdf import extract
from padan_linkage.direct.labelling.labels import (
    as_bytes,
    gone_tags,
    label_keys,
    label_rows,
    numbered,
)
from padan_linkage.direct.labelling.lookup import LabelMeetings, SourceTable, look_up, standing
from padan_linkage.direct.labelling.opening import opened
from padan_linkage.direct.labelling.persons import PersonSecrets, base_secret, places, pseudonyms
from padan_linkage.direct.schema import MOST_LABELS, DirectKey, DirectSchema
from padan_linkage.direct.table import LabelTable, by_tag

SCHEMA = DirectSchema(
    keys=(
        DirectKey(id="nik", exact=("nik",)),
        DirectKey(id="lahir", exact=("lahir", "nama"), weak=True),
        DirectKey(id="tempat", exact=("lahir", "tempat"), weak=True),
        DirectKey(id="telepon", exact=("telepon", "nama"), weak=True, alone=True),
    ),
    records_per_day=1,
    records_per_list=1,
)
NIK, LAHIR, TEMPAT, TELEPON = range(4)
CODES = 3
BASE, DELTA, NEWER = (bytes([i]) * 16 for i in range(3))
SECRET = base_secret(bytes(32), BASE)


def outputs(*names):
    """What the PRF would give, any 64 bytes for each name."""
    made = b"".join(Drbg(name.encode().ljust(32, b".")).bytes(64) for name in names)
    return np.frombuffer(made, np.uint8).reshape(-1, 64)


def pseudonym(person):
    return pseudonyms(SECRET, pa.array([person]))


def labels(said, sequence=0, table_id=BASE):
    """Labels of ``said``: (person, codes, {key: values}); their HKDF keys and bodies."""
    secrets, bodies = [np.zeros((0, 32), np.uint8)], [np.zeros(0, BODY)]
    for person, codes, values in said:
        own = PersonSecrets.of(SECRET, sequence, pa.array([person]))
        for key, names in values.items():
            place = places(SCHEMA)[SCHEMA.keys[key].id]
            made = np.zeros(len(names), BODY)
            made["pseudonym"], made["opener"] = pseudonym(person), own.openers(place)
            answers = LabelAnswers.of(np.array([codes], np.uint64)).pack()
            made["answer"] = masked(answers, own.secret, table_id)
            secrets.append(extract(outputs(*(f"{key}{name}" for name in names))))
            bodies.append(made)
    return np.concatenate(secrets), np.concatenate(bodies)


def table(said, gone=(), sequence=0, table_id=BASE, bend=lambda bodies: bodies):
    """The table that says so, gone rows and a thousand dummies among it."""
    keys, bodies = labels(said, sequence, table_id)
    order, numbers = numbered(keys, bodies["pseudonym"])
    kept = numbers < MOST_LABELS
    bodies = bend(bodies[order][kept].copy())
    rows = [label_rows(keys[order][kept], numbers[kept], bodies, table_id)]
    noise = np.frombuffer(Drbg(bytes(32)).bytes(1000 * 40), np.uint8).reshape(-1, 40).copy()
    for i, person in enumerate(gone):
        noise[i, :10] = gone_tags(pseudonym(person), table_id)
    return SourceTable(LabelTable(by_tag(np.concatenate([*rows, noise]))), table_id)


def met(tables, asked):
    """``asked``: of each record, {key: values}."""
    pieces = []
    for key in range(len(SCHEMA.keys)):
        each = [(i, f"{key}{v}") for i, of in enumerate(asked) for v in of.get(key, ())]
        record = np.array([i for i, _ in each], np.int64)
        pieces.append(look_up(tables, outputs(*(name for _, name in each)), key, record))
    return standing(tables, LabelMeetings.joined(pieces))


def answers(tables, asked):
    """Of each record: outcome, code, the ids of the keys that met whoever answers."""
    found = met(tables, asked)
    everything = np.ones((len(asked), len(SCHEMA.keys)), np.bool_)
    people, said = opened(SCHEMA, [t.table_id for t in tables], found, everything, CODES)
    decided = decide(SCHEMA, len(asked), people, said)
    made = decided.answers
    ways = ["+".join(SCHEMA.keys[k].id for k in way) for way in (*decided.ways, ())]
    return [
        (int(o), int(c), ways[by])
        for o, c, by in zip(made.outcome, made.code, made.answered_by, strict=True)
    ], made.reason.tolist()


ANI = ("ani", 1, {NIK: ["1"], LAHIR: ["ani", "sri"], TEMPAT: ["solo"], TELEPON: ["08"]})
BUDI = ("budi", 2, {NIK: ["2"], LAHIR: ["budi"], TEMPAT: ["solo"]})
NOBODY = (NOT_MATCHED, 0, "")


def test_whoever_has_the_values_gets_the_code_and_is_told_which_keys_met():
    source = table([ANI, BUDI])
    said, _ = answers(
        [source],
        [
            {NIK: ["1"]},
            {LAHIR: ["sri"], TEMPAT: ["solo"]},
            {NIK: ["2"], LAHIR: ["budi"], TEMPAT: ["solo"], TELEPON: ["09"]},
            {TELEPON: ["08"]},
            {NIK: ["3"]},
            {},
        ],
    )
    assert said == [
        (MATCHED, 1, "nik"),
        (MATCHED, 1, "lahir+tempat"),
        (MATCHED, 2, "nik+lahir+tempat"),
        (MATCHED, 1, "telepon"),
        NOBODY,
        NOBODY,
    ]


def test_one_weak_key_opens_nothing_whatever_values_of_it_meet():
    source = table([ANI, BUDI])
    asked = [{LAHIR: ["ani", "sri"]}, {TEMPAT: ["solo"]}, {LAHIR: ["ani"]}]
    assert answers([source], asked)[0] == [NOBODY] * 3
    found = met([source], asked)
    # All values of one key of one person hold the same share.
    mine = (found.record == 0) & (found.key == LAHIR)
    assert len({row["opener"].tobytes() for row in found.body[mine]}) == 1
    # Shares of two records do not open together: each record is decided by itself.
    assert len(found) == 2 + 2 + 1


def test_people_who_share_a_value_have_a_label_each_and_the_ninth_has_none():
    crowd = [(f"p{i}", 1, {TELEPON: ["kantor"], NIK: [f"n{i}"]}) for i in range(9)]
    keys, bodies = labels(crowd)
    _, numbers = numbered(keys, bodies["pseudonym"])
    assert sorted(numbers.tolist()) == [0] * 10 + list(range(1, 9))
    found = met([table(crowd)], [{TELEPON: ["kantor"]}])
    assert len(found) == MOST_LABELS
    whose = sorted(pseudonym(p).tobytes() for p, _, _ in crowd)[:MOST_LABELS]
    assert sorted(row["pseudonym"].tobytes() for row in found.body) == whose


def test_a_set_aside_person_is_ambiguous():
    twice = ("dua", 0, {NIK: ["7"]})
    assert answers([table([twice])], [{NIK: ["7"]}])[0] == [(AMBIGUOUS, 0, "nik")]


def test_a_delta_speaks_for_whom_it_changes_and_takes_away_who_left():
    base = table([ANI, BUDI, ("cici", 4, {NIK: ["3"], TEMPAT: ["solo"]})])
    changed = ("ani", 2, {NIK: ["1"], LAHIR: ["ani"], TEMPAT: ["yogya"]})
    new = ("dedi", 1, {NIK: ["4"], TEMPAT: ["solo"]})
    delta = table([changed, new], gone=["ani", "cici"], sequence=1, table_id=DELTA)
    asked = [{NIK: ["1"]}, {NIK: ["2"]}, {NIK: ["3"]}, {NIK: ["4"]}]
    asked += [{LAHIR: ["ani"], TEMPAT: ["solo"]}, {LAHIR: ["ani"], TEMPAT: ["yogya"]}]
    assert answers([base, delta], asked)[0] == [
        (MATCHED, 2, "nik"),
        (MATCHED, 2, "nik"),
        NOBODY,
        (MATCHED, 1, "nik"),
        NOBODY,
        (MATCHED, 2, "lahir+tempat"),
    ]
    back = table([("cici", 1, {NIK: ["3"]})], gone=["ani"], sequence=2, table_id=NEWER)
    assert answers([base, delta, back], asked)[0][:4] == [
        NOBODY,
        (MATCHED, 2, "nik"),
        (MATCHED, 1, "nik"),
        (MATCHED, 1, "nik"),
    ]


def test_no_tag_pad_or_secret_is_used_in_two_tables():
    keys = extract(outputs("a", "b"))
    made = [
        label_keys(keys, np.array(numbers), table_id)
        for table_id, numbers in ((BASE, [0, 0]), (DELTA, [0, 0]), (BASE, [1, 1]))
    ]
    tags = {row.tobytes() for found, _ in made for row in found}
    pads = {row.tobytes() for _, found in made for row in found}
    assert (len(tags), len(pads)) == (6, 6)
    one, other = (PersonSecrets.of(SECRET, n, pa.array(["ani"])) for n in range(2))
    assert one.secret.tobytes() != other.secret.tobytes() != one.slope.tobytes()
    elsewhere = base_secret(bytes(32), DELTA)
    assert pseudonyms(elsewhere, pa.array(["ani"])).tobytes() != pseudonym("ani").tobytes()
    with pytest.raises(ValueError, match="16 bytes"):
        label_keys(keys, np.zeros(2, np.int64), b"short")


@pytest.mark.parametrize(
    ("field", "value"), [("opener", 1), ("answer", 3), ("rarity", 9), ("answer", 0)]
)
def test_labels_that_contradict_or_say_what_is_unknown_are_broken(field, value):
    """Whether one share is off the line, answers differ, or the code is not the flow's."""

    def bend(bodies):
        if field == "rarity":
            bodies[field][0] = value
        else:
            bodies[field][0, value] ^= 0x10
        return bodies

    every = {NIK: ["1"], LAHIR: ["ani"], TEMPAT: ["solo"], TELEPON: ["08"]}
    for said in ([ANI], [("ani", 1, {NIK: ["1"]})]):
        if said != [ANI] and field == "opener":
            continue  # one label alone: another opener unmasks something else
        found, reason = answers([table(said, bend=bend)], [every])
        assert (found[0][:2], reason) == ((UNDECIDED, 0), [BROKEN_LABEL])


def test_a_secret_that_was_bent_unmasks_no_code():
    def bend(bodies):
        bodies["opener"][0, 0] ^= 1
        return bodies

    source = table([("ani", 1, {NIK: ["1"]})], bend=bend)
    assert answers([source], [{NIK: ["1"]}])[1] == [BROKEN_LABEL]


def test_rows_look_alike_whatever_they_say():
    people = [(f"p{i}", codes, {NIK: [str(i)]}) for i, codes in enumerate((1, 4, 0))]
    keys, bodies = labels(people)
    rows = label_rows(keys, np.zeros(3, np.int64), bodies, BASE)
    assert rows.shape == (3, 40)
    assert not set(rows[:, 10:].tobytes()[:8]) >= set(as_bytes(bodies).tobytes()[:8])


@given(st.lists(st.integers(0, (1 << 32) - 1), max_size=20))
def test_answers_come_back(codes):
    given_codes = np.array(codes, np.uint64)
    secrets = np.frombuffer(os.urandom(16 * len(codes)), np.uint8).reshape(-1, 16)
    hidden = masked(LabelAnswers.of(given_codes).pack(), secrets, BASE)
    again = LabelAnswers.unpack(masked(hidden, secrets, BASE), 32)
    assert again.codes.tolist() == codes
    assert again.set_aside.tolist() == [c == 0 for c in codes]
    assert again.valid.all()


def test_what_is_no_answer_is_told():
    rows = np.array([[0, 1, 0, 0, 0], [1, 0, 0, 0, 0], [2, 1, 0, 0, 0], [1, 1, 0, 0, 0]], np.uint8)
    rows = np.vstack([rows, np.array([[0, 0, 0, 0, 0], [0, 8, 0, 0, 0]], np.uint8)])
    assert LabelAnswers.unpack(rows, 3).valid.tolist() == [True, True] + [False] * 4
    with pytest.raises(ValueError, match="uint8"):
        LabelAnswers.unpack(rows[:, :4], 3)
    with pytest.raises(ValueError, match="32"):
        LabelAnswers.of(np.array([1 << 32], np.uint64))
