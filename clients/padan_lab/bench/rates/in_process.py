"""A publication and its confirmations in one process: what agencies and unit do, without the wire.

A rehearsed run (:mod:`padan_client.rehearse.as_a_run`) on tables of generated rows, whose lists are
prepared and merged by the functions that ``padan confirm`` calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from padan_client.protocol.unit.merging import merge_passes
from padan_client.records.lists import RequestList, prepare_list
from padan_client.rehearse.as_a_run import (
    RehearsedFlow,
    RehearsedPublication,
    RehearsedRegistry,
    RunRehearsal,
)
from padan_client.rehearse.sides import Keys, Records
from padan_lab.generate import ID_COLUMN
from padan_linkage.agreement import Flow
from padan_linkage.answering.answers import RecordAnswers


@dataclass(frozen=True, repr=False)
class PublishedHere:
    """A registry as the unit has it, and the run that asks it."""

    flow: Flow
    run: RunRehearsal
    publication: RehearsedPublication

    @classmethod
    def of(cls, flow: Flow, table: pa.Table, seed: str, threads: int) -> PublishedHere:
        """Publish a table of generated rows; the same seed gives the same encodings."""
        schema = flow.schema
        assert schema is not None
        run = RunRehearsal(schema, flow.match, Keys(schema, seed.encode()), threads)
        given = RehearsedFlow(b"", flow)
        registry = RehearsedRegistry.of_table(table, ID_COLUMN, given, schema)
        return cls(flow, run, run.publish(registry))

    def ask(self, table: pa.Table) -> tuple[RequestList, RecordAnswers]:
        """Confirm a list of generated rows."""
        schema, edition = self.run.schema, self.publication.edition
        asked = prepare_list(schema, table, columns=None, id_column=ID_COLUMN)
        if not len(asked):
            return asked, RecordAnswers.none(0)
        records = _records(asked.ids.take(pa.array(asked.usable)), asked.records)
        opened = [a.opened for a in self.run.ask(records, self.publication)]
        return asked, merge_passes(self.flow, schema, asked, opened, edition, None)[0]


def _records(ids: pa.StringArray, fields: Mapping[str, pa.StringArray]) -> Records:
    return Records(ids, np.arange(len(ids)), dict(fields), 0)
