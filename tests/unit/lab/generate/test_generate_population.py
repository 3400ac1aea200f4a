"""Generated people live in households, have twins and namesakes, and bear true numbers."""

import datetime as dt
from collections import Counter, defaultdict

import numpy as np
import pytest

from padan_lab.generate import Level, PopulationProfile
from padan_lab.generate.draw.vocabulary import vocabulary
from padan_lab.generate.population.people import People
from padan_lab.generate.population.places import gazetteer

ROWS = 20_000


@pytest.fixture(scope="module")
def families(make):
    """A registry without errors; nobody from the list is missing in it."""
    return make(PopulationProfile.P3KE, Level.CLEAN, ROWS, listed=1, inside=1.0)


@pytest.fixture(scope="module")
def homes(families):
    rows = defaultdict(list)
    for row, card in enumerate(families.registry["kk"]):
        rows[card].append(row)
    return [home for home in rows.values() if len(home) > 1]


def born(date):
    return dt.date.fromisoformat(date)


def test_a_household_shares_card_address_mother_and_decile(families, homes):
    assert sum(map(len, homes)) > 0.7 * ROWS
    for home in homes:
        for column in ("alamat", "desil", "nama_ibu"):
            assert len({families.registry[column][row] for row in home}) == 1


def test_parents_are_older_than_their_children(families, homes):
    role, date = families.registry["hubungan"], families.registry["tanggal_lahir"]
    gaps = []
    for home in homes:
        heads = [row for row in home if role[row] == "KEPALA KELUARGA"]
        gaps += [
            born(date[row]).year - born(date[head]).year
            for row in home if role[row] == "ANAK" for head in heads
        ]  # fmt: skip
    assert len(gaps) > 1000
    # But for brothers and sisters who live together, whom registers call children, too.
    assert sum(gap > 15 for gap in gaps) > 0.95 * len(gaps)


def test_twins_share_a_birthday_and_have_neighbouring_niks(families, homes):
    niks, dates = families.registry["nik"], families.registry["tanggal_lahir"]
    twins = [
        (a, b)
        for home in homes for i, a in enumerate(home) for b in home[i + 1 :]
        if dates[a] == dates[b] and niks[a][:12] == niks[b][:12]
    ]  # fmt: skip
    assert len(twins) > 20
    near = [abs(int(niks[a]) - int(niks[b])) == 1 for a, b in twins]
    # Somebody born there the same day may stand between them in the register.
    assert sum(near) > 0.95 * len(near)


def test_some_brothers_and_sisters_have_the_same_name(families, homes):
    names = families.registry["nama"]
    same = sum(len(home) - len({names[row] for row in home}) for home in homes)
    alike = sum(
        names[a].split()[-1] == names[b].split()[-1] != names[a]
        for home in homes for i, a in enumerate(home) for b in home[i + 1 :]
    )  # fmt: skip
    assert same > 10
    assert alike > 200


def test_strangers_share_their_name_and_birth_date(make):
    """Collisions: what makes linkage by name and birth date wrong."""
    people = make(PopulationProfile.ASN, Level.CLEAN, 60_000, listed=1).registry
    counts = Counter(zip(people["nama"], people["tanggal_lahir"], strict=True))
    assert sum(count > 1 for count in counts.values()) >= 3


def test_niks_are_valid_different_and_of_their_bearers(families):
    niks = families.registry["nik"]
    assert len(set(niks)) == ROWS
    codes = {str(code) for code in gazetteer().codes.tolist()}
    rows = zip(niks, families.registry["tanggal_lahir"], families.registry["jenis_kelamin"],
               strict=True)  # fmt: skip
    for nik, date, sex in rows:
        day = int(nik[6:8])
        assert len(nik) == 16
        assert int(nik[12:]) > 0
        assert (day > 40) == (sex == "P")
        assert f"{date[2:4]}{date[5:7]}{date[8:]}" == f"{nik[10:12]}{nik[8:10]}{day % 40:02d}"
        assert nik[:4] in codes


def test_people_live_where_the_country_lives():
    people = People(ROWS, 1, families=True, retired=0.1).of(np.arange(ROWS))
    provinces = Counter((people.registered // 10_000).tolist())
    # Census of 2020: West Java 48 of 270 million, East Java 41, Bali 4.3.
    assert provinces[32] / ROWS == pytest.approx(48 / 270, rel=0.2)
    assert provinces[35] / ROWS == pytest.approx(41 / 270, rel=0.2)
    assert provinces[51] / ROWS == pytest.approx(4.3 / 270, rel=0.35)


def test_names_follow_the_customs_of_where_people_live():
    people = People(60_000, 2, families=True, retired=0.1).of(np.arange(60_000))
    names = vocabulary().rendered(people.names).to_pylist()
    province = (people.registered // 10_000).tolist()
    bali = [n.split() for n, p in zip(names, province, strict=True) if p == 51]
    assert sum(n[0] in {"i", "ni"} for n in bali) > 0.7 * len(bali)
    north = [n.split() for n, p in zip(names, province, strict=True) if p == 12]
    clans = {"sinaga", "siregar", "simanjuntak", "nasution", "siahaan", "panjaitan", "hutapea"}
    assert sum(n[-1] in clans for n in north) > 0.1 * len(north)
    assert sum(n[-1] in clans for n in bali) < 0.02 * len(bali)


def test_names_are_as_long_as_in_the_general_list():
    people = People(30_000, 3, families=True, retired=0.1).of(np.arange(30_000))
    lengths = np.minimum((people.names >= 0).sum(axis=1), 4)
    for tokens, measured in ((1, 0.305), (2, 0.371), (3, 0.266), (4, 0.058)):
        assert (lengths == tokens).mean() == pytest.approx(measured, rel=0.2)


def test_men_are_called_muhammad_as_often_and_in_as_many_ways_as_measured():
    people = People(60_000, 4, families=True, retired=0.1).of(np.arange(60_000))
    names = vocabulary().rendered(people.names).to_pylist()
    men = [
        n.split()[0] for n, woman in zip(names, people.female.tolist(), strict=True) if not woman
    ]
    spelt = Counter(
        n for n in men if n in {"muhammad", "m.", "muhamad", "mohammad", "muh.", "moh."}
    )
    assert spelt.total() / len(men) == pytest.approx(0.185, rel=0.2)
    assert spelt["muhammad"] / spelt.total() == pytest.approx(0.81, rel=0.2)
    assert spelt["m."] / spelt.total() == pytest.approx(0.07, rel=0.2)
    assert spelt["muhamad"] / spelt.total() == pytest.approx(0.05, rel=0.2)


@pytest.mark.slow
def test_two_in_five_share_their_full_name_with_another():
    people = People(970_000, 5, families=True, retired=0.1)
    names = []
    for low in range(0, people.size, 100_000):
        block = people.of(np.arange(low, min(people.size, low + 100_000)))
        names += vocabulary().rendered(block.names).to_pylist()
    counts = Counter(names)
    assert sum(c for c in counts.values() if c > 1) / len(names) == pytest.approx(0.42, rel=0.2)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        (PopulationProfile.BPJSTK, ("nik", "paspor", "nomor_bpjstk")),
        (PopulationProfile.JKN, ("nik", "kartu_jkn")),
        (PopulationProfile.IMIGRASI, ("paspor",)),
        (PopulationProfile.WLKP, ("npwp", "nib")),
        (PopulationProfile.ASN, ("nik", "nip")),
    ],
)
def test_nobody_bears_anothers_number(make, name, columns):
    clean = make(name, Level.CLEAN, ROWS, listed=1).registry
    for column in columns:
        assert len(set(clean[column])) == ROWS, column
