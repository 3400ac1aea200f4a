"""A publication and its confirmations in one process: what agencies and unit do, without the wire.

Prepared, encoded, matched, opened and merged by the functions that ``padan publish``, the unit and
``padan confirm`` call; only keys, transport and store are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from padan_client.protocol.unit.merging import merge_passes
from padan_client.records.lists import RequestList, prepare_list
from padan_client.records.registry import prepare_registry
from padan_client.rehearse.sides import Keys, Records
from padan_lab.generate import ID_COLUMN
from padan_linkage.agreement import Flow
from padan_linkage.answering.answers import OpenedAnswers, RecordAnswers
from padan_linkage.answering.estimates import PassEstimate
from padan_linkage.answering.payloads import Payloads
from padan_linkage.crypto.sealing import Opener
from padan_linkage.encoding import EncodedPass
from padan_linkage.matching import match_pass
from padan_linkage.schema import Pass, Schema


@dataclass(frozen=True, repr=False)
class PublishedHere:
    """A registry as the unit has it, with the keys of both sides."""

    flow: Flow
    schema: Schema
    keys: Keys
    opener: Opener
    tables: Mapping[str, EncodedPass]
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
        return cls(flow, schema, keys, keys.opener(), tables, threads)

    def ask(self, table: pa.Table) -> tuple[RequestList, RecordAnswers]:
        """Confirm a list of generated rows."""
        asked = prepare_list(self.schema, table, columns=None, id_column=ID_COLUMN)
        if not len(asked):
            return asked, RecordAnswers.none(0)
        records = _records(asked.ids.take(pa.array(asked.usable)), asked.records)
        both = [self._opened(p, records) for p in self.schema.passes]
        opened, passes = [o for o, _ in both], [e for _, e in both]
        return asked, merge_passes(self.flow, self.schema, asked, opened, passes)[0]

    def _opened(self, p: Pass, records: Records) -> tuple[OpenedAnswers, PassEstimate]:
        theirs = self.tables[p.id]
        mine = self.keys.encode(p, records, provider=False, threads=self.threads)
        result = match_pass(
            self.schema, p, theirs.table, mine.table, self.flow.match, threads=self.threads
        )
        answers = result.answers(theirs.table, 0)
        tokens = mine.tokens[answers.matched_rows]
        packed, genuine = self.opener.open(p.id, tokens, answers.sealed)
        said, rows = Payloads.unpack(packed), answers.matched_rows
        return OpenedAnswers.of(answers, mine.record_of_row, said, ~genuine, rows), result.estimate


def _records(ids: pa.StringArray, fields: Mapping[str, pa.StringArray]) -> Records:
    return Records(ids, np.arange(len(ids)), dict(fields), 0)
