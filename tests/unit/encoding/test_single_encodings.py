import pytest

from padan_linkage.encoding import distances, encode_record, encode_table
from padan_linkage.normalise import normalise
from padan_linkage.randomness import Drbg

PERSON = {"nik": "3171010101700001", "depan": "Budi", "belakang": "Santoso", "lahir": "1990-01-10"}

LONG = "Kartika Sulistyowati Ningrum"


@pytest.fixture
def one(schema, key):
    """A function: the encoding of one record in the birth-date pass."""

    def run(record, pass_id="lahir"):
        return encode_record(schema, schema.get_pass(pass_id), key, record, Drbg(b"1" * 32))

    return run


def test_equal_records_have_equal_bits_and_alike_ones_near_bits(one):
    person, typo, other = (one(PERSON | {"depan": n}) for n in (LONG, LONG + "a", "Wati"))
    assert person.key == typo.key == other.key  # the same birth date
    assert distances(person, one(PERSON | {"depan": LONG}))[0] == 0
    assert distances(person, typo)[0] < 0.4
    assert 0.4 < distances(person, other)[0] < 0.6
    assert [len(s) for s in person.segments] == [256, 256]


def test_one_record_is_encoded_as_in_an_upload(one, schema, key):
    import pyarrow as pa

    columns = {
        f.name: normalise(f.kind, pa.array([PERSON.get(f.name, "")])).values for f in schema.fields
    }
    table = encode_table(
        schema, schema.get_pass("lahir"), key, columns, rows=256, drbg=Drbg(b"2" * 32)
    )
    row = int((table.record_of_row == 0).argmax())
    filters = table.table.columns["filters"][row].tobytes()
    assert b"".join(s.tobytes() for s in one(PERSON).segments)[:64] == filters[:64]
    assert (
        one(PERSON, "nik").key
        == encode_table(schema, schema.get_pass("nik"), key, columns, rows=1, drbg=Drbg(b"3" * 32))
        .table.columns["keys"]
        .tobytes()
    )


def test_a_record_without_the_exact_fields_has_no_encoding(one):
    assert one(PERSON | {"lahir": ""}) is None


def test_encodings_of_different_passes_are_not_compared(one):
    with pytest.raises(ValueError, match="different passes"):
        distances(one(PERSON), one(PERSON, "nik"))


def test_the_repr_shows_no_bits(one):
    assert one(PERSON).key.hex() not in repr(one(PERSON))
