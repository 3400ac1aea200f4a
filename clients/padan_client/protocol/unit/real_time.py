"""Real time: a few records, pass by pass, one call each, put together as a list's answers are.

Every pass is asked, since a later one may contradict an earlier one. What the timing of the calls
ties together is a residual risk that spec 30 names.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from padan.v1 import confirmation_service_pb2 as pb
from padan.v1 import resources_pb2
from padan_client.base.effects import Patience, Steps, call, work
from padan_client.base.errors import UnavailableError
from padan_client.base.language import t
from padan_client.protocol.session import Session
from padan_client.protocol.unit.collect import PassCollector, SealKey
from padan_client.protocol.unit.confirming import finish
from padan_client.protocol.unit.editions import fetch_edition
from padan_client.protocol.unit.merging import open_pass
from padan_client.records.lists import RequestList
from padan_client.results.table import AnsweredBy, ConfirmResult
from padan_linkage.answering.answers import OpenedAnswers
from padan_linkage.crypto.randomness import SEED_BYTES, Drbg
from padan_linkage.crypto.sealing import Opener
from padan_linkage.edition.document import Edition
from padan_linkage.encoding import EncodedPass, PassEncoder
from padan_linkage.schema import Pass

#: Records in one call, by the service's limit.
MOST_AT_ONCE = 1000
#: So often a question is asked anew because the registry changed while it was being asked.
_TRIES = 3


@dataclass(frozen=True, repr=False)
class Counter:
    """A session kept for many small questions, with what it has made and got for them.

    ``editions`` by resource name.
    """

    session: Session
    patience: Patience
    randomness: Callable[[int], bytes]
    encoders: dict[str, PassEncoder] = field(default_factory=dict)
    openers: dict[SealKey, Opener] = field(default_factory=dict)
    editions: dict[str, Edition] = field(default_factory=dict)

    def encoder(self, p: Pass) -> PassEncoder:
        """The pass's encoder, made once."""
        if p.id not in self.encoders:
            self.encoders[p.id] = PassEncoder(self.session.schema, p, self.session.key)
        return self.encoders[p.id]


def ask(counter: Counter, requested: RequestList) -> Steps[ConfirmResult]:
    """Confirm up to MOST_AT_ONCE records; all answers are of one edition."""
    session = counter.session
    for _ in range(_TRIES):
        asked = yield from _ask_passes(counter, requested)
        if asked is not None:
            opened, edition = asked
            by = AnsweredBy(edition.name() if edition else "")
            return finish(
                session.place, session.schema, requested, opened, edition, session.key, by=by
            )
    raise UnavailableError(
        t(
            "Registri sedang diterbitkan ulang. Tanyakan lagi nanti.",
            "The registry is being published anew. Ask again later.",
        )
    )


def _ask_passes(
    counter: Counter, requested: RequestList
) -> Steps[tuple[list[OpenedAnswers], Edition | None] | None]:
    """The answers of every pass and their edition; None where the edition changed on the way."""
    opened: list[OpenedAnswers] = []
    edition: Edition | None = None
    for p in counter.session.schema.passes:
        encoded = yield from work(lambda p=p: _encode(counter, p, requested))  # type: ignore[misc]
        if (encoded.record_of_row < 0).all():
            continue  # no record has the pass's exact fields
        response = yield from _ask_pass(counter, p, encoded)
        answering = yield from _edition(counter, response.edition)
        if edition is not None and edition != answering:
            return None
        edition = answering
        rate = answering.rate
        opened.append(
            (
                yield from work(
                    lambda p=p, encoded=encoded, response=response, rate=rate: _open(  # type: ignore[misc]
                        counter, p, encoded, response, rate
                    )
                )
            )
        )
    return opened, edition


def _edition(counter: Counter, name: str) -> Steps[Edition]:
    """The edition of that resource name, asked for once."""
    if name not in counter.editions:
        counter.editions[name] = yield from fetch_edition(counter.session, name, counter.patience)
    return counter.editions[name]


def _ask_pass(counter: Counter, p: Pass, encoded: EncodedPass) -> Steps[pb.ConfirmRecordsResponse]:
    rows = len(encoded.table)
    return (
        yield from call(
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
    )


def _encode(counter: Counter, p: Pass, requested: RequestList) -> EncodedPass:
    return counter.encoder(p).encode(
        requested.records, rows=len(requested), drbg=Drbg(counter.randomness(SEED_BYTES))
    )


def _open(
    counter: Counter,
    p: Pass,
    encoded: EncodedPass,
    response: pb.ConfirmRecordsResponse,
    rate: float,
) -> OpenedAnswers:
    collector = PassCollector(p, len(encoded.table))
    collector.take_all(response)
    return open_pass(
        counter.session,
        collector.answers(),
        collector.seal,
        encoded.record_of_row,
        encoded.tokens,
        counter.openers,
        rate,
    )
