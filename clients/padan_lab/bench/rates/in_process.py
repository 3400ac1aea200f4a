"""A publication and its confirmations in one process: what agencies and unit do, without the wire.

Prepared, encoded, matched, opened and merged by the functions that ``padan publish``, the unit and
``padan confirm`` call; only keys, transport and store are left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from padan_client.protocol.unit.measuring import question_records, without_decoys
from padan_client.protocol.unit.merging import merge_passes
from padan_client.records.lists import RequestList, prepare_list
from padan_client.records.registry import prepare_registry
from padan_client.rehearse.sides import Keys, Records
from padan_lab.generate import ID_COLUMN
from padan_linkage.agreement import Flow
from padan_linkage.answering.answers import OpenedAnswers, RecordAnswers
from padan_linkage.answering.payloads import Payloads
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.crypto.sealing import Opener
from padan_linkage.edition.document import Edition
from padan_linkage.edition.measuring import EditionMaker
from padan_linkage.encoding import EncodedPass
from padan_linkage.matching import Calibration, match_pass
from padan_linkage.schema import Pass, Schema


@dataclass(frozen=True, repr=False)
class PublishedHere:
    """A registry as the unit has it, with the keys of both sides."""

    flow: Flow
    schema: Schema
    keys: Keys
    opener: Opener
    tables: Mapping[str, EncodedPass]
    edition: Edition
    calibrations: Mapping[str, Calibration]
    threads: int

    @classmethod
    def of(cls, flow: Flow, table: pa.Table, seed: str, threads: int) -> PublishedHere:
        """Publish a table of generated rows; the same seed gives the same encodings."""
        schema = flow.schema
        assert schema is not None
        registry = prepare_registry(
            flow, schema, table, columns=None, id_column=ID_COLUMN, status_columns=None
        )
        keys = Keys(schema, seed.encode())
        records = _records(registry.ids, registry.records)
        tables = {
            p.id: keys.encode(
                p, records, provider=True, threads=threads, payloads=registry.payloads
            )
            for p in schema.passes
        }
        codes = Payloads.unpack(registry.payloads).codes
        drbg = Drbg(hashlib.sha256(seed.encode()).digest())
        maker = EditionMaker.of(schema, flow.match, registry.records, codes, drbg, threads=threads)
        asked = question_records(maker)
        numbers = pa.array(np.arange(len(maker.asked)).astype(str))
        for p in schema.passes:
            made = keys.encode(p, _records(numbers, asked), provider=False, threads=threads)
            theirs = tables[p.id]
            maker.take(p, theirs.table, theirs.record_of_row, *without_decoys(made))
        edition, calibrations = maker.made("", flow.id)
        return cls(flow, schema, keys, keys.opener(), tables, edition, calibrations, threads)

    def ask(self, table: pa.Table) -> tuple[RequestList, RecordAnswers]:
        """Confirm a list of generated rows."""
        asked = prepare_list(self.schema, table, columns=None, id_column=ID_COLUMN)
        if not len(asked):
            return asked, RecordAnswers.none(0)
        records = _records(asked.ids.take(pa.array(asked.usable)), asked.records)
        opened = [self._opened(p, records) for p in self.schema.passes]
        return asked, merge_passes(self.flow, self.schema, asked, opened, self.edition)[0]

    def _opened(self, p: Pass, records: Records) -> OpenedAnswers:
        theirs = self.tables[p.id]
        mine = self.keys.encode(p, records, provider=False, threads=self.threads)
        result = match_pass(
            self.schema,
            p,
            theirs.table,
            mine.table,
            self.flow.match,
            self.calibrations.get(p.id),
            threads=self.threads,
        )
        answers = result.answers(theirs.table, 0)
        tokens = mine.tokens[answers.matched_rows]
        packed, genuine = self.opener.open(p.id, tokens, answers.sealed)
        said, rows = Payloads.unpack(packed), answers.matched_rows
        return OpenedAnswers.of(answers, mine.record_of_row, said, ~genuine, rows)


def _records(ids: pa.StringArray, fields: Mapping[str, pa.StringArray]) -> Records:
    return Records(ids, np.arange(len(ids)), dict(fields), 0)
