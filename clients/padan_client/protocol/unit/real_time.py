"""Real time: a few records, pass by pass, one call each; the first confident answer stops.

What the timing of the calls ties together is a residual risk that spec 30 names.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from padan.v1 import confirmation_service_pb2 as pb
from padan.v1 import resources_pb2
from padan_client.base.effects import Patience, Steps, call, work
from padan_client.protocol.session import Session
from padan_client.protocol.unit.collect import PassCollector, SealKey
from padan_client.protocol.unit.confirming import finish
from padan_client.protocol.unit.merging import open_pass
from padan_client.records.lists import RequestList
from padan_client.results.table import ConfirmResult
from padan_linkage.answering.answers import OpenedAnswers
from padan_linkage.answering.outcomes import STRONGEST_BAND
from padan_linkage.crypto.randomness import SEED_BYTES, Drbg
from padan_linkage.crypto.sealing import Opener
from padan_linkage.encoding import EncodedPass, PassEncoder
from padan_linkage.schema import Pass

#: Records in one call, by the service's limit.
MOST_AT_ONCE = 1000


@dataclass(frozen=True, repr=False)
class Counter:
    """A session kept for many small questions, with the encoders and openers it has made."""

    session: Session
    patience: Patience
    randomness: Callable[[int], bytes]
    encoders: dict[str, PassEncoder] = field(default_factory=dict)
    openers: dict[SealKey, Opener] = field(default_factory=dict)

    def encoder(self, p: Pass) -> PassEncoder:
        """The pass's encoder, made once."""
        if p.id not in self.encoders:
            self.encoders[p.id] = PassEncoder(self.session.schema, p, self.session.key)
        return self.encoders[p.id]


def ask(counter: Counter, requested: RequestList) -> Steps[ConfirmResult]:
    """Confirm up to MOST_AT_ONCE records."""
    session = counter.session
    open_records = np.arange(len(requested), dtype=np.int64)
    opened: list[OpenedAnswers] = []
    for p in session.schema.passes:
        if not len(open_records):
            break
        answer = yield from _ask_pass(counter, p, requested, open_records)
        if answer is None:
            continue
        opened.append(answer)
        settled = answer.record[answer.matched & (answer.band == STRONGEST_BAND)]
        open_records = np.setdiff1d(open_records, settled, assume_unique=True)
    return finish(session.place, session.schema, requested, opened, [], "")


def _ask_pass(
    counter: Counter, p: Pass, requested: RequestList, records: NDArray[np.int64]
) -> Steps[OpenedAnswers | None]:
    """Ask one pass about some records; None where none of them has the pass's exact fields."""
    encoded = yield from work(lambda: _encode(counter, p, requested, records))
    if (encoded.record_of_row < 0).all():
        return None
    rows = len(encoded.table)
    response = yield from call(
        "ConfirmationService.ConfirmRecords",
        pb.ConfirmRecordsRequest(
            parent=counter.session.place.name,
            encoding=counter.session.encoding(),
            pass_id=p.id,
            rows=resources_pb2.TableRows(row_count=rows, **encoded.table.rows(0, rows)),
            request_id=str(uuid.UUID(bytes=counter.randomness(16), version=4)),
        ),
        pb.ConfirmRecordsResponse,
        counter.patience,
    )
    return (yield from work(lambda: _open(counter, p, encoded, records, response)))


def _encode(
    counter: Counter, p: Pass, requested: RequestList, records: NDArray[np.int64]
) -> EncodedPass:
    return counter.encoder(p).encode(
        requested.subset(records), rows=len(records), drbg=Drbg(counter.randomness(SEED_BYTES))
    )


def _open(
    counter: Counter,
    p: Pass,
    encoded: EncodedPass,
    records: NDArray[np.int64],
    response: pb.ConfirmRecordsResponse,
) -> OpenedAnswers:
    collector = PassCollector(p, len(encoded.table))
    collector.take_all(response)
    of_row = np.where(encoded.record_of_row >= 0, records[encoded.record_of_row], -1)
    return open_pass(
        counter.session,
        collector.answers(),
        collector.seals,
        of_row,
        encoded.tokens,
        counter.openers,
    )
