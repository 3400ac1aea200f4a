"""A registry of generated people as the unit holds it, made in one process as publishing does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from padan_client.records.preparing import prepare
from padan_lab.demo.registries import in_words
from padan_lab.generate import generate_demo
from padan_linkage.agreement import Flow
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.edition.measuring import EditionMaker
from padan_linkage.encoding import EncodedPass, PassEncoder
from padan_linkage.matching.scoring.calibration import Calibration
from padan_linkage.schema import Schema


@dataclass(frozen=True, repr=False)
class AskedRegistry:
    """A flow's registry: its people, tables and calibrations by pass, and the linkage key."""

    schema: Schema
    policy: MatchPolicy
    people: Mapping[str, pa.StringArray]
    key: LinkageKey
    drbg: Drbg
    tables: Mapping[str, EncodedPass]
    calibrations: Mapping[str, Calibration]


def publish(flow: Flow, people: int, seed: int, *, threads: int = 1) -> AskedRegistry:
    """Generate ``people`` for a flow, encode them, measure the edition.

    Without cover people, of whom nobody asks. All is the same for the same ``seed``. Raises
    ValueError for a flow without a schema.
    """
    if (schema := flow.schema) is None:
        raise ValueError(f"flow {flow.id} has no schema")
    registry = generate_demo(in_words(flow), people, 16, seed).registry
    fields = prepare(registry, schema, id_column="id").fields
    secret = hashlib.sha256(f"oracle {seed}".encode()).digest()
    key, drbg = LinkageKey(secret, schema.digest(), flow.id, 1), Drbg(secret)
    codes = np.ones(people, np.uint64)
    maker = EditionMaker.of(
        schema, flow.match, fields, codes, drbg.fork("edition"), threads=threads
    )
    tables = {}
    for p in schema.passes:
        encoder = PassEncoder(schema, p, key, threads=threads)
        made = encoder.encode(fields, drbg=drbg.fork(p.id))
        asked = encoder.encode(maker.questions, drbg=drbg.fork(f"asked {p.id}"))
        maker.take(p, made.table, made.record_of_row, asked.table, asked.record_of_row)
        tables[p.id] = made
    _, calibrations = maker.made("0" * 64, flow.id)
    return AskedRegistry(schema, flow.match, fields, key, drbg, tables, calibrations)
