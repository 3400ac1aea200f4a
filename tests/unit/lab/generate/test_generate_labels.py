"""Every cell that differs from the truth has a label, and no other has one."""

import pytest

from padan_lab.generate import Level, PopulationProfile

ROWS = 1500


@pytest.mark.parametrize("name", list(PopulationProfile))
def test_labels_tell_exactly_what_differs(make, name):
    clean, real = make(name, Level.CLEAN, ROWS), make(name, Level.REAL, ROWS)
    assert clean.labels == {}
    for side in ("registry", "list"):
        true, seen, repeated = clean.side(side), real.side(side), real.repeated(side)
        differing = {
            (side, row, column)
            for column in true
            for row, (a, b) in enumerate(zip(true[column], seen[column], strict=True))
            if a != b and row not in repeated
        }
        assert differing == {c for c in real.labels if c[0] == side and c[1] not in repeated}
        assert len(differing) > 0.05 * ROWS


@pytest.mark.parametrize("name", list(PopulationProfile))
def test_nothing_is_wrong_at_the_clean_level(make, name):
    clean = make(name, Level.CLEAN, ROWS)
    shared = clean.registry.keys() & clean.listed.keys() - {"id", "nama", "nama_usaha"}
    for column in shared - {"tanggal_lahir"}:
        pairs = [(clean.listed[column][a], clean.registry[column][b]) for a, b in clean.pairs]
        assert all(a.lower() == b.lower() != "" for a, b in pairs), column
    for column in {"nama", "nama_usaha"} & clean.listed.keys():
        assert clean.differ(column) == 0


def test_three_times_as_much_goes_wrong(make):
    real, tripled = (make(PopulationProfile.ASN, level, 9000) for level in (Level.REAL, Level.X3))
    for column, label in (
        ("nik", "nik."), ("nama", "name.spelling"), ("tanggal_lahir", "date.day"),
        ("tempat_lahir", "place.other"), ("nip", "nip.missing"),
    ):  # fmt: skip
        few, many = (m.labelled("list", column, label) for m in (real, tripled))
        # Two errors may fall on one cell, and the later one hides the earlier.
        assert many / few == pytest.approx(3, rel=0.2), label


def test_the_same_seed_makes_the_same_files_in_batches_of_any_size(make):
    one = make(PopulationProfile.JKN, Level.REAL, 700, seed=3)
    assert make(PopulationProfile.JKN, Level.REAL, 700, seed=3, batch=64) == one
    other = make(PopulationProfile.JKN, Level.REAL, 700, seed=4)
    assert other.registry["nik"] != one.registry["nik"]


def test_another_level_is_about_the_same_people(make):
    clean, tripled = (make(PopulationProfile.P3KE, level, 800) for level in (Level.CLEAN, Level.X3))
    kept = [row for row in range(800) if row not in tripled.repeated("list")]
    same = sum(clean.listed["alamat"][row] == tripled.listed["alamat"][row] for row in kept)
    assert same > 0
    repeated = {side: tripled.repeated(side) for side in ("registry", "list")}
    first = {(a, b) for a, b in tripled.pairs if b not in repeated["registry"]}
    assert {(a, b) for a, b in first if a not in repeated["list"]} <= set(clean.pairs)


def test_repeated_rows_are_about_the_same_person(make):
    real = make(PopulationProfile.ASN, Level.REAL, 6000)
    for side, share in (("registry", 0.001), ("list", 0.004)):
        assert len(real.repeated(side)) == round(share * 6000)
    pairs_of_row = [b for _, b in real.pairs]
    assert len(pairs_of_row) > len(set(pairs_of_row))
    # The truth has a pair for each of the rows.
    repeated = real.repeated("list")
    for a, b in real.pairs:
        if a in repeated and not real.of_pair((a, b), "nip"):
            assert real.listed["nip"][a] == real.registry["nip"][b]
