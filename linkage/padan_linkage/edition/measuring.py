"""Measures a registry at its owner's home, pass by pass as its tables are made.

Start at :class:`EditionMaker`. Spec: ``proto/spec/36-editions.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.edition.asking import OwnQuestions, Records, fields_of
from padan_linkage.edition.choosing import Chooser
from padan_linkage.edition.document import SHIPPED, Edition, calibrations_document, digest
from padan_linkage.edition.doubles import Doubles
from padan_linkage.edition.levels import Levels
from padan_linkage.edition.meetings import PassMeetings, meet_exact, meet_similar
from padan_linkage.matching.learning import learn
from padan_linkage.matching.scoring.calibration import Calibration
from padan_linkage.matching.sides import SweepRunner
from padan_linkage.matching.similar import SortedRegistry
from padan_linkage.schema import Pass, Schema
from padan_linkage.tables import PassTable

Numbers = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class EditionMaker:
    """Takes every pass's table and what its own people's questions look like in it.

    Make it with :meth:`of`; encode :attr:`questions` for each pass as a requester would;
    :meth:`take` each pass; :meth:`made` gives the edition. ``codes``: uint64[records], what the
    registry says of each person; ``levels``: how matches differ, as both sides accepted it, None
    for the shipped levels.
    """

    schema: Schema
    policy: MatchPolicy
    asked: OwnQuestions
    codes: NDArray[np.uint64]
    doubles: Doubles
    threads: int
    levels: Levels | None = None
    passes: dict[str, PassMeetings] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        schema: Schema,
        policy: MatchPolicy,
        records: Records,
        codes: NDArray[np.uint64],
        drbg: Drbg,
        *,
        levels: Levels | None = None,
        threads: int = 1,
    ) -> EditionMaker:
        """For a registry of normalised ``records``; the same ``drbg`` asks the same questions."""
        asked = OwnQuestions.of(schema, records, drbg)
        doubles = Doubles.of(schema, records)
        return cls(schema, policy, asked, codes, doubles, threads, levels)

    def __repr__(self) -> str:
        return f"EditionMaker({self.asked!r}, passes={len(self.passes)})"

    @property
    def questions(self) -> dict[str, pa.StringArray]:
        """The questions as records, "" in the fields that no pass compares."""
        empty = pa.array([""], pa.string()).take(pa.array(np.zeros(len(self.asked), np.int64)))
        return {f.name: self.asked.records.get(f.name, empty) for f in self.schema.fields}

    def take(
        self,
        p: Pass,
        provider: PassTable,
        record_of_row: Numbers,
        encoded: PassTable,
        question_of_row: Numbers,
    ) -> None:
        """Measure one pass.

        ``provider``: its table, ``record_of_row`` int64[rows] the record of each row, -1 for a
        decoy; ``encoded``: the questions, ``question_of_row`` int64[rows] in the same way.
        """
        real = np.flatnonzero(question_of_row >= 0)
        columns = {name: column[real] for name, column in encoded.columns.items()}
        asked = PassTable(p.id, encoded.layout, columns)
        question = question_of_row[real]
        person = self.asked.person
        if not p.similar:
            met = meet_exact(p, provider, record_of_row, asked, question, person)
        else:
            registry = SortedRegistry.of(p, provider)
            runner = SweepRunner(threads=self.threads)
            real = np.flatnonzero(record_of_row >= 0)

            def doubles(a: Numbers, b: Numbers) -> NDArray[np.bool_]:
                return self.doubles.among(record_of_row[a], record_of_row[b])

            learned = learn(registry, real, runner, doubles)
            if self.levels is not None:
                learned = replace(learned, m=self.levels.m[p.id])
            met = meet_similar(registry, record_of_row, asked, question, person, learned, runner)
        self.passes[p.id] = met.without(self.doubles, person)

    def made(self, agreement: str, flow: str) -> tuple[Edition, dict[str, Calibration]]:
        """The edition, once every pass was taken, and the calibrations that go with it."""
        passes = [self.passes[p.id] for p in self.schema.passes]
        names = fields_of(self.schema)
        choice = Chooser(self.policy, names, self.asked, passes, self.codes, self.doubles).choose()
        calibrations = {
            met.p.id: met.calibration.drawn(choice.threshold, choice.doubt)
            for met in passes
            if met.calibration is not None
        }
        edition = Edition(
            agreement=agreement,
            flow=flow,
            schema=self.schema.digest().hex(),
            rate=self.policy.max_false_match_rate,
            records=len(self.codes),
            levels=self.levels.digest() if self.levels else SHIPPED,
            calibrations=digest(calibrations_document(calibrations)),
            common=self.asked.common,
            given=choice.given,
        )
        return edition, calibrations
