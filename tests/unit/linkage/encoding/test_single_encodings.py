import pytest
from one_record import distances, encode_record, normalised

from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.encoding import RowBits, encode_table
from padan_linkage.schema import Kind, Pass, Schema, SchemaField, Segment

PERSON = {"nik": "3171010101700001", "depan": "Budi", "belakang": "Santoso", "lahir": "1990-01-10"}
OTHER = {"nik": "3171010101800002", "depan": "Wati", "lahir": "1991-02-11", "kota": "Kudus"}

LONG = "Kartika Sulistyowati Ningrum"


@pytest.fixture
def one(schema, key):
    """A function: the encoding of one record in the birth-date pass."""

    def run(record, pass_id="lahir"):
        return encode_record(schema, schema.get_pass(pass_id), key, record)

    return run


def test_equal_records_have_equal_bits_and_alike_ones_near_bits(one):
    person, typo, other = (one(PERSON | {"depan": n}) for n in (LONG, LONG + "a", "Wati"))
    assert person.key == typo.key == other.key  # the same birth date
    assert distances(person, one(PERSON | {"depan": LONG}))[0] == 0
    assert distances(person, typo)[0] < 0.4
    assert 0.4 < distances(person, other)[0] < 0.6
    assert [len(s) for s in person.segments] == [256, 256]


@pytest.mark.parametrize("presence", [False, True])
def test_a_record_alone_is_encoded_as_in_an_upload(schema, key, presence):
    schema = schema.model_copy(update={"presence": presence})
    whole = PERSON | {"kota": "Kudus"}
    columns = normalised(schema, OTHER, whole, OTHER | {"depan": LONG})
    for p in schema.passes:
        table = encode_table(schema, p, key, columns, drbg=Drbg(b"2" * 32))
        (row,) = (table.record_of_row == 1).nonzero()[0]
        assert encode_record(schema, p, key, whole) == RowBits.of(p, table.table, row)


def test_a_presence_mask_says_which_segments_the_row_has(schema, key):
    p = schema.get_pass("lahir")
    assert encode_record(schema, p, key, PERSON).present is None
    masked = schema.model_copy(update={"presence": True})
    assert encode_record(masked, p, key, PERSON).present == (True, True)
    assert encode_record(masked, p, key, PERSON | {"depan": ""}).present == (False, True)


def test_a_record_without_the_exact_fields_has_no_encoding(one):
    assert one(PERSON | {"lahir": ""}) is None


def test_the_repr_shows_no_bits(one):
    assert one(PERSON).key.hex() not in repr(one(PERSON))
    assert one(PERSON).segments[0].to01() not in repr(one(PERSON))


BESIDE = ("kota", "jk", "inisial")


@pytest.fixture(scope="module", params=[(512, 100, 10), (512, 200, 16), (512, 150, 12)])
def with_beside(request):
    """A function: bits of a segment over the name with three fields beside it."""
    bits, weight, diffusion = request.param
    name = Segment(fields=("nama",), bits=bits, weight=weight, diffusion=diffusion, beside=BESIDE)
    kinds = (Kind.PERSON_NAME, Kind.PLACE, Kind.SEX, Kind.TEXT, Kind.DATE)
    fields = zip(("nama", *BESIDE, "lahir"), kinds, strict=True)
    p = Pass(id="lahir", exact=("lahir",), similar=(name,))
    schema = Schema(
        fields=tuple(SchemaField(name=n, kind=k) for n, k in fields), passes=(p,), presence=True
    )
    key = LinkageKey(b"s" * 32, schema.digest(), "asn-status", 1)

    def run(**changed):
        record = {"nama": LONG, "lahir": "1990-01-10", "kota": "Kudus", "jk": "L", "inisial": "a"}
        return encode_record(schema, p, key, record | changed)

    return run


def test_fields_beside_move_few_bits_each_and_only_beside_an_equal_value(with_beside):
    def away(**changed):
        """Mean over a dozen salts."""
        days = [f"1990-01-{day:02d}" for day in range(1, 13)]
        found = [distances(with_beside(lahir=d), with_beside(lahir=d, **changed)) for d in days]
        return sum(d for (d,) in found) / len(found)

    assert away() == 0
    one = [away(jk="P"), away(kota="Batu"), away(inisial="b")]
    assert all(0.11 < d < 0.19 for d in one)
    assert all(0.05 < away(**{name: ""}) < 0.11 for name in BESIDE)
    assert 0.2 < away(jk="P", kota="Batu") < 0.31
    others = [away(nama="Wira", jk=jk) for jk in "LP"]
    assert all(abs(d - 0.5) < 0.02 for d in others)


def test_fields_beside_nothing_say_nothing(with_beside):
    same = [with_beside(nama="", jk="L") for _ in range(2)]
    other = with_beside(nama="", jk="P")
    assert distances(*same) == (0,)  # the same random bits, of the same record
    assert abs(distances(same[0], other)[0] - 0.5) < 0.1


def test_fields_beside_take_no_more_than_a_quarter():
    with pytest.raises(ValueError, match="beside"):
        Segment(fields=("nama",), weight=60, diffusion=8, beside=("kota", "jk", "inisial"))
