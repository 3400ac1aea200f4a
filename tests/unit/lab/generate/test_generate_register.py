"""Two public registers of the same people differ as often as two real ones were seen to."""

import re

import pytest

from padan_lab.generate import Level, PopulationProfile

ROWS = 12_000
#: Labels of a name written otherwise, not of another name.
FORMAT = {"name.case", "name.title_form", "name.title_dropped"}
DATE_PARTS = {"date.day", "date.year", "date.month", "date.two", "date.all", "date.swap"}


@pytest.fixture(scope="module")
def real(make):
    return make(PopulationProfile.REGISTER, Level.REAL, ROWS)


def within(measured):
    """Within 20 % of what was measured."""
    return pytest.approx(measured, rel=0.2)


def test_pairs_differ_as_often_as_measured(real):
    raw = real.share(lambda p: real.listed["nama"][p[0]] == real.registry["nama"][p[1]])
    assert raw == within(0.50)
    stripped = real.share(lambda p: real.of_pair(p, "nama") <= FORMAT)
    assert stripped == pytest.approx(0.87, abs=0.2 * 0.13)
    assert real.differ("tempat_lahir") == within(0.20)
    assert real.differ("agama") == within(0.17)


def test_birth_dates_are_wrong_and_missing_as_often_as_measured(real):
    missing = {"date.missing"}
    assert real.share(lambda p: missing <= real.of_pair(p, "tanggal_lahir")) == within(0.048)
    wrong = [real.of_pair(p, "tanggal_lahir") & DATE_PARTS for p in real.pairs]
    assert sum(map(bool, wrong)) / len(wrong) == within(0.060)
    kinds = [kind for labels in wrong for kind in labels]
    assert kinds.count("date.day") / len(kinds) == within(14 / 32)
    assert kinds.count("date.year") / len(kinds) == within(9 / 32)
    assert set(kinds) == DATE_PARTS


def test_default_dates_are_as_common_as_measured(real):
    last = [date.endswith("-12-31") for date in real.registry["tanggal_lahir"] if date]
    assert sum(last) / len(last) == within(0.02)


def test_dates_come_in_several_forms(real):
    forms = {
        re.sub(r"[A-Za-z]+", "a", re.sub(r"\d+", "9", d)) for d in real.listed["tanggal_lahir"]
    }
    assert forms >= {"9-9-9", "9/9/9", "9 a 9", ""}


def test_titles_are_as_common_as_in_the_register(real):
    names = real.registry["nama"]
    assert sum("," in n for n in names) / ROWS == within(0.52)
    pilgrim = re.compile(r"^(?:(?:Prof|Dr|Drs|Dra|Ir)\.? ?)*(?:H|HJ)\b", re.IGNORECASE)
    assert sum(bool(pilgrim.match(n)) for n in names) / ROWS == within(0.24)
    front = re.compile(r"^(Prof|PROF|Dr|DR|dr|Drs|DRS|Dra|DRA|Ir|IR)\b")
    assert sum(bool(front.match(n)) for n in names) / ROWS == within(0.23)


def test_names_are_as_long_and_as_old_as_in_the_register(make):
    # Without titles, which this profile writes at every level, a comma and a dot tell.
    names = make(PopulationProfile.REGISTER, Level.CLEAN, ROWS).registry["nama"]
    bare = [re.sub(r",.*|\b\w+\. ?(?=\w)", "", n) for n in names]
    lengths = [min(4, len(n.split())) for n in bare]
    for tokens, measured in ((1, 0.12), (2, 0.51), (3, 0.29), (4, 0.07)):
        assert lengths.count(tokens) / ROWS == within(measured)
    assert sum(bool(re.search("oe|dj|tj|sj", n.lower())) for n in bare) / ROWS == within(0.06)
