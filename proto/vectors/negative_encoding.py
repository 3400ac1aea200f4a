"""Negative vectors of the encoding: schemas, chunks of a table, sides that do not fit (spec 10)."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import numpy as np
from faults import Faults, flip, negative
from material import EPOCH, key_bytes

from padan_linkage.normalise import NORMALISER_VERSION
from padan_linkage.schema import Layout, Schema
from padan_linkage.tables import PassTable

SCHEMA: dict[str, Any] = {
    "fields": [
        {"name": "nama", "kind": "person_name"},
        {"name": "ibu", "kind": "person_name"},
        {"name": "lahir", "kind": "date"},
        {"name": "kelamin", "kind": "sex"},
    ],
    "passes": [
        {
            "id": "lahir",
            "exact": ["lahir"],
            "similar": [
                {"fields": ["nama"], "group": "orang", "bits": 128, "beside": ["kelamin"]},
                {"fields": ["ibu"], "group": "orang", "bits": 128},
            ],
            "confirm": ["kelamin"],
            "bucket_bits": 10,
        },
        {
            "id": "nama",
            "exact": ["nama:sorted", "lahir:year"],
            "similar": [{"fields": ["ibu"], "bits": 128}],
        },
    ],
    "presence": True,
}
ROWS = 2


def negative_encoding() -> dict[str, Any]:
    """Faults of what is agreed, what is uploaded, and what the two sides say of their encodings."""
    return negative("10-encoding.md", schemas(), chunks(), sides())


def text(schema: dict[str, Any]) -> str:
    """A schema on one line."""
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))


def schemas() -> Faults:
    """A schema as an agreement has it; each fault is one entry, given by its path."""
    call = Faults("schema", "Schema digest; Limits", schema=text(SCHEMA))
    segment, alone = (("passes", number, "similar", 0) for number in (0, 1))
    for name, path, value in [
        ("bits_not_whole_words", (*alone, "bits"), 100),
        ("bits_too_many", (*alone, "bits"), 4160),
        ("weight_zero", (*alone, "weight"), 0),
        ("weight_too_great", (*alone, "weight"), 1025),
        ("diffusion_too_great", (*alone, "diffusion"), 65),
        ("group_of_two_lengths", (*segment, "bits"), 256),
        ("group_of_two_diffusions", (*segment, "diffusion"), 9),
        ("too_many_fields_beside", (*segment, "weight"), 3),
        ("segment_of_no_field", (*alone, "fields"), []),
        ("unknown_field_in_segment", (*alone, "fields"), ["ayah"]),
        ("unknown_field_beside", (*segment, "beside"), ["agama"]),
        ("unknown_key", (*alone, "hashes"), 7),
        ("bucket_bits_too_few", ("passes", 0, "bucket_bits"), 3),
        ("bucket_bits_too_many", ("passes", 0, "bucket_bits"), 17),
        ("unknown_field_confirmed", ("passes", 0, "confirm"), ["nik"]),
        ("nothing_exact", ("passes", 1, "exact"), []),
        ("unknown_exact_field", ("passes", 1, "exact"), ["nik"]),
        ("derivation_of_another_kind", ("passes", 1, "exact"), ["nama:sorted", "lahir:phonetic"]),
        ("repeated_pass_id", ("passes", 1, "id"), "lahir"),
        ("pass_id_in_capitals", ("passes", 1, "id"), "NAMA"),
        ("no_pass", ("passes",), []),
        ("repeated_field", ("fields", 1, "name"), "nama"),
        ("unknown_kind", ("fields", 3, "kind"), "gender"),
        ("negative_decoy_share", ("decoy_share",), -0.25),
        ("decoy_share_too_great", ("decoy_share",), 4.5),
    ]:
        call.fault(name, "ValidationError", schema=text(changed(path, value)))
    return call


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The schema with one entry replaced, or added."""
    whole = deepcopy(SCHEMA)
    place: Any = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return whole


def chunks() -> Faults:
    """A chunk of a delta's table, as the unit takes it; what is malformed has the right digest."""
    schema = Schema.model_validate(SCHEMA)
    layout = Layout.of(schema, schema.passes[0], provider=True, delta=True)
    columns = {
        name: b"".join(key_bytes(f"{name} {i}") for i in range(width * ROWS // 32 + 1))[
            : width * ROWS
        ]
        for name, width in layout.columns()
    }
    columns |= {"keys": bytes.fromhex("ff030000"), "operations": b"\x01\x02"}
    call = Faults(
        "chunk",
        "Tables",
        schema=text(SCHEMA),
        row_count=ROWS,
        room=ROWS,
        columns=columns,
        digest=digest(layout, columns),
        **{"pass": "lahir"},
    )

    def malformed(name: str, **replaced: bytes) -> None:
        faulty = columns | replaced
        whole = all(len(faulty[n]) == len(columns[n]) for n in columns)
        sums = {"digest": digest(layout, faulty)} if whole else {}
        call.fault(name, "Refusal:ROWS_MALFORMED", columns=faulty, **sums)

    malformed("bucket_out_of_range", keys=bytes.fromhex("00040000"))
    malformed("unknown_operation", operations=b"\x01\x03")
    malformed("truncated_keys", keys=columns["keys"][:-1])
    malformed("truncated_filters", filters=columns["filters"][:-1])
    malformed("missing_presence", presence=b"")
    malformed("missing_sealed_codes", sealed_codes=b"")
    malformed("handles_of_three_rows", handles=columns["handles"] * 2)
    call.fault("too_many_rows", "Refusal:ROWS_MALFORMED", room=1)
    call.fault("fewer_rows_than_columns", "Refusal:ROWS_MALFORMED", row_count=1)
    call.fault("no_row", "Refusal:FIELD_INVALID", row_count=0)
    corrupt = "Refusal:CHUNK_CORRUPT"
    call.fault("bad_digest", corrupt, digest=flip(digest(layout, columns), 0))
    call.fault("truncated_digest", corrupt, digest=digest(layout, columns)[:-1])
    flipped = columns | {"tags": flip(columns["tags"], 3)}
    call.fault("flipped_bit", corrupt, columns=flipped)
    swapped = columns | {"keys": columns["keys"][2:] + columns["keys"][:2]}
    call.fault("swapped_keys", corrupt, columns=swapped)
    return call


def digest(layout: Layout, columns: dict[str, bytes]) -> bytes:
    """The digest of a chunk."""
    arrays = {n: np.frombuffer(c, np.uint8).reshape(ROWS, -1) for n, c in columns.items()}
    return PassTable("lahir", layout, arrays).digest()


def sides() -> Faults:
    """What two uploads say of how they were encoded, before a row of them is compared."""
    names = ("schema_digest", "epoch", "normaliser_version", "key_check_value")
    said = (key_bytes("schema"), EPOCH, NORMALISER_VERSION, key_bytes("check value")[:16])
    mine = {f"my_{name}": value for name, value in zip(names, said, strict=True)}
    theirs = {f"their_{name}": value for name, value in zip(names, said, strict=True)}
    call = Faults("sides", "Schema digest", **mine, **theirs)
    call.fault("wrong_schema", "Refusal:SCHEMA_MISMATCH", their_schema_digest=key_bytes("other"))
    call.fault("wrong_epoch", "Refusal:EPOCH_MISMATCH", their_epoch=EPOCH + 1)
    call.fault("wrong_normaliser", "Refusal:NORMALISER_MISMATCH", their_normaliser_version="id-1")
    other = key_bytes("other check value")[:16]
    call.fault("wrong_key", "Refusal:KEY_CHECK_MISMATCH", their_key_check_value=other)
    return call
