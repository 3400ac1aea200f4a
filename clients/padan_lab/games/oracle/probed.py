"""A table of direct mode that is asked with inputs of the asker's making, and what those may tell.

It is built by the provider's own builder and read by the requester's own functions. Start at
:meth:`ProbedTable.ask`; :mod:`padan_linkage.direct.bound` is the bound. Spec 60, "Made-up rows".
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa

from padan_client.protocol.direct.blocks import BlockPlan
from padan_client.protocol.direct.building import Builder
from padan_client.records.registry import Registry, empty_registry
from padan_linkage.agreement import Flow
from padan_linkage.answering.payloads import Payloads
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.inputs import key_inputs
from padan_linkage.direct.labelling.lookup import LabelMeetings, SourceTable, look_up
from padan_linkage.direct.labelling.opening import opened
from padan_linkage.direct.oprf import EvaluationKey
from padan_linkage.direct.schema import most_values
from padan_linkage.direct.table import LabelTable

Rows = Mapping[str, Sequence[str]]


@dataclass(repr=False)
class ProbedTable:
    """A flow's table of so many ``people``, and whoever evaluates.

    ``asked``: how many elements of each key so far.
    """

    flow: Flow
    people: int
    table: SourceTable
    keys: Mapping[str, EvaluationKey]
    asked: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, flow: Flow, people: Mapping[str, pa.StringArray], seed: int) -> Self:
        """The table of these people, built as a provider builds it; codes are drawn evenly."""
        assert flow.schema is not None
        drbg, count = Drbg(seed.to_bytes(32, "big")), len(people["nama"])
        codes = np.random.default_rng(seed).integers(0, len(flow.codes), count).astype(np.uint64)
        registry = Registry(
            ids=pa.array([str(i) for i in range(count)]),
            records=dict(people),
            payloads=Payloads.of(np.uint64(1) << codes).pack(),
            quarantine=empty_registry(flow.schema).quarantine,
        )
        table_id = drbg.bytes(16)
        ids = table_id, table_id, 0
        plan = BlockPlan.of(flow, bytes(32), 1, ids, drbg.bytes(32), drbg.bytes(32))
        with tempfile.TemporaryDirectory(prefix="padan-profile-") as name:
            folder = Path(name)
            built = Builder(plan, folder, 1, drbg).base(registry, folder / "rows", _unseen)
            rows = np.fromfile(folder / "rows", np.uint8).reshape(built.rows, -1)
        return cls(flow, count, SourceTable(LabelTable(rows), table_id), plan.keys())

    def ask(self, key_id: str, rows: Rows) -> LabelMeetings:
        """Whom rows meet under a key, each by its first value; fields that are not said are empty.

        ``without`` holds nobody back who makes rows up. The output of an input is evaluated
        directly: blinding changes what the provider sees, and nothing of this.
        """
        direct, fields = self.flow.direct, self.flow.schema
        assert direct is not None
        assert fields is not None
        count = len(next(iter(rows.values())))
        columns = {f.name: pa.array(rows.get(f.name, [""] * count), pa.string())
                   for f in fields.fields}  # fmt: skip
        inputs = key_inputs(fields, direct.key(key_id).model_copy(update={"values": 1}), columns)
        self.asked[key_id] += len(inputs)
        outputs = self.keys[key_id].evaluate(inputs.messages.to_pylist())
        number = [key.id for key in direct.keys].index(key_id)
        return look_up([self.table], outputs, number, inputs.record)

    def opens(self, met: Sequence[LabelMeetings]) -> dict[int, int]:
        """Codes by pseudonym of all whom these labels open, put together as the product does."""
        assert self.flow.direct is not None
        joined = LabelMeetings.joined(met)
        whole = LabelMeetings(joined.record * 0, joined.key, joined.slot, joined.table, joined.body)
        ids = [self.table.table_id]
        asked = np.ones((1, len(self.flow.direct.keys)), np.bool_)
        people, said = opened(self.flow.direct, ids, whole, asked, len(self.flow.codes))
        pseudonyms = np.unique(whole.pseudonym)[people.person]
        clear = people.opens & ~said.broken
        return dict(zip(pseudonyms[clear].tolist(), said.codes[clear].tolist(), strict=True))

    def records(self, asked: Mapping[str, int]) -> float:
        """Records that have slots for so many elements of each key."""
        direct, fields = self.flow.direct, self.flow.schema
        assert direct is not None
        assert fields is not None
        return max(asked.get(k.id, 0) / most_values(fields, k) for k in direct.keys)


def _unseen(_: int) -> None:
    """Nobody waits for the progress."""


def columns_of(rows: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """Rows that all say the same fields, field by field; at least one."""
    return {name: [row[name] for row in rows] for name in rows[0]}
