"""What the advisor proposes for whole files: fields, passes, size, safety."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from padan_linkage.advice import NoAdviceError, Size, Wishes, suggest
from padan_linkage.advice.profiles import PROFILES, ProfileName
from padan_linkage.agreement import Severity
from padan_linkage.agreement.group_sizes import low_entropy
from padan_linkage.schema import Kind

SYLLABLES = "ba di ka lo mu na ra sa ti wa ju pe".split()  # noqa: SIM905
ROWS = 1500
OWN = Wishes(own_files=True)


def people(seed, rows=ROWS):
    """Columns of made-up people; names from syllables, so that no real list is needed."""
    draw = np.random.default_rng(seed)

    def names(length, most):
        pool = ["".join(draw.choice(SYLLABLES, length)) for _ in range(most)]
        return [pool[int(most * x**1.6)] for x in draw.random(rows)]

    days = draw.integers(0, 25_000, rows)
    dates = np.datetime64("1940-01-01") + days.astype("timedelta64[D]")
    return {
        "depan": names(2, 140),
        "belakang": names(3, 600),
        "lahir": [str(d) for d in dates],
        "kota": [f"kota {x}" for x in names(2, 60)],
        "jk": draw.choice(["L", "P"], rows).tolist(),
        "nomor": [f"{n:016d}" for n in draw.integers(10**15, 10**16, rows)],
    }


def table(columns):
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def renamed(columns, names):
    return table({new: columns[old] for old, new in names.items()})


@pytest.fixture(scope="module")
def parts():
    """Two files of the same people with given name and surname."""
    one, two = people(1), people(2)
    names = {
        "depan": "given_name",
        "belakang": "surname",
        "lahir": "dob",
        "kota": "suburb",
        "jk": "sex",
    }
    return renamed(one, names), renamed(two, names)


def fields_of(suggestion):
    return {f.name: f for f in suggestion.fields}


def compared(suggestion):
    """Every field that stands in some segment."""
    return {n for p in suggestion.schema.passes for s in p.similar for n in s.fields}


@pytest.mark.parametrize("profile", ProfileName)
@pytest.mark.parametrize("size", Size)
@pytest.mark.parametrize("rows", [None, 50_000, 1_000_000, 17_000_000])
@pytest.mark.parametrize("own", [False, True])
def test_whatever_is_suggested_passes_the_linter(parts, profile, size, rows, own):
    s = suggest(*parts, Wishes(profile, size, rows=rows, own_files=own))
    assert s.findings() == []
    assert len(s.passes) <= (12 if own else 24)
    for p in s.passes:
        assert p.group <= (1.1 * s.profile.most_alike if p.chosen.similar else 1.11)


@pytest.mark.parametrize("profile", ProfileName)
def test_a_lean_schema_is_lean_in_every_column_of_every_pass(parts, profile):
    own = suggest(*parts, Wishes(profile, Size.LEAN, own_files=True))
    assert own.record_bytes <= 512
    lean = suggest(*parts, Wishes(profile, Size.LEAN))
    thorough = suggest(*parts, Wishes(profile, Size.THOROUGH))
    assert lean.record_bytes <= 512 < thorough.record_bytes
    assert len(lean.passes) >= 3


def test_larger_registries_get_stricter_salts_and_longer_buckets(parts):
    small, large = (
        suggest(*parts, Wishes(ProfileName.SEIMBANG, rows=n)) for n in (2_000, 5_000_000)
    )
    by_id = {p.chosen.id: p.chosen for p in large.passes}
    birth = next(p.chosen for p in small.passes if p.chosen.id == "birth")
    assert birth.exact == ("dob",)
    assert set(by_id["birth"].exact) > {"dob"} < set(by_id["birth-last"].exact)
    assert by_id["birth"].bucket_bits > birth.bucket_bits


def test_copies_of_one_person_do_not_make_a_salt_common(parts):
    often = suggest(pa.concat_tables([parts[1]] * 30), None, OWN)
    assert {"birth", "names"} <= {p.chosen.id for p in often.passes}
    assert all(p.group > often.profile.most_alike for p in often.passes)
    assert often.findings() == []


def test_fields_of_few_values_stand_in_salts_or_beside_names_and_dates(parts):
    s = suggest(*parts, OWN)
    assert not any(low_entropy(s.schema, name) for name in compared(s))
    assert "suburb" in {k.partition(":")[0] for p in s.schema.passes for k in p.exact}
    for p in s.schema.passes:
        agreed = set(p.exact)
        for segment in p.similar:
            assert set(segment.beside) == {"sex", "suburb"} - agreed
            assert not agreed & set(segment.named)
    assert "sex" in fields_of(s)
    lean = suggest(*parts, Wishes(size=Size.LEAN, own_files=True))
    assert not any(x.beside for p in lean.schema.passes for x in p.similar)


def nameless_of_birth(names):
    """Two files of whole names, and of ``names`` of what else there is."""
    files = []
    for seed in (1, 2):
        columns = people(seed)
        columns["nama"] = [
            f"{a} {b}" for a, b in zip(columns["depan"], columns["belakang"], strict=True)
        ]
        columns["tahun"] = [x[:4] for x in columns["lahir"]]
        columns["umur"] = [str(2025 - int(x)) for x in columns["tahun"]]
        columns["kerja"] = [f"kerja {x[-2:]}" for x in columns["nomor"]]
        files.append(renamed(columns, {"nama": "nama", **names}))
    return files


def test_without_a_birth_date_fields_of_few_values_make_one_segment_together():
    s = suggest(*nameless_of_birth({"kerja": "pekerjaan", "kota": "kota"}), OWN)
    assert s.findings() == []
    names = next(p.chosen for p in s.passes if p.chosen.id == "names")
    together = [x.fields for x in names.similar if "kota" in x.fields]
    assert [set(x) for x in together] == [{"kota", "pekerjaan"}]
    for p in s.schema.passes:
        for x in p.similar:
            assert not set(x.fields) <= {"kota"}
            assert not set(x.fields) <= {"pekerjaan"}


@pytest.mark.parametrize(("column", "name"), [("tahun", "tahun_lahir"), ("umur", "umur")])
def test_a_lone_year_or_age_stands_where_the_birth_date_would(column, name):
    s = suggest(*nameless_of_birth({column: name, "kota": "kota"}), OWN)
    assert s.findings() == []
    keyed = [p.chosen for p in s.passes if name in p.chosen.exact]
    assert {"last-year", "first-year"} <= {p.id for p in keyed}
    for p in s.schema.passes:
        apart = (name,) in [x.fields for x in p.similar]
        assert apart != (name in p.exact)
        assert not any(name in x.beside for x in p.similar)


def test_middle_names_and_places_meet_in_the_year_where_there_is_no_date(parts):
    files = []
    for seed, side in enumerate(parts, 1):
        years = pa.array([x[:4] for x in side["dob"].to_pylist()])
        middle = pa.array(people(seed + 2)["depan"])
        side = side.drop_columns(["dob"]).append_column("yob", years)  # noqa: PLW2901
        files.append(side.append_column("middle_name", middle))
    s = suggest(*files, OWN)
    assert s.findings() == []
    exact = {p.exact for p in s.schema.passes}
    assert ("middle_name", "yob") in exact
    assert any(e[:2] == ("suburb", "yob") for e in exact)


def test_an_age_beside_a_year_or_a_date_says_nothing_more():
    for more in ({"tahun": "tahun_lahir"}, {"lahir": "tgl_lahir"}):
        s = suggest(*nameless_of_birth({"umur": "umur", **more}), Wishes())
        assert "umur" not in fields_of(s)
        assert {x.column for x in s.left_out if x.side == "A"} == {"umur"}


def test_swapped_names_still_meet_and_compare_crosswise(parts):
    s = suggest(*parts, OWN)
    assert fields_of(s)["name"].columns_a == ("given_name", "surname")
    names = next(p.chosen for p in s.passes if p.chosen.id == "names")
    assert names.exact[0].startswith("name:ends")
    # Where the salt tells part of the names they are compared as one, in either order alike.
    assert names.similar[0].fields == ("name",)
    birth = next(p.chosen for p in s.passes if p.chosen.id == "birth")
    assert {x.fields for x in birth.similar if x.group == "name"} == {("given_name",), ("surname",)}


def test_nothing_stands_beside_a_name_whose_sound_the_salt_tells(parts):
    passes = {
        p.chosen.id: p.chosen
        for p in suggest(*parts, Wishes(ProfileName.SEIMBANG, own_files=True)).passes
    }
    beside = {x.fields: x.beside for x in passes["surname"].similar}
    assert beside[("surname",)] == ()
    assert beside[("dob",)] == beside[("given_name",)] == ("sex", "suburb")


def test_a_whole_name_on_one_side_meets_its_parts_on_the_other():
    one, two = people(1), people(2)
    one["nama"] = [f"{a} {b}" for a, b in zip(one["depan"], one["belakang"], strict=True)]
    s = suggest(
        renamed(one, {"nama": "NAMA", "lahir": "Tgl Lahir"}),
        renamed(two, {"depan": "first_name", "belakang": "last_name", "lahir": "dob"}),
        Wishes(),
    )
    name, date = (next(f for f in s.fields if f.kind is k) for k in (Kind.PERSON_NAME, Kind.DATE))
    assert (name.columns_a, name.columns_b) == (("NAMA",), ("first_name", "last_name"))
    assert (date.columns_a, date.columns_b) == (("Tgl Lahir",), ("dob",))


def test_the_parts_of_a_date_are_used_where_there_is_no_whole():
    one, two = people(1), people(2)
    for part, cut in (("y", slice(0, 4)), ("m", slice(5, 7)), ("d", slice(8, 10))):
        one[part] = [x[cut] for x in one["lahir"]]
        two[part] = [x[cut] for x in two["lahir"]]
    split = {"depan": "given_name", "belakang": "surname", "y": "yob", "m": "mob", "d": "dayob"}
    whole = split | {"lahir": "dob"}
    s = suggest(renamed(one, split), renamed(two, whole), Wishes())
    date = next(f for f in s.fields if f.kind is Kind.DATE)
    assert (date.columns_a, date.columns_b) == (("yob", "mob", "dayob"), ("dob",))
    s = suggest(renamed(one, whole), renamed(two, whole), Wishes())
    assert fields_of(s)["dob"].columns_a == ("dob",)
    assert {x.column for x in s.left_out} >= {"yob", "mob", "dayob"}


def test_headers_that_mean_nothing_are_read_by_what_stands_below():
    one, two = people(1), people(2)
    for side in (one, two):
        side["kampung"] = [f"{a}{b}" for a, b in zip(side["belakang"], side["depan"], strict=True)]
    plain = {"depan": "c1", "belakang": "c2", "lahir": "c3", "kampung": "c4", "nomor": "c5"}
    fields = fields_of(suggest(renamed(one, plain), renamed(two, plain), Wishes()))
    kinds = {f.columns_a: f.kind for f in fields.values()}
    assert kinds[("c1",)] is kinds[("c2",)] is kinds[("c1", "c2")] is Kind.PERSON_NAME
    assert kinds[("c3",)] is Kind.DATE
    # Nobody can say that an unknown number is the person's own.
    assert not any("c5" in columns for columns in kinds)
    # Where names are known, unknown words are no second name.
    known = plain | {"depan": "given_name", "belakang": "surname", "kampung": "c4"}
    fields = fields_of(suggest(renamed(one, known), renamed(two, known), Wishes()))
    assert {f.columns_a for f in fields.values() if f.kind is Kind.PERSON_NAME} == {
        ("given_name",),
        ("surname",),
        ("given_name", "surname"),
    }


def test_a_year_of_birth_alone_is_compared_as_it_stands():
    one, two = people(1), people(2)
    for side in (one, two):
        side["y"] = [x[:4] for x in side["lahir"]]
    names = {"depan": "given_name", "belakang": "surname"}
    s = suggest(
        renamed(one, names | {"y": "tahun"}), renamed(two, names | {"y": "year_of_birth"}), Wishes()
    )
    year = fields_of(s)["tahun"]
    assert (year.kind, year.columns_b) == (Kind.CODE, ("year_of_birth",))


def test_a_day_of_birth_that_is_called_a_date_meets_a_whole_one():
    one, two = people(1), people(2)
    for columns in (one, two):
        columns["nama"] = [
            f"{a} {b}" for a, b in zip(columns["depan"], columns["belakang"], strict=True)
        ]
    for part, cut in (("thn", slice(0, 4)), ("bln", slice(5, 7)), ("tgl", slice(8, 10))):
        two[part] = [x[cut] for x in two["lahir"]]
    s = suggest(
        renamed(one, {"nama": "nama", "lahir": "TGL LAHIR"}),
        renamed(two, {"nama": "nama", "thn": "thn_lahir", "bln": "bln_lahir", "tgl": "tgl_lahir"}),
        Wishes(),
    )
    date = next(f for f in s.fields if f.kind is Kind.DATE)
    assert date.columns_a == ("TGL LAHIR",)
    assert date.columns_b == ("thn_lahir", "bln_lahir", "tgl_lahir")


def test_place_and_date_in_one_column_make_two_fields():
    one = people(1)
    one["nama"] = [f"{a} {b}" for a, b in zip(one["depan"], one["belakang"], strict=True)]
    one["ttl"] = [
        f"{k.removeprefix('kota ').title()}, {d[8:]}-{d[5:7]}-{d[:4]}"
        for k, d in zip(one["kota"], one["lahir"], strict=True)
    ]
    s = suggest(renamed(one, {"nama": "nama", "ttl": "ttl"}), None, Wishes())
    assert {(f.kind, f.columns_a) for f in s.fields} == {
        (Kind.PERSON_NAME, ("nama",)),
        (Kind.DATE, ("ttl",)),
        (Kind.PLACE, ("ttl",)),
    }


@pytest.mark.parametrize(
    "helper", ["entity_id", "cluster", "true_id", "rec_id", "person_id", "uid"]
)
def test_helper_columns_are_never_used_however_useful(parts, helper):
    ids = pa.array([f"p{n}" for n in range(ROWS)])
    with_ids = [t.append_column(helper, ids) for t in parts]
    for files in (with_ids, [with_ids[0], None]):
        s = suggest(*files, Wishes())
        used = {c for f in s.fields for c in (*f.columns_a, *f.columns_b)}
        assert helper not in used
        assert helper in {x.column for x in s.left_out}


def test_an_unknown_number_is_left_out_until_the_user_names_it(parts):
    numbers = people(3)["nomor"]
    files = [t.append_column("kolom_x", pa.array(numbers)) for t in parts]
    assert "kolom_x" in {x.column for x in suggest(*files, Wishes()).left_out}
    told = suggest(*files, Wishes(kinds={"kolom_x": Kind.CODE}))
    assert any("kolom_x" in p.chosen.exact for p in told.passes)
    assert told.findings() == []


def test_a_column_of_one_side_is_left_out_and_said(parts):
    a = parts[0].append_column("email", pa.array([f"x{n}@contoh.id" for n in range(ROWS)]))
    s = suggest(a, parts[1], Wishes())
    (left,) = [x for x in s.left_out if x.column == "email"]
    assert left.side == "A"
    assert "B" in left.said.en_text


def test_every_choice_has_a_sentence_in_both_languages(parts):
    s = suggest(*parts, Wishes())
    said = [x for f in s.fields for x in f.said] + [p.said for p in s.passes]
    said += [x.said for x in s.left_out] + list(s.passed_over)
    assert all(len(x.id_text) > 10 and len(x.en_text) > 10 for x in said)
    assert all(x.id_text != x.en_text for x in said)


def test_files_without_anything_in_common_are_refused(parts):
    with pytest.raises(NoAdviceError, match="gender"):
        suggest(
            pa.table({"gender": ["m", "f", "m"]}), pa.table({"merk": ["a1", "b2", "c3"]}), Wishes()
        )
    few = parts[0].select(["sex"])
    with pytest.raises(NoAdviceError, match="sex"):
        suggest(few, parts[1].select(["sex"]), Wishes())
    with pytest.raises(KeyError, match="tinggi"):
        suggest(*parts, Wishes(only=["tinggi"]))


@pytest.mark.parametrize("profile", PROFILES.values(), ids=str)
def test_a_profile_reaches_the_linters_floor(parts, profile):
    s = suggest(*parts, Wishes(profile.name))
    assert not [f for f in s.findings() if f.severity is Severity.ERROR]
    assert s.schema.presence == profile.presence
    assert s.schema.decoy_share == profile.decoy_share


def numbered(seed, without_check):
    """People with a number; so many of the first rows hold nothing else."""
    made = people(seed)
    born = [date.fromisoformat(x) for x in made["lahir"]]
    made["nomor"] = [f"327301{d:%d%m%y}{n % 9000 + 1:04d}" for n, d in enumerate(born)]
    for name in ("depan", "lahir"):
        made[name] = ["" if row < without_check else v for row, v in enumerate(made[name])]
    return renamed(made, {"nomor": "nik", "depan": "nama", "lahir": "tanggal_lahir"})


@pytest.mark.parametrize("lacking", [0, 1, 300])
def test_a_number_alone_gets_a_pass_where_rows_of_the_list_hold_nothing_else(lacking):
    registry = numbered(4, 0)
    s = suggest(numbered(3, lacking), registry, Wishes(kinds={"nik": Kind.NIK}))
    alone = [c.chosen for c in s.passes if c.chosen.without]
    assert [(p.exact, p.without) for p in alone] == (
        [(("nik",), ("nama", "tanggal_lahir"))] if lacking else []
    )
    assert s.findings() == []
    one_file = suggest(numbered(3, lacking), None, Wishes(kinds={"nik": Kind.NIK}))
    assert not [c for c in one_file.passes if c.chosen.without]
