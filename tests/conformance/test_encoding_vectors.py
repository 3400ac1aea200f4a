"""The package makes the vectors, a second implementation replays them; both agree on any record."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.encoding import encode_table
from padan_linkage.encoding.qgrams import qgrams
from padan_linkage.normalise import exact_values
from padan_linkage.schema import Kind, Schema


@pytest.fixture(scope="module")
def encoding(vectors):
    return vectors("encoding")


def test_the_generator_writes_what_is_committed(generator):
    for name, text in generator.files().items():
        assert (generator.HERE / name).read_text("utf-8") == text, name


def test_reference_derives_the_keys(encoding, reference):
    secret = bytes.fromhex(encoding["linkage_secret"])
    digest = reference.schema_digest(encoding["schema"])
    assert digest.hex() == encoding["schema_digest"]
    assert reference.check_value(secret).hex() == encoding["check_value"]
    for case in encoding["subkeys"]:
        made = reference.subkey(secret, case["label"], digest, *case["names"])
        assert made.hex() == case["key"]


def test_reference_cuts_the_qgrams(encoding, reference):
    for case in encoding["qgrams"]:
        made = [gram.hex() for gram in reference.qgrams(case["kind"], case["value"])]
        assert made == case["qgrams"], case["kind"]


def test_reference_encodes_every_row_step_by_step(encoding, reference):
    secret = bytes.fromhex(encoding["linkage_secret"])
    steps = 0
    for case in encoding["rows"]:
        person = encoding["records"][case["record"]]
        made = reference.encode_row(encoding["schema"], case["pass"], secret, case["exact"], person)
        if case["row"] is None:
            assert made is None
            continue
        row = case["row"]
        assert made["hash"].hex() == row["hash"] == row["token"] + row["salt_key"]
        assert made["bucket"] == row["bucket"]
        assert [t and t.hex() for t in made["tags"]] == row["tags"]
        for mine, theirs in zip(made["segments"], row["segments"], strict=True):
            steps += compare_segment(mine, theirs)
    assert steps >= 60


def compare_segment(mine, theirs):
    """Asserts each step; how many were compared."""
    if mine is None:
        assert theirs is None
        return 0
    assert [gram.hex() for gram in mine["qgrams"]] == theirs["qgrams"]
    for step in ("plain", "diffused", "masked"):
        assert mine[step].hex() == theirs[step], step
    return 4


def test_tables_hold_the_rows(encoding, reference):
    """Every record's row of every table; the random parts are left out."""
    schema = Schema.model_validate(encoding["schema"])
    rows = {(c["pass"], c["record"]): c["row"] for c in encoding["rows"]}
    for table in encoding["tables"]:
        count = len(table["record_of_row"])
        columns = {
            name: np.frombuffer(bytes.fromhex(text), np.uint8).reshape(count, -1)
            for name, text in table["columns"].items()
        }
        pairs = [(name, bytes.fromhex(text)) for name, text in table["columns"].items()]
        assert reference.columns_digest(pairs).hex() == table["digest"]
        found = sorted(r for r in table["record_of_row"] if r >= 0)
        wanted = [
            r
            for (p, r), row in rows.items()
            if p == table["pass"]
            and row
            and r < table["people"]
            and reference.takes_part(encoding["schema"], p, encoding["records"][r])
        ]
        assert found == wanted
        for at, record in enumerate(table["record_shown"]):
            row = {name: column[at].tobytes() for name, column in columns.items()}
            person = encoding["records"][record]
            own = rows[table["pass"], record]
            if own and reference.takes_part(encoding["schema"], table["pass"], person):
                check_row(schema, table["pass"], row, own)
            else:
                check_stand_in(reference, encoding, table["pass"], row, person)


def check_stand_in(reference, encoding, pass_id, row, person):
    """Who takes no part shows a row all the same, of the own side alone."""
    secret = bytes.fromhex(encoding["linkage_secret"])
    made = reference.stand_in(encoding["schema"], pass_id, "requester", secret, person)
    assert row["keys"] == made["keys"]
    at = 0
    for segment, bits in zip(made["segments"], find_bits(encoding["schema"], pass_id), strict=True):
        shown = row["filters"][at : at + bits // 8]
        assert segment is None or shown == segment["masked"]
        at += bits // 8


def find_bits(schema, pass_id):
    (p,) = [p for p in schema["passes"] if p["id"] == pass_id]
    return [s["bits"] for s in p["similar"]]


def check_row(schema, pass_id, row, expected):
    p = schema.get_pass(pass_id)
    key = expected["bucket"].to_bytes(2, "little").hex() if p.similar else expected["token"]
    assert row["keys"].hex() == key
    for i, tag in enumerate(expected["tags"]):
        assert tag is None or row["tags"][8 * i : 8 * i + 8].hex() == tag
    at = 0
    for i, (shape, segment) in enumerate(zip(p.similar, expected["segments"], strict=True)):
        bits = row["filters"][at : at + shape.bits // 8]
        assert segment is None or bits.hex() == segment["masked"]
        assert bool(row["presence"][i // 8] >> (i % 8) & 1) is (segment is not None)
        at += shape.bits // 8


def test_reference_names_the_handles(encoding, reference):
    case = encoding["handles"]
    key = bytes.fromhex(case["key"])
    for record, handle in case["records"].items():
        assert reference.record_handle(key, case["pass"], record).hex() == handle
    for number, handle in case["cover"].items():
        assert reference.cover_handle(key, case["pass"], int(number)).hex() == handle


# Any record, any shape


KINDS = ["person_name", "date", "code", "nik", "sex", "nationality", "text", "address", "email"]
VALUES = st.one_of(
    st.just(""),
    st.text("ab -", max_size=12),
    st.text(max_size=20).filter(lambda text: "\x00" not in text),
    st.dates().map(str),
    st.sampled_from(["L", "IDN", "x" * 300, "1990-13-99", "99990-1-01"]),
)


@st.composite
def schemas(draw):
    """A schema of five fields and one pass that has segments of every sort."""
    fields = [{"name": f"f{i}", "kind": draw(st.sampled_from(KINDS))} for i in range(5)]
    names = [f["name"] for f in fields]
    bits = draw(st.sampled_from([64, 128, 192, 512]))
    shape = {"bits": bits, "diffusion": draw(st.sampled_from([0, 1, 8, 10, 60]))}
    grouped = [
        {"fields": [n], "group": "g", "weight": draw(st.integers(1, 300)), **shape}
        for n in draw(st.permutations(names))[:2]
    ]
    merged = {
        "fields": draw(st.permutations(names))[:3],
        "bits": draw(st.sampled_from([64, 256])),
        "weight": draw(st.integers(1, 1024)),
    }
    p = {
        "id": "p",
        "exact": draw(st.permutations(names))[: draw(st.integers(1, 3))],
        "similar": [*grouped, merged],
        "confirm": draw(st.permutations(names))[:2],
        "bucket_bits": draw(st.integers(4, 16)),
    }
    return Schema.model_validate({"fields": fields, "passes": [p], "presence": draw(st.booleans())})


@given(schemas(), st.lists(st.tuples(*[VALUES] * 5), min_size=1, max_size=3), st.binary())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_reference_and_package_agree_on_any_record(reference, schema, people, salt):
    secret = hashlib.sha256(salt).digest()
    key = LinkageKey(secret, bytes(32), "flow", 1)
    columns = {
        f.name: pa.array([person[i] for person in people], pa.string())
        for i, f in enumerate(schema.fields)
    }
    (p,) = schema.passes
    encoded = encode_table(schema, p, key, columns, drbg=Drbg(bytes(32)))
    exact = exact_values(schema, p, columns)
    plain = schema.model_dump(mode="json")
    found = 0
    for at, record in enumerate(encoded.record_of_row.tolist()):
        if record < 0:
            continue
        person = {name: column[record].as_py() for name, column in columns.items()}
        values = [column[record].as_py() for column in exact]
        row = reference.encode_row(plain, "p", secret, values, person)
        compare_row(schema, {n: c[at] for n, c in encoded.table.columns.items()}, row)
        assert encoded.tokens[at].tobytes() == row["hash"][:16]
        found += 1
    assert found == sum(all(c[i].as_py() for c in exact) for i in range(len(people)))


def compare_row(schema, row, expected):
    assert row["keys"].tobytes() == expected["keys"]
    at = 0
    for shape, segment in zip(schema.passes[0].similar, expected["segments"], strict=True):
        width = shape.bits // 8
        assert segment is None or row["filters"][at : at + width].tobytes() == segment["masked"]
        at += width
    if schema.presence:
        assert row["presence"].tobytes() == expected["presence"]
    for i, tag in enumerate(expected["tags"]):
        assert tag is None or row["tags"][8 * i : 8 * i + 8].tobytes() == tag


@given(st.sampled_from(KINDS), VALUES)
@settings(max_examples=200)
def test_qgrams_agree_and_never_repeat(reference, kind, value):
    grams = qgrams(Kind(kind), value)
    assert grams == reference.qgrams(kind, value)
    assert len(set(grams)) == len(grams)
