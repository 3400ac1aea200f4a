"""Cover people as their owner draws them: nobody's, whole, and like people."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from padan_linkage.cover import draw_people, with_cover
from padan_linkage.cover.newcomers import coded, whose
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.normalise import derive
from padan_linkage.schema import Kind, Schema

SCHEMA = Schema.model_validate(
    {
        "fields": [
            {"name": "nik", "kind": "nik"},
            {"name": "nip", "kind": "nip"},
            {"name": "nama", "kind": "person_name"},
            {"name": "lahir", "kind": "date"},
            {"name": "telepon", "kind": "phone"},
            {"name": "tempat", "kind": "place"},
        ],
        "passes": [{"id": "nik", "exact": ["nik"]}],
    }
)
FIRST = ["adi", "budi", "citra", "dewi", "eka", "fajar", "gita", "hadi", "indah", "joko"]
SECOND = ["santoso", "wijaya", "lestari", "putri", "kusuma", "nugroho", "rahayu", "saputra"]


@pytest.fixture
def people():
    """A function: n people; a third have no telephone, a tenth a doubtful birth date."""

    def make(count, seed=1):
        rng = np.random.default_rng(seed)
        born = [
            f"{y}-{m:02d}-{d:02d}"
            for y, m, d in rng.integers([1960, 1, 1], [2000, 13, 29], (count, 3)).tolist()
        ]
        area = [f"{a:06d}" for a in rng.choice([317101, 327302, 337403], count)]
        women = rng.random(count) < 0.5
        serial = rng.permutation(9000)[:count] + 1
        rows = {
            "nik": [
                f"{a}{int(b[8:]) + 40 * w:02d}{b[5:7]}{b[2:4]}{s:04d}"
                for a, b, w, s in zip(area, born, women, serial, strict=True)
            ],
            "nip": [
                f"{b.replace('-', '')}{int(b[:4]) + 24}03{1 + w}{s % 1000:03d}"
                for b, w, s in zip(born, women, serial, strict=True)
            ],
            "nama": [
                f"{rng.choice(FIRST)} {rng.choice(SECOND)}{'' if i % 3 else i}"
                for i in range(count)
            ],
            "lahir": [f"?{b}" if i % 10 == 9 else b for i, b in enumerate(born)],
            "telepon": ["" if i % 3 == 0 else f"62812{s:07d}" for i, s in enumerate(serial)],
            "tempat": [("batu", "kudus", "tegal")[i] for i in rng.integers(0, 3, count)],
        }
        return {name: pa.array(values, pa.string()) for name, values in rows.items()}

    return make


@pytest.mark.parametrize("count", [1, 30, 2000])
def test_a_cover_person_is_nobody_and_has_all_of_a_person(people, count):
    given = people(count)
    made = draw_people(SCHEMA, given, 500, Drbg(bytes(32)))
    assert {len(column) for column in made.values()} == {500}
    for name in ("nik", "nip", "telepon"):
        some = made[name].filter(pc.not_equal(made[name], ""))
        assert not pc.any(pc.is_in(some, value_set=given[name]), min_count=0).as_py()
        assert len(some.unique()) == len(some)
        whole = [len(value) for value in given[name].to_pylist() if value]
        assert set(pc.utf8_length(some).to_pylist()) <= set(whole)


def test_its_numbers_hold_its_own_birth_date_and_sex(people):
    made = draw_people(SCHEMA, people(2000), 500, Drbg(bytes(32)))
    sound = pc.invert(pc.starts_with(made["lahir"], "?"))
    made = {name: column.filter(sound) for name, column in made.items()}
    assert derive(Kind.NIK, "birth_date", made["nik"]).equals(made["lahir"])
    assert derive(Kind.NIP, "birth_date", made["nip"]).equals(made["lahir"])


def test_gaps_and_doubts_stay_together(people):
    given = people(2000)
    given["tempat"] = pc.if_else(pc.equal(given["telepon"], ""), "", given["tempat"])
    made = draw_people(SCHEMA, given, 2000, Drbg(bytes(32)))
    gaps = pc.equal(made["telepon"], "").to_numpy(zero_copy_only=False)
    assert abs(gaps.mean() - 1 / 3) < 0.04
    assert (gaps == pc.equal(made["tempat"], "").to_numpy(zero_copy_only=False)).all()
    doubtful = pc.starts_with(made["lahir"], "?").to_numpy(zero_copy_only=False)
    assert abs(doubtful.mean() - 0.1) < 0.03


def test_names_are_shared_as_often_as_people_share_them(people):
    """A third of the people are alone with their name, the others have many namesakes."""
    given = people(3000)
    made = draw_people(SCHEMA, given, 3000, Drbg(bytes(32)))
    shared = pc.is_in(made["nama"], value_set=given["nama"]).to_numpy(zero_copy_only=False)
    assert abs(shared.mean() - 2 / 3) < 0.03


def test_thirty_people_lend_their_words_and_the_software_its_own(people):
    """Two hundred people from a village of thirty would else be a village of namesakes."""
    given = people(30)
    given["nama"] = pa.array([f"{FIRST[i % 10]}{i} {SECOND[i % 8]}{i}" for i in range(30)])
    made = draw_people(SCHEMA, given, 226, Drbg(bytes(32)))
    assert len(made["nama"].unique()) > 215
    dates = made["lahir"].filter(pc.invert(pc.starts_with(made["lahir"], "?")))
    assert len(dates.unique()) > len(dates) - 10


def test_a_newcomer_shares_as_one_of_the_people_does():
    """Of 300 values one person has, 200 two, 100 three: a newcomer meets none, one or two."""
    codes = np.concatenate([np.arange(300), np.repeat(np.arange(300, 500), 2),
                            np.repeat(np.arange(500, 600), 3)])  # fmt: skip
    sizes = np.bincount(codes)[codes]
    taken = whose(codes, np.arange(1000), np.arange(1000), Drbg(bytes(32)))
    met = np.where(taken >= 0, sizes[taken], 0)
    assert [int((met == n).sum()) for n in (0, 1, 2)] == [300, 400, 300]


def test_the_same_seed_draws_the_same_and_people_come_first(people):
    given = people(200)
    first, second = (with_cover(SCHEMA, given, 512, Drbg(b"s" * 32)) for _ in range(2))
    other = with_cover(SCHEMA, given, 512, Drbg(b"t" * 32))
    for name, column in given.items():
        assert first[name].equals(second[name])
        assert first[name].slice(0, 200).equals(column)
    assert not first["nik"].slice(200).equals(other["nik"].slice(200))
    assert with_cover(SCHEMA, given, 200, Drbg(bytes(32)))["nik"].equals(given["nik"])


def test_people_twice_on_a_list_are_so_among_the_cover_people(people):
    given = people(900)
    twice = {name: pa.concat_arrays([c, c.slice(0, 100)]) for name, c in given.items()}
    made = draw_people(SCHEMA, twice, 1000, Drbg(bytes(32)))
    repeated = 1000 - len(np.unique(coded(made["nik"])))
    assert 60 < repeated < 140
