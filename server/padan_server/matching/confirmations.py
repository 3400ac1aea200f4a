"""Real-time confirmation: a few rows of one pass against the newest committed registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from padan_linkage.answering.answers import PassAnswers
from padan_linkage.matching import MetPairs
from padan_linkage.schema import Layout, Pass
from padan_linkage.tables import PassTable
from padan_server.admission.compatibility import check_schema, check_sides
from padan_server.admission.enforcement import Grant, check_real_time
from padan_server.admission.ledger import Ledger
from padan_server.admission.quotas import AskedEpochs, questions_closed, quota_of
from padan_server.base.clock import jakarta_day
from padan_server.base.errors import field_invalid
from padan_server.base.failpoints import Failpoints
from padan_server.base.model import Dataset, Encoding, RequestKey
from padan_server.base.pieces import InPieces
from padan_server.datasets.registries import KnownRegistries
from padan_server.datasets.rows import check_values, columns_of, named_pass
from padan_server.matching.indexes import Indexes, PreparedIndex
from padan_server.matching.metering import EpochMeter, MeterKey, Meters
from padan_server.store.port import Store

#: Meetings that are counted in one piece: a few milliseconds.
_COUNTED = 256


@dataclass(frozen=True, repr=False)
class Question:
    """Rows of one pass; ``columns`` has every column, absent ones empty."""

    encoding: Encoding
    pass_id: str
    row_count: int
    columns: Mapping[str, bytes]


class Confirmations:
    """Answers questions and charges them."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        indexes: Indexes,
        meters: Meters,
        failpoints: Failpoints,
        max_rows: int,
    ) -> None:
        self._ledger = ledger
        self._epochs = AskedEpochs(store)
        self._registries = KnownRegistries(store)
        self._indexes = indexes
        self._meters = meters
        self._failpoints = failpoints
        self._max_rows = max_rows
        self._layouts: dict[tuple[bytes, str], Layout] = {}

    def confirm(
        self, grant: Grant, question: Question, request: RequestKey | None, pieces: InPieces
    ) -> tuple[Dataset, PassAnswers]:
        """The registry and its answers; charged once for a request, before the answer."""
        p, rows = self._checked(grant, question)
        registry, meter, prepared = self._charged(grant, p, question, request, pieces)
        self._failpoints.hit("confirm.charged")
        result = prepared.asking.match(rows, pieces)
        # Spec 32, "Real time", step 2.
        met = self._meters.met(result, prepared.table, rows)
        if not self._counted(grant, p, meter, met, pieces):
            raise questions_closed(grant)
        self._failpoints.hit("confirm.counted")
        return registry, result.answers(prepared.table)

    def _counted(
        self, grant: Grant, p: Pass, meter: EpochMeter, met: MetPairs, pieces: InPieces
    ) -> bool:
        """Whether the meetings could all be counted; if not, the day is closed."""
        day, quota = jakarta_day(grant.now), quota_of(grant)
        for first in range(0, max(1, len(met)), _COUNTED):
            if first:
                pieces.between()
            if not meter.ask(day, p.id, met.part(first, first + _COUNTED), quota):
                return False
        return True

    def _charged(
        self,
        grant: Grant,
        p: Pass,
        question: Question,
        request: RequestKey | None,
        pieces: InPieces,
    ) -> tuple[Dataset, EpochMeter, PreparedIndex]:
        """The registry that the question is charged for, what counts its meetings, and its index.

        A repetition is answered from the same registry, free; from another it is charged.
        """
        # Spec 30, "Real time".
        paid = self._ledger.known(request)
        while True:
            registry = self._registries.answering(grant, paid)
            check_sides(grant, question.encoding, registry.encoding)
            meter = self._meter(grant, registry, pieces)
            # Before the charge: what cannot be read is not charged.
            asked = grant.schema, grant.flow.match, registry.id, p
            prepared = self._indexes.get(*asked, pieces=pieces)
            if paid == registry.id:
                return registry, meter, prepared
            charged = grant, question.row_count, request, registry.id
            other = self._ledger.charge(*charged, instead_of=paid, pieces=pieces)
            if other is None:
                return registry, meter, prepared
            paid = other

    def _meter(self, grant: Grant, registry: Dataset, pieces: InPieces) -> EpochMeter:
        """What counts the questions to the registry. Raises a refusal if the day is closed."""
        # Spec 32, "Real time", step 1.
        key = MeterKey(grant.key, registry.encoding.epoch)
        meter = self._meters.of(key, grant.schema.passes)
        self._epochs.note(grant, key.epoch, pieces)
        if meter.closed(jakarta_day(grant.now)):
            raise questions_closed(grant)
        return meter

    def _checked(self, grant: Grant, question: Question) -> tuple[Pass, PassTable]:
        check_real_time(grant)
        p = named_pass(grant.schema, question.pass_id)
        if not 1 <= question.row_count <= self._max_rows:
            raise field_invalid(
                "rows.row_count", f"1 sampai {self._max_rows}", f"1 to {self._max_rows}"
            )
        check_schema(grant, question.encoding)
        layout = self._layout(grant, p)
        packed = columns_of(layout, question.columns, question.row_count)
        check_values(layout, p, packed)
        columns = {
            name: np.frombuffer(packed[name], np.uint8).reshape(question.row_count, width)
            for name, width in layout.columns()
        }
        return p, PassTable(p.id, layout, columns)

    def _layout(self, grant: Grant, p: Pass) -> Layout:
        key = grant.schema_digest, p.id
        if key not in self._layouts:
            self._layouts[key] = Layout.of(grant.schema, p, provider=False)
        return self._layouts[key]
