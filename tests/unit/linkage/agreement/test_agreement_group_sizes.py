"""The estimate behind the refusal of large salt groups."""

from __future__ import annotations

from math import inf

import pytest

from padan_linkage.agreement import schema_findings
from padan_linkage.agreement.group_sizes import distinct_values, group_size, has_strong_identifier
from padan_linkage.agreement.rules.passes import REFUSED_GROUP, shown_to_hold
from padan_linkage.schema import DERIVATIONS, Kind, Pass, Schema, SchemaField, Segment

FIELDS = (
    SchemaField(name="nik", kind=Kind.NIK),
    SchemaField(name="nama", kind=Kind.PERSON_NAME),
    SchemaField(name="lahir", kind=Kind.DATE),
    SchemaField(name="kelamin", kind=Kind.SEX),
)


def schema(*exact: str, similar: tuple[str, ...] = ("nik",)) -> Schema:
    segments = tuple(Segment(fields=(s,)) for s in similar)
    return Schema(fields=FIELDS, passes=(Pass(id="a", exact=exact, similar=segments),))


def size(records: int, *exact: str) -> float:
    s = schema(*exact)
    return group_size(s, s.passes[0], records)


def test_everybody_has_a_nik_of_their_own():
    assert size(280_000_000, "nik") == 1
    assert size(280_000_000, "nik", "kelamin") == 1


def test_a_birth_date_alone_is_shared_by_hundreds_in_the_national_registry():
    """60 years of birth dates give 46 people each at a million, 400 at 8 million."""
    assert 40 <= size(1_000_000, "lahir") <= 80
    assert size(8_000_000, "lahir") > 300
    codes = {f.code for f in schema_findings(schema("lahir"), 8_000_000)}
    assert "pass-group" in codes


def test_a_name_beside_the_birth_date_makes_groups_small():
    assert size(8_000_000, "lahir", "nama:phonetic_first") < 10


def test_two_keys_of_one_field_count_once():
    assert size(8_000_000, "lahir", "lahir:year") == size(8_000_000, "lahir")
    assert size(8_000_000, "nama:phonetic_first", "nama:phonetic") == size(
        8_000_000, "nama:phonetic"
    )


def test_more_people_never_make_smaller_groups():
    sizes = [size(n, "lahir", "kelamin") for n in (1, 1_000, 10**6, 10**8)]
    assert sizes == sorted(sizes)
    assert sizes[0] == 1


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_and_derivation_has_a_figure(kind):
    s = Schema(fields=(SchemaField(name="x", kind=kind),), passes=(Pass(id="a", exact=("x",)),))
    whole = distinct_values(s, "x")
    assert whole > 1
    for derivation in DERIVATIONS.get(kind, frozenset()):
        assert 1 < distinct_values(s, f"x:{derivation}") <= whole


def test_only_a_whole_identifier_is_strong():
    def strong(*exact: str) -> bool:
        s = schema(*exact)
        return has_strong_identifier(s, s.passes[0])

    assert strong("nik")
    assert strong("lahir", "nik")
    assert not strong("nik:district")
    assert not strong("lahir", "nama")
    assert distinct_values(schema("nik"), "nik") == inf


def test_a_rehearsal_s_schema_can_be_judged_on_its_own():
    places = {f.where for f in schema_findings(schema("lahir"), 8_000_000, "berkas")}
    assert "berkas.passes[a].exact" in places
    assert "berkas.fields[nama]" in places


@pytest.mark.parametrize(
    ("exact", "names", "strict", "balanced"),
    [
        # The salt tells nothing of the names.
        (["lahir"], [["depan"], ["belakang"]], 5, 10),
        (["lahir"], [["nama"]], REFUSED_GROUP, REFUSED_GROUP),
        # One part of them, two parts, both ends by sound.
        (["nama:last1", "lahir:year"], [["nama"]], 5, 10),
        (["belakang:phonetic_last", "depan:first1"], [["nama"]], 3, 10),
        (["belakang:last_end", "depan:first_end"], [["nama"]], 2, 3),
        # The same, with the parts in segments of their own.
        (["belakang:last1", "lahir:year"], [["depan"], ["belakang"]], 0, 7),
        (["belakang:phonetic_last", "depan:first1"], [["depan"], ["belakang"]], 0, 10),
        (["nama:ends2"], [["depan"], ["belakang"]], 0, 0),
        # A number in the same segment makes equal names differ.
        (["lahir", "nama:first1"], [["nama", "nik"]], 40, 100),
    ],
)
def test_the_limit_follows_from_what_salt_and_segments_tell_of_names(
    exact, names, strict, balanced
):
    kinds = {"depan": Kind.PERSON_NAME, "belakang": Kind.PERSON_NAME, "nama": Kind.PERSON_NAME}
    kinds |= {"lahir": Kind.DATE, "nik": Kind.NIK}
    group = "names" if len(names) > 1 else None
    p = Pass(id="p", exact=exact, similar=[Segment(fields=fields, group=group) for fields in names])
    for presence, limit in ((False, strict), (True, balanced)):
        whole = Schema(
            fields=[SchemaField(name=name, kind=kind) for name, kind in kinds.items()],
            passes=[p],
            presence=presence,
        )
        assert shown_to_hold(whole, p) == limit
