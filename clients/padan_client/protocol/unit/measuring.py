"""The edition of a registry, measured at home as its tables are made, and signed.

Spec: ``proto/spec/36-editions.md``. The registry is asked of itself as a requester would ask, with
some of the fields alone; nothing of that leaves the house but the two documents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from padan.v1 import resources_pb2
from padan_client.protocol.session import Session
from padan_client.protocol.unit.datasets import Task
from padan_client.records.registry import Registry
from padan_linkage.answering.payloads import Payloads
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.edition.document import SIGNED, Edition, calibrations_document
from padan_linkage.edition.levels import Levels
from padan_linkage.edition.measuring import EditionMaker
from padan_linkage.edition.words import keyed
from padan_linkage.encoding import PassEncoder, PassRows
from padan_linkage.schema import Pass
from padan_linkage.tables import PassTable


@dataclass(frozen=True, repr=False)
class RegistryMeasure:
    """Takes the tables of a whole registry as they are made; the same job measures the same."""

    session: Session
    drbg: Drbg
    maker: EditionMaker
    _made: list[Edition] = field(default_factory=list)

    @classmethod
    def of(cls, task: Task, registry: Registry, threads: int) -> Self:
        """Of what a job publishes."""
        session, drbg = task.session, task.drbg.fork("edition")
        maker = EditionMaker.of(
            session.schema,
            session.place.flow.match,
            registry.records,
            Payloads.unpack(registry.payloads).codes,
            drbg,
            levels=_levels(session),
            threads=threads,
        )
        return cls(session, drbg, maker)

    def take(self, p: Pass, encoder: PassEncoder, rows: PassRows) -> PassTable:
        """Measure a pass of which these are the rows; returns them as a table, to be uploaded."""
        # Spec 36, "Carried", step 1.
        table = rows.whole()
        questions = encoder.encode(self.maker.questions, drbg=self.drbg.fork(f"questions {p.id}"))
        asked, question = questions.table, questions.record_of_row
        self.maker.take(p, table, rows.record_of_row, asked, question)
        return table

    def signed(self) -> resources_pb2.Edition:
        """The edition as it goes to the unit, once every pass was taken."""
        place = self.session.place
        made, calibrations = self.maker.made(place.digest.hex(), place.flow.id)
        edition = keyed(made, self.session.key, self.session.schema)
        self._made[:] = [edition]
        document = edition.document()
        return resources_pb2.Edition(
            document=document,
            signature=self.session.identity.holding(place.own_keys).sign(SIGNED + document),
            calibrations=calibrations_document(calibrations),
        )

    @property
    def edition(self) -> Edition | None:
        """The edition that was signed; None before, and of a delta."""
        return self._made[0] if self._made else None


def _levels(session: Session) -> Levels | None:
    """The error levels that both sides accepted, if any."""
    return session.levels.current(session.place, session.schema) if session.levels else None
