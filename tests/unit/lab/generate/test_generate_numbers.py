"""NIKs go wrong as often as an audit of a national file found; other numbers are often missing."""

import re

import pytest

from padan_lab.generate import Level, PopulationProfile

ROWS = 30_000


@pytest.fixture(scope="module")
def real(make):
    return make(PopulationProfile.ASN, Level.REAL, ROWS, inside=0.8)


def within(measured):
    return pytest.approx(measured, rel=0.2)


def test_as_many_niks_are_invalid_as_the_audit_found(real):
    # 10.9 million of 97 million; missing ones are not among them.
    wrong = [
        labels
        for (side, _, column), labels in real.labels.items()
        if (side, column) == ("list", "nik") and "nik.missing" not in labels
    ]
    assert len(wrong) / ROWS == within(0.112)


def test_niks_are_repeated_as_often_as_the_audit_found(real):
    # Audits found 0.09 % to 1 % of the rows.
    given = [n for n in real.listed["nik"] if re.fullmatch(r"\d{16}", n) and len(set(n)) > 3]
    repeated = 1 - len(set(given)) / len(given)
    assert 0.001 < repeated < 0.01
    assert 0.0005 < real.labelled("list", "nik", "nik.duplicate") < 0.01


def test_every_way_to_spoil_a_nik_is_seen(real):
    texts = {
        label: [
            real.listed["nik"][row]
            for (side, row, column), labels in real.labels.items()
            if (side, column) == ("list", "nik") and labels == {f"nik.{label}"}
        ]
        for label in (
            "short", "long", "rounded", "scientific", "filler", "impossible", "letter", "mistyped",
            "transposed", "swapped", "duplicate", "missing",
        )
    }  # fmt: skip
    assert all(texts.values())
    assert all(len(n) == 15 for n in texts["short"])
    assert all(n.endswith("0") and len(n) == 16 for n in texts["rounded"])
    assert all(re.fullmatch(r"\d\.\d+E\+15", n) for n in texts["scientific"])
    assert set(texts["missing"]) == {""}
    # A relative's number is somebody's of the same place.
    bearers = set(real.registry["nik"]) | set(real.listed["nik"])
    assert sum(n in bearers for n in texts["swapped"]) > 0.5 * len(texts["swapped"])


def test_niks_stay_when_birth_dates_are_corrected(real):
    rows = [
        row
        for (side, row, column), labels in real.labels.items()
        if (side, column) == ("registry", "tanggal_lahir") and labels == {"date.corrected"}
    ]
    assert len(rows) / ROWS == within(0.01)
    whole = [r for r in rows if ("registry", r, "nik") not in real.labels]
    for row in whole:
        nik, date = real.registry["nik"][row], real.registry["tanggal_lahir"][row]
        assert nik[8:12] + f"{int(nik[6:8]) % 40:02d}" != date[5:7] + date[2:4] + date[8:]


def test_the_dead_are_as_many_as_the_audit_found(real):
    # 234 thousand of 97 million.
    dead = sum(bool(date) for date in real.registry["tanggal_meninggal"])
    assert dead / ROWS == pytest.approx(234e3 / 97e6, rel=0.3)


def test_names_and_dates_of_ordinary_files_differ_as_measured_too(real):
    written = {"name.case", "name.title"}
    same = real.share(lambda p: real.of_pair(p, "nama") <= written)
    assert same == pytest.approx(0.87, abs=0.2 * 0.13)
    missing = real.share(lambda p: "date.missing" in real.of_pair(p, "tanggal_lahir"))
    assert missing == within(0.048)
    parts = {f"date.{part}" for part in ("day", "year", "month", "two", "all", "swap")}
    assert real.share(lambda p: bool(real.of_pair(p, "tanggal_lahir") & parts)) == within(0.06)


def test_companies_lack_most_identifiers_in_the_list(make):
    companies = make(PopulationProfile.WLKP, Level.REAL, 6000)
    assert companies.labelled("list", "nib", "nib.missing") == within(0.33)
    for label in ("abbreviation", "branch", "form", "drop", "spelling"):
        assert companies.labelled("list", "nama_usaha", f"company.{label}") > 0.005
    bands = {"1-4": (1, 4), "5-19": (5, 19), "20-99": (20, 99), "100+": (100, 10**6)}
    for count, band in zip(
        companies.registry["jumlah_pekerja"], companies.registry["kelompok_pekerja"], strict=True
    ):
        low, high = bands[band]
        assert low <= int(count) <= high


def test_foreigners_have_permits_passports_and_many_spellings(make):
    people = make(PopulationProfile.IMIGRASI, Level.REAL, 6000)
    day = "2024-07-01"
    for until, status in zip(
        people.registry["tanggal_habis_berlaku"], people.registry["status_paspor"], strict=True
    ):
        assert (until >= day) == (status == "BERLAKU")
    assert set(people.registry["izin"]) == {"ITAS", "ITAP"}
    assert set(people.registry["jenis_perlintasan"]) == {"KELUAR", "MASUK"}
    assert people.labelled("list", "nama", "name.transliteration") > 0.1
    assert people.labelled("list", "paspor", "passport.former") == within(0.05)
