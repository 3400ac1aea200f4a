"""Vectors of the encoding: every step of some records' rows, small tables, handles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from material import EPOCH, FLOW, key_bytes

from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.encoding import EncodedPass, PassEncoder, kernel
from padan_linkage.encoding.columns import text_of
from padan_linkage.encoding.diffusion import diffusion_rows
from padan_linkage.encoding.handles import cover_handles, record_handles
from padan_linkage.encoding.qgrams import cut_of, qgrams
from padan_linkage.encoding.tokens import buckets, make_tokens, salt_keys
from padan_linkage.normalise import exact_values
from padan_linkage.schema import Kind, Pass, Schema, Segment

#: The records behind these are cover people in the tables.
PEOPLE_OF_TABLE = 6

FIELDS = {
    "nik": "nik",
    "nama_depan": "person_name",
    "nama_belakang": "person_name",
    "tanggal_lahir": "date",
    "tempat_lahir": "place",
    "jenis_kelamin": "sex",
    "kode": "code",
}
PASSES = [
    {"id": "nik", "exact": ["nik"], "confirm": ["nama_depan", "tanggal_lahir"]},
    {"id": "nik-saja", "exact": ["nik"], "without": ["nama_depan", "tanggal_lahir"]},
    {
        "id": "contoh",
        "exact": ["tanggal_lahir"],
        "similar": [{"fields": ["nama_depan"], "bits": 128, "weight": 12, "diffusion": 8}],
    },
    {
        "id": "lengkap",
        "exact": ["tanggal_lahir:year", "kode"],
        "similar": [
            {"fields": ["nama_depan"], "group": "nama", "bits": 192, "weight": 60, "diffusion": 9},
            {
                "fields": ["nama_belakang"],
                "group": "nama",
                "bits": 192,
                "weight": 60,
                "diffusion": 9,
                "beside": ["jenis_kelamin", "tempat_lahir"],
            },
            {"fields": ["tempat_lahir", "jenis_kelamin"], "bits": 64, "weight": 20, "diffusion": 8},
            {"fields": ["tanggal_lahir"], "bits": 256, "weight": 200, "diffusion": 16},
            {"fields": ["nik"], "bits": 64, "weight": 5, "diffusion": 0},
        ],
        "confirm": ["nama_belakang", "tempat_lahir"],
        "bucket_bits": 10,
    },
]
PEOPLE = [
    ("3171234506900001", "wira", "kusumo", "1990-06-05", "kota batu", "L", "A1"),
    ("3171234506900002", "dewi dewi", "", "1990-06-05", "", "P", "A1"),
    ("", "sri", "na\u00efm", "1988-08-08", "", "", "B22"),
    ("3374015207770003", "x", "panjang " * 40, "1990", "kota batu", "WNI2", "A1"),
    ("3374015207770004", "tanpa kode", "sama", "1977-07-12", "kudus", "P", ""),
    ("3374015207770005", "", "", "1977-07-12", "", "", "A1"),
    ("3374015207770006", "", "", "", "", "P", ""),
]


def encoding() -> dict[str, Any]:
    """Schema, subkeys, q-grams, every step of every record's rows, small tables, handles."""
    fields = [{"name": name, "kind": kind} for name, kind in FIELDS.items()]
    schema = Schema.model_validate({"fields": fields, "passes": PASSES, "presence": True})
    secret = key_bytes("linkage secret")
    key = LinkageKey(secret, key_bytes("agreement"), FLOW, EPOCH)
    columns = {
        name: pa.array([person[i] for person in PEOPLE], pa.string())
        for i, name in enumerate(FIELDS)
    }
    return {
        "spec": "proto/spec/10-encoding.md",
        "schema": schema.model_dump(mode="json"),
        "schema_digest": schema.digest().hex(),
        "linkage_secret": secret.hex(),
        "check_value": key.check_value().hex(),
        "subkeys": subkeys(schema, key),
        "qgrams": gram_cases(),
        "records": [dict(zip(FIELDS, person, strict=True)) for person in PEOPLE],
        "rows": [row for p in schema.passes for row in rows(schema, p, key, columns)],
        "tables": [table(schema, p, key, columns) for p in schema.passes],
        "handles": handles(),
    }


def subkeys(schema: Schema, key: LinkageKey) -> list[dict[str, Any]]:
    """All subkeys of the schema."""
    names = [("token", [p.id]) for p in schema.passes]
    names += [("stand-in", [p.id, s]) for p in schema.passes for s in ("provider", "requester")]
    names += [
        ("diffusion", [p.id, label])
        for p in schema.passes
        for label in dict.fromkeys(s.label for s in p.similar)
    ]
    digest = schema.digest()
    return [
        {"label": label, "names": of, "key": key.subkey(label, digest, *of).hex()}
        for label, of in names
    ]


def gram_cases() -> list[dict[str, Any]]:
    """q-grams of values that show each rule and each edge."""
    cases = [
        ("person_name", "wira"),
        ("person_name", "ana banana"),
        ("text", "a  b "),
        ("text", "na\u00ef"),
        ("text", "x" * 300),
        ("date", "1990-06-05"),
        ("date", "1988-08-08"),
        ("date", "1990"),
        ("nik", "3171234506900001"),
        ("code", "A"),
        ("code", "ZZZZ"),
        ("sex", "L"),
        ("nationality", "IDN"),
        ("nationality", "TUVALU"),
        ("email", "a@b.id"),
        ("place", ""),
    ]
    return [
        {"kind": kind, "value": value, "qgrams": [g.hex() for g in qgrams(Kind(kind), value)]}
        for kind, value in cases
    ]


def rows(
    schema: Schema, p: Pass, key: LinkageKey, columns: dict[str, pa.StringArray]
) -> list[dict[str, Any]]:
    """Every record's row in one pass, step by step; null where bits are random."""
    exact = exact_values(schema, p, columns)
    tokens = make_tokens(key.subkey("token", schema.digest(), p.id), exact)
    result = []
    usable = set(tokens.usable.tolist())
    for record in range(len(tokens.hashes)):
        values = [column[record].as_py() for column in exact]
        entry: dict[str, Any] = {"pass": p.id, "record": record, "exact": values, "row": None}
        if record in usable:
            hashed = tokens.hashes[record : record + 1]
            person = {name: column[record].as_py() for name, column in columns.items()}
            entry["row"] = row(schema, p, key, hashed, person)
        result.append(entry)
    return result


def row(
    schema: Schema, p: Pass, key: LinkageKey, hashed: np.ndarray, person: dict[str, str]
) -> dict[str, Any]:
    """One record's row."""
    data = hashed.tobytes()
    return {
        "hash": data.hex(),
        "token": data[:16].hex(),
        "salt_key": data[16:].hex(),
        "bucket": int.from_bytes(buckets(hashed, p.bucket_bits).tobytes(), "little"),
        "segments": [segment(schema, p, key, salt_keys(hashed), i, person) for i in indices(p)],
        "tags": tags(p, salt_keys(hashed), person),
    }


def indices(p: Pass) -> range:
    """Numbers of a pass's segments."""
    return range(len(p.similar))


def segment(
    schema: Schema,
    p: Pass,
    key: LinkageKey,
    salt: np.ndarray,
    index: int,
    person: dict[str, str],
) -> dict[str, Any] | None:
    """The steps of one segment, through the package's kernel with other diffusion rows.

    Rows of zeros leave the pad alone; the identity leaves the plain filter under the pad.
    """
    shape = p.similar[index]
    label = [s.label for s in p.similar].index(shape.label)
    grams = segment_grams(schema, shape, label, person)
    if not grams:
        return None
    subkey = key.subkey("diffusion", schema.digest(), p.id, shape.label)
    true_rows = diffusion_rows(subkey, shape.bits, shape.diffusion)
    identity = diffusion_rows(subkey, shape.bits, 0)
    cuts = np.array([cut_of(schema.kind(name)) for name in shape.fields])
    text = text_of([pa.array([person[name]]) for name in shape.named])

    def encoded(diffusion: np.ndarray) -> np.ndarray:
        out = np.empty((1, shape.bits // 64), np.uint64), np.zeros((1, 1), np.uint8)
        source = (salt, np.zeros(1, np.int64), np.zeros((1, 2), np.uint64))
        kernel.encode_segment(
            (diffusion, cuts, label, (shape.weight, shape.beside_weight), 0, 0),
            text, source, out, (0, 1),
        )  # fmt: skip
        return out[0]

    pad, masked = encoded(np.zeros_like(identity)), encoded(true_rows)
    steps = {"plain": encoded(identity) ^ pad, "diffused": masked ^ pad, "masked": masked}
    return {"label": shape.label, "label_number": label, "qgrams": grams} | {
        name: value.astype("<u8").tobytes().hex() for name, value in steps.items()
    }


def segment_grams(schema: Schema, shape: Segment, label: int, person: dict[str, str]) -> list[str]:
    """The segment's q-grams as they are hashed, without the counter: six bytes each."""
    return [
        (gram[:1] + bytes([label, field]) + gram[1:]).hex()
        for field, name in enumerate(shape.fields)
        for gram in qgrams(schema.kind(name), person[name])
    ]


def tags(p: Pass, salt: np.ndarray, person: dict[str, str]) -> list[str | None]:
    """Confirmation tags of one record; null for a missing value."""
    result: list[str | None] = []
    for index, name in enumerate(p.confirm):
        text = text_of([pa.array([person[name]])])
        out = np.zeros((1, index + 1), np.uint64)
        source = (salt, np.zeros(1, np.int64), np.zeros((1, 2), np.uint64))
        kernel.encode_tags(index, text, source, out, (0, 1))
        value = out[0, index].astype("<u8").tobytes().hex()
        result.append(value if person[name] else None)
    return result


def table(
    schema: Schema, p: Pass, key: LinkageKey, columns: dict[str, pa.StringArray]
) -> dict[str, Any]:
    """A requester's table of all records; the last one is a cover person."""
    seed = key_bytes(f"table {p.id}")
    made = PassEncoder(schema, p, key).arrange(columns, people=PEOPLE_OF_TABLE, drbg=Drbg(seed))
    encoded = EncodedPass.of(made)
    return {
        "pass": p.id,
        "seed": seed.hex(),
        "people": PEOPLE_OF_TABLE,
        "record_shown": made.shown.tolist(),
        "record_of_row": encoded.record_of_row.tolist(),
        "columns": {name: c.tobytes().hex() for name, c in encoded.table.columns.items()},
        "digest": encoded.table.digest().hex(),
    }


def handles() -> dict[str, Any]:
    """Handles of two records and two cover people."""
    key, ids, numbers = key_bytes("handle key"), ["P-1", "caf\u00e9"], [0, 70000]
    records = record_handles(key, "nik", pa.array(ids))
    cover = cover_handles(key, "nik", np.array(numbers))
    return {
        "key": key.hex(),
        "pass": "nik",
        "records": {i: h.tobytes().hex() for i, h in zip(ids, records, strict=True)},
        "cover": {str(n): h.tobytes().hex() for n, h in zip(numbers, cover, strict=True)},
    }
