"""Vectors of direct mode: inputs, outputs, labels, a table, a commitment, a manifest (spec 60)."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
from label_vectors import DUMMIES, SEQUENCE, LabelVectors
from material import EPOCH, FLOW, key_bytes

from padan_linkage.crypto.merkle import Tree, leaf_hash
from padan_linkage.crypto.signatures import public_key, sign
from padan_linkage.direct.blinding import blind
from padan_linkage.direct.commitment import CHUNK_ELEMENTS, Commitment, ListLayout
from padan_linkage.direct.inputs import list_inputs
from padan_linkage.direct.labelling.persons import places
from padan_linkage.direct.manifest import Manifest, manifest_statement
from padan_linkage.direct.oprf import EvaluationKey, epoch_keys
from padan_linkage.direct.schema import DirectSchema
from padan_linkage.normalise import NORMALISER_VERSION
from padan_linkage.schema import Schema

FIELDS = {"nik": "nik", "paspor": "passport", "nama": "person_name", "tanggal_lahir": "date"}
KEYS = [
    {"id": "nik-depan", "exact": ["nik", "nama:phonetic_first"]},
    {"id": "nik-wilayah", "exact": ["nik:area", "nama:phonetic", "tanggal_lahir:year_month"],
     "weak": True},
    {"id": "paspor-salah", "exact": ["paspor:edits", "tanggal_lahir"], "weak": True},
    {"id": "nama-salah", "exact": ["nama:edits", "tanggal_lahir"], "weak": True, "alone": True},
    {"id": "nik", "exact": ["nik"], "without": ["nama", "tanggal_lahir"]},
]  # fmt: skip
#: Nobody: normalised records of a registry, with their codes; without one they are set aside.
RECORDS = [
    (["3171014101900001", "A1234567", "siti nurhaliza", "1990-01-01"], 1),
    (["3171014101900001", "", "siti nurhaliza", "1990-01-01"], 2),
    (["?317101410190001", "", "budi", "1990-01-01"], 4),
    (["", "B7654321", "budi", "1990-01-01"], 0),
]
#: A list of two keys, neither of which fills its last chunk.
COMMITTED = ListLayout(CHUNK_ELEMENTS + 2, (1, 2))


def direct() -> dict[str, Any]:
    """Everything, from one seed and four records."""
    seed, digest, table_id = key_bytes("seed"), key_bytes("agreement"), key_bytes("table")[:16]
    fields = Schema.model_validate(
        {
            "fields": [{"name": n, "kind": k} for n, k in FIELDS.items()],
            "passes": [{"id": "nik", "exact": ["nik"]}],
        }
    )
    schema = DirectSchema.model_validate(
        {"keys": KEYS, "records_per_day": 1, "records_per_list": 1}
    )
    ids = [key.id for key in schema.keys]
    keys = epoch_keys(seed, agreement_digest=digest, flow_id=FLOW, epoch=EPOCH, key_ids=ids)
    base_id, codes = key_bytes("base")[:16], np.array([codes for _, codes in RECORDS], np.uint64)
    made = LabelVectors(schema, fields, columns(), codes, keys, seed, base_id, table_id)
    return {
        "spec": "proto/spec/60-direct-mode.md",
        "seed": seed.hex(),
        "agreement_digest": digest.hex(),
        "flow_id": FLOW,
        "epoch": EPOCH,
        "public_keys": hexed(keys),
        "fields": FIELDS,
        "keys": [k.model_dump(mode="json") for k in schema.keys],
        "schema_digest": schema.digest(fields).hex(),
        "records": [{"values": values, "codes": codes} for values, codes in RECORDS],
        "list": asked(schema, fields),
        "table_id": table_id.hex(),
        "evaluation": evaluation(keys["nik-depan"]),
        "base_id": base_id.hex(),
        "sequence": SEQUENCE,
        "places": dict(places(schema)),
        "persons": made.persons(),
        "labels": made.labels(),
        "gone": made.gone(),
        "dummy_seed": key_bytes("dummies").hex(),
        "dummies": DUMMIES,
        "rows": made.rows(),
        "chunks": chunks(),
        "commitment": commitment(),
        "manifest": manifest(schema.digest(fields), keys, table_id),
    }


#: By the direct key's id.
Keys = dict[str, EvaluationKey]


def hexed(keys: Keys) -> dict[str, str]:
    """Their public keys."""
    return {key_id: key.public_key.hex() for key_id, key in keys.items()}


def asked(schema: DirectSchema, fields: Schema) -> dict[str, Any]:
    """The records as a list of one more: what every key asks, dummies among it."""
    rows = len(RECORDS) + 1
    inputs = list_inputs(fields, schema, columns(), rows)
    return {
        "rows": rows,
        "widths": inputs.layout.widths,
        "messages": [message.hex() for message in inputs.messages.to_pylist()],
    }


def columns() -> dict[str, pa.StringArray]:
    """The records by field."""
    values = zip(*(record for record, _ in RECORDS), strict=True)
    return {name: pa.array(column) for name, column in zip(FIELDS, values, strict=True)}


def evaluation(key: EvaluationKey) -> dict[str, Any]:
    """Inputs blinded, evaluated and proved with given randomness."""
    inputs = [b"a", b"b", b"c"]
    randomness = b"".join(key_bytes(f"blind {i}") for i in range(2 * len(inputs)))
    proof_randomness = key_bytes("proof")
    blinded = blind(inputs, randomness)
    evaluated, proof = key.evaluate_blinded(blinded.elements, proof_randomness)
    outputs = blinded.finalise(evaluated, proof, key.public_key)
    return {
        "inputs": [each.hex() for each in inputs],
        "randomness": randomness.hex(),
        "blinded": blinded.elements.hex(),
        "proof_randomness": proof_randomness.hex(),
        "evaluated": evaluated.hex(),
        "proof": proof.hex(),
        "outputs": [each.tobytes().hex() for each in outputs],
    }


def element(number: int) -> bytes:
    """What stands for a blinded element; a commitment does not look inside."""
    return hashlib.sha256(b"element" + number.to_bytes(4, "big")).digest()


def commitment() -> dict[str, Any]:
    """A list of two keys, its chunks by key, first element and number, with every audit path."""
    committed = Commitment.to(COMMITTED, b"".join(map(element, range(COMMITTED.element_count))))
    return {
        "element": 'SHA-256("element" || u32 number), from 0',
        "element_count": COMMITTED.element_count,
        "widths": COMMITTED.widths,
        "chunks": [[each.key, each.start, each.count] for each in COMMITTED.chunks()],
        "root": committed.root.hex(),
        "audit_paths": [committed.audit_path(i).hex() for i in range(COMMITTED.chunk_count)],
    }


def chunks() -> dict[str, Any]:
    """Leaf hashes and roots of short entries, for trees of each size up to nine."""
    leaves = [leaf_hash(bytes([i]) * i) for i in range(9)]
    return {
        "entry": "byte i, i times, from 0",
        "leaf_hashes": [leaf.hex() for leaf in leaves],
        "roots": [Tree(leaves[:size]).root.hex() for size in range(10)],
    }


def manifest(schema_digest: bytes, keys: Keys, table_id: bytes) -> dict[str, Any]:
    """A delta's manifest, signed."""
    private = key_bytes("provider sign")
    made = Manifest(
        agreement="kemnaker-bkn-2024",
        agreement_digest=key_bytes("agreement").hex(),
        flow=FLOW,
        epoch=EPOCH,
        table=table_id.hex(),
        base=key_bytes("base")[:16].hex(),
        sequence=1,
        public_keys=hexed(keys),
        root=key_bytes("root").hex(),
        rows=4096,
        direct_schema_digest=schema_digest.hex(),
        normaliser_version=NORMALISER_VERSION,
        created="2026-11-20T00:00:00Z",
        expires="2026-12-20T00:00:00Z",
    )
    return {
        "content": made.model_dump(mode="json"),
        "document": made.document().decode(),
        "statement": manifest_statement(made.document()).hex(),
        "sign_public": public_key(private).hex(),
        "signature": sign(private, manifest_statement(made.document())).hex(),
    }
