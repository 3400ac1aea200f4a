"""What a record is under a key: tolerant where it should be, and never by chance of framing."""

from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from padan_linkage.crypto.epochs import framed
from padan_linkage.direct.derived.several import SeveralValues, combinations
from padan_linkage.direct.derived.values import derived_values
from padan_linkage.direct.inputs import key_inputs, requester_inputs
from padan_linkage.direct.schema import MANY_VALUED, DirectKey, most_values
from padan_linkage.normalise.names.phonetic import sound
from padan_linkage.schema import Kind, Schema

FIELDS = Schema.model_validate(
    {
        "fields": [
            {"name": "nik", "kind": "nik"},
            {"name": "nama", "kind": "person_name"},
            {"name": "lahir", "kind": "date"},
            {"name": "paspor", "kind": "passport"},
        ],
        "passes": [{"id": "nik", "exact": ["nik"]}],
    }
)
NIK = "3171014101900001"
names = st.from_regex(r"[a-z]{1,9}( [a-z]{1,9}){0,3}", fullmatch=True)


def of(kind, derivation, *values):
    return [set(v) for v in derived_values(kind, derivation, pa.array(values)).to_pylist()]


def agree(kind, derivation, one, other):
    mine, theirs = of(kind, derivation, one, other)
    return bool(mine & theirs)


@pytest.mark.parametrize(
    "damaged",
    [
        "3171014101900007",  # serial number mistyped
        "3171014101900000",  # last digit lost to a spreadsheet
        "317101410190001",  # a digit lost
        "3171014201900001",  # birth date mistyped
        "31710141019000011",  # a digit doubled
    ],
)
def test_a_nik_damaged_behind_the_district_still_names_it(damaged):
    assert agree(Kind.NIK, "area", NIK, damaged)


def test_a_nik_of_another_district_does_not():
    assert not agree(Kind.NIK, "area", NIK, "3171024101900001")


def test_a_damaged_nik_equals_nothing_as_a_whole():
    assert of(Kind.NIK, "", "?317101410190001", "?3171014101900000", NIK) == [set(), set(), {NIK}]
    assert of(Kind.NIK, "district", "?317101410190001") == [set()]
    assert of(Kind.NIK, "area", "?317101410190001") == [{"317101"}]


def test_a_doubtful_name_has_no_edits():
    assert of(Kind.PERSON_NAME, "edits", "?budi santoso") == [set()]


@given(st.from_regex(r"[A-Z][0-9]{5,7}", fullmatch=True), st.data())
def test_passports_one_slip_apart_agree(passport, data):
    at = data.draw(st.integers(0, len(passport) - 1))
    digit = data.draw(st.sampled_from("0123456789"))
    lost = passport[:at] + passport[at + 1 :]
    mistyped = passport[:at] + digit + passport[at + 1 :]
    doubled = passport[:at] + digit + passport[at:]
    exchanged = passport[:at] + passport[at : at + 2][::-1] + passport[at + 2 :]
    for slip in (lost, mistyped, doubled, exchanged):
        assert agree(Kind.PASSPORT, "edits", passport, slip)


def test_spelling_and_joined_tokens_agree():
    assert agree(Kind.PERSON_NAME, "edits", "nur hasan", "nurhasan")
    assert agree(Kind.PERSON_NAME, "edits", "achmad fauzan", "ahmad fawzan")
    assert agree(Kind.PERSON_NAME, "edits", "budi santoso", "budi santos")
    assert not agree(Kind.PERSON_NAME, "edits", "budi santoso", "budi hartono")


@pytest.mark.parametrize("kind", MANY_VALUED)
def test_values_are_distinct_and_bounded(kind):
    text = {Kind.NIK: NIK, Kind.PASSPORT: "A123456789"}.get(kind, "abcdefghijk lmnopqrst uvwxyz")
    for derivation, limit in MANY_VALUED[kind].items():
        (values,) = derived_values(kind, derivation, pa.array([text])).to_pylist()
        assert derivation != "edits" or list(values) == sorted(set(values))
        assert 1 <= len(values) <= limit
        assert derived_values(kind, derivation, pa.array([""])).to_pylist() == [()]


def test_an_unknown_derivation_is_told():
    with pytest.raises(KeyError):
        derived_values(Kind.NIK, "halves", pa.array([NIK]))


def records(*rows):
    columns = zip(*rows, strict=True)
    return {f.name: pa.array(c) for f, c in zip(FIELDS.fields, columns, strict=True)}


def messages(key, *rows):
    made = key_inputs(FIELDS, key, records(*rows))
    groups = [[] for _ in rows]
    for message, record in zip(made.messages.to_pylist(), made.record.tolist(), strict=True):
        groups[record].append(message)
    return groups


def test_a_record_has_every_combination_and_none_with_a_part_missing():
    key = DirectKey(id="salah", exact=("paspor:edits", "lahir:year"), weak=True, alone=True)
    full, no_passport, no_date = messages(
        key, ("", "", "1990-01-01", "A12345"), ("", "", "1990-01-01", ""), ("", "", "", "A12345")
    )
    assert (len(full), no_passport, no_date) == (7, [], [])
    assert len(set(full)) == 7


def test_inputs_say_which_key_and_where_values_end():
    one, other = (DirectKey(id=i, exact=("nama", "nik")) for i in ("a", "b"))
    row = (NIK, "budi", "1990-01-01", "")
    assert messages(one, row) != messages(other, row)
    ((made,),) = messages(one, row)
    assert made == b"padan/v1 direct\x00\x00\x01a\x00\x04budi\x00\x10" + NIK.encode()


@given(st.lists(st.tuples(names, names), min_size=2, max_size=6, unique=True))
def test_other_records_have_other_inputs(pairs):
    fields = Schema.model_validate(
        {
            "fields": [{"name": n, "kind": "text"} for n in ("satu", "dua")],
            "passes": [{"id": "satu", "exact": ["satu"]}],
        }
    )
    columns = [pa.array(c) for c in zip(*pairs, strict=True)]
    key = DirectKey(id="k", exact=("satu", "dua"))
    made = key_inputs(fields, key, dict(zip(("satu", "dua"), columns, strict=True)))
    assert len(set(made.messages.to_pylist())) == len(pairs)


def test_an_identifier_alone_is_asked_only_for_rows_that_have_nothing_else():
    key = DirectKey(id="nik", exact=("nik",), without=("nama", "lahir"))
    rows = records((NIK, "", "", ""), (NIK, "budi", "", ""), (NIK, "", "1990-01-01", ""))
    assert requester_inputs(FIELDS, key, rows).record.tolist() == [0]
    assert key_inputs(FIELDS, key, rows).record.tolist() == [0, 1, 2]
    assert "3171" not in repr(key_inputs(FIELDS, key, rows))


def test_names_agree_however_their_tokens_are_ordered():
    key = DirectKey(id="nama", exact=("nama:phonetic", "lahir"), weak=True, alone=True)
    one, other, third = messages(
        key,
        ("", "siti nurhaliza", "1990-01-01", ""),
        ("", "nurhalisa siti", "1990-01-01", ""),
        ("", "siti nurhaliza", "1990-01-02", ""),
    )
    assert one == other != third


def test_words_and_pairs_come_by_what_they_tell():
    written = pa.array(["muhammad budi xaverius", "xaverius budi", "siti"])
    of_all = {
        derivation: derived_values(Kind.PERSON_NAME, derivation, written).to_pylist()
        for derivation in ("words", "pairs")
    }
    assert of_all["words"] == [
        ("ksapirius", "budi", "muamat"),
        ("ksapirius", "budi"),
        ("siti",),
    ]
    assert of_all["pairs"] == [
        ("budi ksapirius", "ksapirius muamat", "budi muamat"),
        ("budi ksapirius",),
        (),
    ]


@given(st.lists(names, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_words_of_a_name_do_not_depend_on_their_order_or_on_other_names(several, random):
    shuffled = []
    for name in several:
        words = name.split(" ")
        random.shuffle(words)
        shuffled.append(" ".join(words))
    for derivation in ("words", "pairs"):
        together = derived_values(Kind.PERSON_NAME, derivation, pa.array(several)).to_pylist()
        for name, mixed, values in zip(several, shuffled, together, strict=True):
            for alone in (name, mixed):
                made = derived_values(Kind.PERSON_NAME, derivation, pa.array([alone]))
                assert made.to_pylist() == [values]
            assert len(values) == len(set(values)) <= MANY_VALUED[Kind.PERSON_NAME][derivation]


def test_halves_are_the_sound_cut_in_two_and_what_is_too_short_stays_whole():
    written = pa.array(["siti nurhaliza", "yacob", "umi", "al", "", "?budi"])
    made = derived_values(Kind.PERSON_NAME, "halves", written).to_pylist()
    assert made == [
        ("sitinu-", "-ralisa"),
        ("ia-", "-up", "iak-", "-kup"),
        ("um-", "-mi"),
        ("al",),
        (),
        (),
    ]


@given(
    st.text("abdeimnorstu", min_size=4, max_size=12),
    st.integers(0, 11),
    st.sampled_from(["", "b", "{}b"]),
)
def test_a_letter_wrong_lost_or_gained_leaves_a_half(name, place, change):
    at = place % len(name)
    wrong = name[:at] + change.format(name[at]) + name[at + 1 :]
    # What sounds alike differs by more than a letter: a doubled one is heard once.
    assume(all(len(sound(text)) == len(text) for text in (name, wrong)))
    one, other = derived_values(Kind.PERSON_NAME, "halves", pa.array([name, wrong])).to_pylist()
    assert {*one} & {*other}
    assert len({*one}) == len(one) <= MANY_VALUED[Kind.PERSON_NAME]["halves"]


def test_a_legal_form_is_no_word_of_a_company():
    (words,) = derived_values(Kind.COMPANY_NAME, "words", pa.array(["maju jaya pt"])).to_pylist()
    assert len(words) == 2


def test_either_field_may_hold_what_agrees():
    key = DirectKey(id="k", exact=("nama:words", "lahir|nik:birth_date"), weak=True, alone=True)
    both, same, only_nik, neither = messages(
        key,
        (NIK, "budi", "1991-02-02", ""),
        (NIK, "budi", "1990-01-01", ""),
        (NIK, "budi", "", ""),
        ("", "budi", "", ""),
    )
    assert (len(both), len(same), len(only_nik), neither) == (2, 1, 1, [])
    assert same == only_nik == [both[1]]


def test_sides_with_one_word_more_keep_the_same_first_values():
    key = DirectKey(id="k", exact=("nama:words", "lahir"), values=2)
    short, long = messages(
        key,
        ("", "budi xaverius", "1990-01-01", ""),
        ("", "muhammad budi xaverius", "1990-01-01", ""),
    )
    assert short == long
    assert most_values(FIELDS, key) == 2
    assert most_values(FIELDS, DirectKey(id="k", exact=key.exact)) == 6


@given(
    st.lists(st.tuples(*[st.lists(st.text(max_size=3), max_size=3, unique=True)] * 2), max_size=5),
    st.integers(1, 5),
)
def test_combinations_are_the_first_of_all_in_the_order_of_the_parts(rows, most):
    parts = [
        SeveralValues.by_value([row[side] for row in rows], np.arange(len(rows)))
        for side in range(2)
    ]
    made, starts = combinations(b"p", parts, most)
    expected = [[b"p" + framed(a) + framed(b) for a, b in product(*row)][:most] for row in rows]
    assert made.to_pylist() == [message for row in expected for message in row]
    assert np.diff(starts).tolist() == [len(row) for row in expected]
    either = parts[0].either(parts[1]).to_pylist()
    assert either == [tuple(dict.fromkeys([*a, *b])) for a, b in rows]
