"""Real time: a few records, pass by pass, one call each, put together as a list's answers are.

Every pass is asked, in the schema's order, and only then is any answer looked at: how many calls
there are, of what size, follows from the number of records. What the timing of the calls ties
together is a residual risk that spec 30 names.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from padan.v1 import confirmation_service_pb2 as pb
from padan.v1 import resources_pb2
from padan_client.base.effects import Patience, Steps, call, together, work
from padan_client.base.errors import UnavailableError
from padan_client.base.language import t
from padan_client.base.shared import Shared
from padan_client.protocol.session import Session
from padan_client.protocol.unit.collect import PassCollector, SealKey
from padan_client.protocol.unit.confirming import finish
from padan_client.protocol.unit.editions import fetch_edition
from padan_client.protocol.unit.merging import open_pass
from padan_client.records.lists import RequestList
from padan_client.results.table import AnsweredBy, ConfirmResult
from padan_linkage.answering.answers import OpenedAnswers
from padan_linkage.cover import with_cover
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
    fetching: dict[str, Shared[None]] = field(default_factory=dict)

    def encoder(self, p: Pass) -> PassEncoder:
        """The pass's encoder, made once."""
        if p.id not in self.encoders:
            self.encoders[p.id] = PassEncoder(self.session.schema, p, self.session.key)
        return self.encoders[p.id]


@dataclass(frozen=True, repr=False)
class _Asked:
    """One pass as it was asked, and what the unit answered."""

    of: Pass
    encoded: EncodedPass
    response: pb.ConfirmRecordsResponse


def ask(counter: Counter, requested: RequestList) -> Steps[ConfirmResult]:
    """Confirm up to MOST_AT_ONCE records; all answers are of one edition."""
    for _ in range(_TRIES):
        asked = yield from _ask_passes(counter, requested)
        if asked is not None:
            return (yield from work(partial(_finished, counter, requested, *asked)))
    raise UnavailableError(
        t(
            "Registri sedang diterbitkan ulang. Tanyakan lagi nanti.",
            "The registry is being published anew. Ask again later.",
        )
    )


def _finished(
    counter: Counter, requested: RequestList, asked: Sequence[_Asked], edition: Edition
) -> ConfirmResult:
    session, by = counter.session, AnsweredBy(edition.name())
    opened = [_open(counter, each, edition.rate) for each in asked]
    return finish(session.place, session.schema, requested, opened, edition, session.key, by=by)


def _ask_passes(
    counter: Counter, requested: RequestList
) -> Steps[tuple[list[_Asked], Edition] | None]:
    """The answers of every pass and their edition; None where the edition changed on the way.

    Nothing is looked at before every pass has been asked, whether its fields are there or not: what
    the unit is sent says nothing of an answer.
    """
    asked: list[_Asked] = []
    schema, drbg = counter.session.schema, Drbg(counter.randomness(SEED_BYTES))
    # Spec 30, "Real time": a cover person for a record that no pass is for.
    covered = yield from work(lambda: with_cover(schema, requested.records, requested.size, drbg))
    for p in schema.passes:
        encoded = yield from work(partial(_encode, counter, p, covered, len(requested)))
        asked.append(_Asked(p, encoded, (yield from _ask_pass(counter, p, encoded))))
    names = {each.response.edition for each in asked}
    if len(names) > 1:
        return None
    return asked, (yield from _edition(counter, names.pop()))


def _edition(counter: Counter, name: str) -> Steps[Edition]:
    """The edition of that resource name, asked for once."""
    shared = counter.fetching.setdefault(name, Shared())
    while name not in counter.editions:
        yield from together(shared, lambda: _fetch(counter, name))
    return counter.editions[name]


def _fetch(counter: Counter, name: str) -> Steps[None]:
    if name not in counter.editions:
        edition = yield from fetch_edition(counter.session, name, counter.patience)
        counter.editions[name] = edition


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


def _encode(
    counter: Counter, p: Pass, covered: Mapping[str, pa.StringArray], people: int
) -> EncodedPass:
    drbg = Drbg(counter.randomness(SEED_BYTES))
    return counter.encoder(p).encode(covered, people=people, drbg=drbg)


def _open(counter: Counter, asked: _Asked, rate: float) -> OpenedAnswers:
    collector = PassCollector(asked.of, len(asked.encoded.table))
    collector.take_all(asked.response)
    return open_pass(
        counter.session,
        collector.answers(),
        collector.seal,
        asked.encoded.record_of_row,
        asked.encoded.tokens,
        counter.openers,
        rate,
    )
