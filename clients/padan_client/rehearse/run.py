"""The whole rehearsal: files in, pairs and estimates out."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa

from padan_client.rehearse.as_a_run import RehearsedFlow, RehearsedRegistry, RunRehearsal
from padan_client.rehearse.linking import Linked, PassReport, Rehearsing
from padan_client.rehearse.registry_copies import MOST_RECORDS, CopiesAside
from padan_client.rehearse.schema_file import SchemaFile
from padan_client.rehearse.sides import Keys, Records, read_side
from padan_client.rehearse.tables import Dumper, Truth, pairs_table
from padan_linkage.answering.answers import RecordAnswers
from padan_linkage.answering.estimates import Expected
from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    MATCHED,
    NOT_MATCHED,
    OUTCOME_WORDS,
    UNDECIDED,
)
from padan_linkage.edition.levels import Levels
from padan_linkage.schema import Schema


@dataclass(frozen=True)
class Quality:
    """Against the truth: shares from 0 to 1, None where there is nothing to take a share of."""

    precision: float | None
    recall: float | None
    f1: float | None

    @classmethod
    def of(cls, right: int, found: int, true: int) -> Self:
        """Of ``right`` among ``found`` pairs, where there are ``true`` ones."""
        precision = right / found if found else None
        if not true:
            return cls(precision, None, None)
        return cls(precision, right / true, 2 * right / (found + true))


@dataclass(frozen=True, repr=False)
class Rehearsal:
    """What a rehearsal found.

    ``pairs``: table row_a, row_b (from 1), id_a, id_b, pass, score. ``threshold``: the lowest that
    any pass with a filter used, nats; None where none did. ``expected`` needs no truth;
    ``quality`` is there with one. ``rows``: (usable, quarantined) of each file. ``copies``: records
    of the registry that were set aside for naming a person whom another names too; None where
    nobody looked, in one file and in large registries. ``one_to_one``: a record of the registry
    answered one of the list at most; ``single``: neither file was seen to name anybody twice.
    ``answers``: to every usable row of the list where rows were answered as in a run, for which
    copies are merged and not set aside; else None. ``proposed``: error levels that were learned.
    """

    pairs: pa.Table
    threshold: float | None
    expected: Expected
    quality: Quality | None
    passes: tuple[PassReport, ...]
    rows: tuple[tuple[int, int], ...]
    copies: int | None = None
    one_to_one: bool = False
    single: bool = False
    answers: RecordAnswers | None = None
    proposed: Levels | None = None

    @property
    def counts(self) -> dict[str, int] | None:
        """Usable rows of the list by the word of their outcome, where answered as in a run."""
        if self.answers is None:
            return None
        count = np.bincount(self.answers.outcome, minlength=len(OUTCOME_WORDS)).tolist()
        return {OUTCOME_WORDS[n]: count[n] for n in (MATCHED, AMBIGUOUS, UNDECIDED, NOT_MATCHED)}

    @property
    def estimated_precision(self) -> float | None:
        """Share of the pairs that are right, as far as it can be known without the truth."""
        return self.expected.precision.value

    @property
    def estimated_recall(self) -> float | None:
        """Share of the findable pairs that were found, as far as it can be known."""
        return self.expected.recall.value

    def __repr__(self) -> str:
        return f"Rehearsal(pairs={self.pairs.num_rows})"


def run_rehearsal(
    a: Path,
    b: Path | None,
    schema_file: SchemaFile,
    *,
    flow: RehearsedFlow | None = None,
    id_column: str | None = None,
    truth: Path | None = None,
    dump: Path | None = None,
    seed: int | None = None,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Rehearsal:
    """Link list ``a`` with registry ``b``, or with itself, under keys made for this one time.

    The same ``seed`` gives the same result; without one the keys come from the operating system.
    Where the schema file says so, or for a ``flow``, rows are answered as in a run. Raises
    BadInputError.
    """
    schema = schema_file.schema
    keys = Keys(schema, os.urandom(32) if seed is None else str(seed).encode())
    if b is not None and (flow or schema_file.as_a_run):
        policy = schema_file.policy_for(single=False)
        levels = flow.levels if flow else None
        run = RunRehearsal(schema, policy, keys, threads, levels, progress=progress)
        return _as_a_run(run, a, b, schema_file, flow, id_column, truth, dump)
    list_ = read_side(a, schema, schema_file.columns_a, id_column)
    registry = None if b is None else read_side(b, schema, schema_file.columns_b, id_column)
    other = registry or list_
    known = None if truth is None else Truth.read(truth, list_, other, within=b is None)
    copies = None if registry is None else _copies(schema, keys, registry, threads)
    mine = None if registry is None else _copies(schema, keys, list_, threads)
    published = copies.published(registry) if registry and copies else registry
    dumper = None if dump is None else _dumper(dump, schema, list_, published)
    single = [found is not None and not found.aside for found in (mine, copies)]
    policy = schema_file.policy_for(single=all(single))
    rehearsing = Rehearsing(
        schema,
        policy,
        keys,
        demanded=schema_file.demanded,
        list_is_single=single[0],
        threads=threads,
        dump=dumper,
        progress=progress,
    )
    linked = rehearsing.link(list_, published)
    if copies is not None:
        linked = copies.joined(linked, rehearsing.rule)
    return Rehearsal(
        pairs=pairs_table(schema, linked, list_, other),
        threshold=_threshold(linked),
        expected=linked.expected,
        quality=None if known is None else _quality(known, linked, list_, other),
        passes=linked.reports,
        rows=tuple((len(r), r.quarantined) for r in (list_, *([registry] if registry else []))),
        copies=copies.aside if copies else None,
        one_to_one=policy.one_to_one and registry is not None,
        single=all(single),
    )


def _as_a_run(
    run: RunRehearsal,
    a: Path,
    b: Path,
    schema_file: SchemaFile,
    flow: RehearsedFlow | None,
    id_column: str | None,
    truth: Path | None,
    dump: Path | None,
) -> Rehearsal:
    """As :func:`run_rehearsal`, by the edition of the registry."""
    schema = run.schema
    listed = read_side(a, schema, schema_file.columns_a, id_column, listed=True)
    if flow is None:
        rows = read_side(b, schema, schema_file.columns_b, id_column)
        registry = RehearsedRegistry.of_schema(schema, rows)
    else:
        registry = RehearsedRegistry.of_flow(b, flow, schema, id_column)
    known = None if truth is None else Truth.read(truth, listed, registry.rows, within=False)
    if dump is not None:
        run = replace(run, dump=_dumper(dump, schema, listed, registry.persons))
    answered = run.answer(listed, registry, flow)
    linked = answered.linked
    return Rehearsal(
        pairs=pairs_table(schema, linked, listed, registry.rows),
        threshold=_threshold(linked),
        expected=linked.expected,
        quality=None if known is None else _quality(known, linked, listed, registry.rows),
        passes=linked.reports,
        rows=tuple((len(r), r.quarantined) for r in (listed, registry.rows)),
        copies=registry.copies.aside,
        one_to_one=run.policy.one_to_one,
        answers=answered.answers,
        proposed=answered.proposed,
    )


def _copies(schema: Schema, keys: Keys, file: Records, threads: int) -> CopiesAside | None:
    """Who is in a file twice; None for a file too large to be looked through."""
    if len(file) > MOST_RECORDS:
        return None
    return CopiesAside.among(schema, keys, file, threads)


def _dumper(folder: Path, schema: Schema, a: Records, b: Records | None) -> Dumper:
    dumper = Dumper(folder, schema)
    dumper.records("a", a)
    if b is not None:
        dumper.records("b", b)
    return dumper


def _threshold(linked: Linked) -> float | None:
    used = [
        r.scoring.threshold
        for r in linked.reports
        if np.isfinite(r.scoring.threshold) and r.scoring.method != "tokens"
    ]
    return min(used, default=None)


def _quality(truth: Truth, linked: Linked, a: Records, b: Records) -> Quality:
    """Share of the pairs that are true, and of the true pairs that were found."""
    right = truth.count_true(a.rows[linked.a], b.rows[linked.b])
    return Quality.of(right, len(linked.a), truth.pairs)
