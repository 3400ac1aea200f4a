"""Corrections of cover people: of the kind and size of people's."""

from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.cover.corrections import Correction, Dice, fresh_number
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.schema import Kind

NAMES = st.text("abcdefghij", min_size=5, max_size=8)
WORDS = st.lists(NAMES, min_size=1, max_size=4).map(" ".join)
DATES = st.dates().map(lambda d: d.isoformat())


def dice(seed=1):
    return Dice(Drbg(bytes([seed]) * 32))


def edit(kind, old, new, value, donor="siti aminah"):
    return Correction(kind, old, new).done_to(value, donor, dice())


def apart(a, b):
    """Levenshtein's distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


@given(WORDS, WORDS, st.integers(0, 255))
def test_a_letter_replaced_is_a_letter_replaced(value, name, seed):
    at = seed % len(name)
    if name[at] == " ":
        return
    slip = name[:at] + "z" + name[at + 1 :]
    made = Correction(Kind.PERSON_NAME, name, slip).done_to(value, "siti", dice(seed))
    assert made != value
    assert len(made) == len(value) or len(name.split()) > 1
    assert apart(made, value) <= 2 * max(map(len, f"{name} {value} siti".split()))


@given(NAMES, NAMES, st.integers(0, 255))
def test_within_a_word_as_many_characters_move(value, name, seed):
    at = seed % len(name)
    for slip, away in ((name[:at] + name[at + 1 :], 1), (name[:at] + "zz" + name[at:], 2)):
        made = Correction(Kind.PERSON_NAME, name, slip).done_to(value, "siti", dice(seed))
        assert apart(made, value) <= away
        assert made != value


def test_words_come_go_and_change_places_as_peoples_do():
    name = "budi santoso wijaya"
    assert sorted(edit(Kind.PERSON_NAME, name, "santoso budi wijaya", "rina sari").split()) == [
        "rina", "sari",
    ]  # fmt: skip
    assert edit(Kind.PERSON_NAME, name, "santoso budi wijaya", "rina sari") == "sari rina"
    assert len(edit(Kind.PERSON_NAME, name, "budi wijaya", "rina dewi sari").split()) == 2
    longer = edit(Kind.PERSON_NAME, name, f"{name} putra", "rina sari").split()
    assert len(longer) == 3
    assert {"rina", "sari"} < set(longer)


@given(WORDS, WORDS, WORDS)
def test_emptied_filled_and_replaced_whole(old, new, value):
    assert edit(Kind.PERSON_NAME, old, "", value) == ""
    assert edit(Kind.PERSON_NAME, "", new, "") == "siti aminah"
    assert edit(Kind.PERSON_NAME, old, old, value) == value
    assert edit(Kind.PERSON_NAME, "xxxx", "yyyy", value) == "siti aminah"


@given(DATES, st.sampled_from(["year", "month", "day"]), st.integers(0, 255))
def test_a_part_of_a_date_is_corrected_by_a_part(value, part, seed):
    new = {"year": "1991-06-05", "month": "1990-07-05", "day": "1990-06-08"}[part]
    made = Correction(Kind.DATE, "1990-06-05", new).done_to(value, "2000-01-01", dice(seed))
    if made == "2000-01-01" or made[8:] == "28":
        return
    differ = [a != b for a, b in zip(made.split("-"), value.split("-"), strict=True)]
    assert differ == [part == p for p in ("year", "month", "day")]


def test_day_and_month_change_places():
    assert edit(Kind.DATE, "1990-06-05", "1990-05-06", "1970-02-11") == "1970-11-02"


@given(st.text("0123456789", min_size=16, max_size=16), st.integers(0, 255))
def test_a_number_is_corrected_in_the_same_places(value, seed):
    old, new = "3171016506900001", "3171016506980001"
    made = Correction(Kind.NIK, old, new).done_to(value, "1" * 16, dice(seed))
    assert [i for i in range(16) if made[i] != value[i]] == [11] or made == value
    assert made != value
    other = fresh_number(value, dice(seed))
    assert (len(other), other[:12]) == (16, value[:12])


def test_doubt_comes_and_goes_as_it_did():
    assert edit(Kind.DATE, "?1990-06-05", "1990-06-05", "?1970-02-11") == "1970-02-11"
    assert edit(Kind.DATE, "1990-06-05", "?1990-06-05", "1970-02-11") == "?1970-02-11"
    assert edit(Kind.DATE, "1990-06-05", "1990-06-06", "?1970-02-11") == "?1970-02-12"
