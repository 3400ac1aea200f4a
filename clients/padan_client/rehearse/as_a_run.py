"""A rehearsal as a run: the registry published with its edition, the list answered by it.

The steps of a run in one process, under throw-away keys: merge copies, encode the registry, measure
its edition, match by its calibrations, open the codes, merge by the rule that the edition gives. So
a row is answered as a run would answer it, whatever else is on the list. Spec:
``proto/spec/36-editions.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.records import read_table
from padan_client.records.persons import Persons, filled
from padan_client.records.registry import prepare_registry
from padan_client.records.registry_codes import chosen_columns, latest_rows
from padan_client.rehearse.linking import Dump, Linked, PassReport
from padan_client.rehearse.registry_copies import CopiesAside
from padan_client.rehearse.sides import Keys, Records, named_rows
from padan_linkage.agreement import JAKARTA, Flow
from padan_linkage.answering.answers import OpenedAnswers, RecordAnswers
from padan_linkage.answering.outcomes import AMBIGUOUS, MATCHED
from padan_linkage.answering.payloads import Payloads
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.crypto.sealing import Opener
from padan_linkage.edition.applying import rule_of
from padan_linkage.edition.document import Edition
from padan_linkage.edition.expecting import expected
from padan_linkage.edition.levels import Levels
from padan_linkage.edition.measuring import EditionMaker
from padan_linkage.encoding import EncodedPass
from padan_linkage.matching import Calibration, match_and_learn, match_pass
from padan_linkage.merging.copies import Copies, find_copies
from padan_linkage.merging.merge import merge
from padan_linkage.schema import Pass, Schema


@dataclass(frozen=True, repr=False)
class RehearsedFlow:
    """The flow that is rehearsed; ``agreement``: digest of its file, which nobody need have signed.

    ``columns``: of the registry, by field, where they are called otherwise; ``status``: its status
    column or columns. ``levels``: how matches differ, None for the shipped levels; ``propose``:
    learn it from these files.
    """

    agreement: bytes
    flow: Flow
    columns: Mapping[str, str] | None = None
    status: str | Mapping[str, str] | None = None
    levels: Levels | None = None
    propose: bool = False


@dataclass(frozen=True, repr=False)
class RehearsedRegistry:
    """A registry as it would be published.

    ``rows``: all usable rows; ``persons``: one record a person, gaps filled from copies;
    ``payloads``: uint8[n, 16], what the registry says of each; ``copies``: which rows are whose.
    """

    rows: Records
    persons: Records
    payloads: NDArray[np.uint8]
    copies: CopiesAside

    @classmethod
    def of_schema(cls, schema: Schema, rows: Records) -> Self:
        """A registry that says of everybody the same: whoever is in it is registered."""
        copies = find_copies(schema, rows.fields)
        told = _aside(len(rows), copies)
        persons = told.published(replace(rows, fields=filled(rows.fields, copies)))
        return cls(rows, persons, Payloads.of(np.ones(len(persons), np.uint64)).pack(), told)

    @classmethod
    def of_flow(
        cls, path: Path, given: RehearsedFlow, schema: Schema, id_column: str | None
    ) -> Self:
        """What ``padan publish`` would make of the file. Raises BadInputError."""
        return cls.of_table(*named_rows(read_table(path), id_column), given, schema)

    @classmethod
    def of_table(cls, table: pa.Table, name: str, given: RehearsedFlow, schema: Schema) -> Self:
        """The same of a table whose rows the column ``name`` names."""
        flow = given.flow
        registry = prepare_registry(
            flow,
            schema,
            table,
            columns=given.columns,
            id_column=name,
            status_columns=given.status,
            as_of=datetime.now(JAKARTA).date(),
        )
        persons = Persons.among(flow, schema, registry)
        told = _aside(len(registry), persons.copies)
        places = _places(given, table, name, registry.ids)
        rows = Records(_text(table, name), places, registry.records, registry.rejected)
        merged = replace(rows, rows=places[told.kept], fields=persons.registry.records)
        return cls(rows, merged, persons.registry.payloads, told)


def _aside(rows: int, copies: Copies) -> CopiesAside:
    kept = np.setdiff1d(np.arange(rows), copies.copy)
    return CopiesAside(kept, copies.original, copies.copy, 1 / (1 + np.exp(copies.log_odds)))


def _places(
    given: RehearsedFlow, table: pa.Table, id_column: str, ids: pa.StringArray
) -> NDArray[np.int64]:
    """Where in the file the records of these ids are; of several rows of one id the latest."""
    place, moment = np.arange(table.num_rows), given.flow.latest_by
    if moment is not None:
        column = chosen_columns(given.flow, table, given.status)[moment]
        latest = latest_rows(table, id_column, column)
        table, place = latest.table, latest.rows
    at = pc.index_in(ids, value_set=_text(table, id_column))
    found: NDArray[np.int64] = place[at.to_numpy()]
    return found


def _text(table: pa.Table, column: str) -> pa.StringArray:
    """The column's values as ids are read."""
    return pc.utf8_trim_whitespace(
        pc.fill_null(table[column].cast(pa.string()), "")
    ).combine_chunks()


@dataclass(frozen=True, repr=False)
class RunRehearsal:
    """A run in one process. The tables of all passes are held: some 250 bytes a row and pass.

    ``levels``: how matches differ, None for the shipped levels.
    """

    schema: Schema
    policy: MatchPolicy
    keys: Keys
    threads: int = 1
    levels: Levels | None = None
    dump: Dump | None = None
    progress: Callable[[float], None] | None = None

    def answer(
        self, listed: Records, registry: RehearsedRegistry, given: RehearsedFlow | None = None
    ) -> RunAnswers:
        """Publish ``registry`` and ask it about every record of ``listed``.

        The pairs count all rows of the registry, copies of who answers among them.
        """
        published = self.publish(registry)
        asked = self.ask(listed, published)
        opened = [a.opened for a in asked]
        passes = [p.id for p in self.schema.passes]
        rule = rule_of(published.edition, self.schema, self.policy, listed.fields, passes)
        answers = merge(len(listed), opened, rule, one_to_one=self.policy.one_to_one)
        told = expected(rule, answers)
        found = np.flatnonzero(answers.outcome == MATCHED)
        linked = Linked(
            a=found,
            b=answers.of_passes([o.row for o in opened])[found],
            score=answers.of_passes([a.score for a in asked])[found],
            answered_by=answers.answered_by[found],
            error=np.full(len(found), 1 - (told.precision.value or 1.0)),
            expected=told,
            reports=tuple(a.report for a in asked),
        )
        proposed = self.propose(listed, published, given) if given and given.propose else None
        return RunAnswers(registry.copies.joined(linked, _every), answers, proposed)

    def publish(self, registry: RehearsedRegistry) -> RehearsedPublication:
        """Encode the registry and measure its edition, as its owner does."""
        maker = EditionMaker.of(
            self.schema,
            self.policy,
            registry.persons.fields,
            Payloads.unpack(registry.payloads).codes,
            self.keys.randomness("edition"),
            levels=self.levels,
            threads=self.threads,
        )
        tables = {}
        for number, p in enumerate(self.schema.passes):
            made = self.keys.encode(
                p, registry.persons, provider=True, threads=self.threads, payloads=registry.payloads
            )
            asked = self.keys.ask(p, maker.questions, self.threads)
            maker.take(p, made.table, made.record_of_row, asked.table, asked.record_of_row)
            if self.dump is not None:
                self.dump(p.id, "b", made)
            tables[p.id] = made
            self._tell(number + 1)
        edition, calibrations = maker.made(self.schema.digest().hex(), "rehearsal")
        return RehearsedPublication(tables, edition, calibrations)

    def propose(
        self, listed: Records, published: RehearsedPublication, given: RehearsedFlow
    ) -> Levels:
        """Error levels as the matches of the list and the registry have them, to be accepted."""
        found = {}
        for p in self.schema.passes:
            if p.similar:
                mine = self.keys.encode(p, listed, provider=False, threads=self.threads)
                theirs = published.tables[p.id].table
                result = match_and_learn(
                    self.schema, p, theirs, mine.table, self.policy, threads=self.threads
                )
                learned = result.scoring.calibration
                assert learned is not None
                found[p.id] = learned.match_rate * len(mine.table), learned.m
        flow = given.flow.id
        return Levels.learned(given.agreement, flow, self.schema, len(listed), found)

    def ask(self, listed: Records, published: RehearsedPublication) -> list[PassAnswered]:
        """What every pass answers to the records of a list."""
        opener = self.keys.opener()
        return [self._asked(p, listed, published, opener) for p in self.schema.passes]

    def _asked(
        self, p: Pass, listed: Records, published: RehearsedPublication, opener: Opener
    ) -> PassAnswered:
        """Match one pass as the unit does, then open the codes as the requester does."""
        theirs = published.tables[p.id]
        mine = self.keys.encode(p, listed, provider=False, threads=self.threads)
        if self.dump is not None:
            self.dump(p.id, "a", mine)
        result = match_pass(
            self.schema,
            p,
            theirs.table,
            mine.table,
            self.policy,
            published.calibrations.get(p.id),
            threads=self.threads,
        )
        answers = result.answers(theirs.table)
        rows = answers.matched_rows
        packed, genuine = opener.open(p.id, mine.tokens[rows], answers.sealed)
        said, record = Payloads.unpack(packed), theirs.record_of_row[result.row[rows]]
        opened = OpenedAnswers.of(answers, mine.record_of_row, said, ~genuine, record)
        self._tell(len(self.schema.passes) + self.schema.passes.index(p) + 1)
        estimate = replace(
            result.estimate,
            matched_rows=int(opened.matched.sum()),
            ambiguous_rows=int((opened.outcome == AMBIGUOUS).sum()),
        )
        report = PassReport(estimate, result.scoring, int(opened.failed.sum()))
        return PassAnswered(opened, result.score[mine.record_of_row >= 0], report)

    def _tell(self, done: int) -> None:
        if self.progress is not None:
            self.progress(done / (2 * len(self.schema.passes)))


@dataclass(frozen=True, repr=False)
class RehearsedPublication:
    """A registry at the unit: its tables by pass, and the edition that goes with them."""

    tables: Mapping[str, EncodedPass]
    edition: Edition
    calibrations: Mapping[str, Calibration]


@dataclass(frozen=True, repr=False)
class RunAnswers:
    """Pairs and answers of a rehearsed run; ``proposed``: error levels, if they were wanted."""

    linked: Linked
    answers: RecordAnswers
    proposed: Levels | None


@dataclass(frozen=True, repr=False)
class PassAnswered:
    """A pass's answers as opened; ``score``: float32[k], what each scored, which no run tells."""

    opened: OpenedAnswers
    score: NDArray[np.float32]
    report: PassReport


def _every(error: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Every copy of who answers is among the pairs: copies were merged before."""
    return np.ones(len(error), np.bool_)
