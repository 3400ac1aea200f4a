"""Each pass of a rehearsal: encode both sides, match as the unit, open as the requester."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from padan_client.rehearse.sides import Keys, Records
from padan_linkage.answers import Answers
from padan_linkage.encoding import EncodedPass
from padan_linkage.matching import AMBIGUOUS, MATCHED, Estimate, link_within, match_pass
from padan_linkage.merge import PassAnswers, chance_of_error, merge, surest
from padan_linkage.policy import MatchPolicy
from padan_linkage.schema import Pass, Schema
from padan_linkage.sealing import Opener

T = TypeVar("T", bound=np.generic)

#: Hears of every table made: pass, side ("a" or "b"), encoding.
Dump = Callable[[str, str, EncodedPass], None]


@dataclass(frozen=True)
class PassReport:
    """One pass in numbers; ``unopened`` counts answers of rows with other exact fields."""

    pass_id: str
    matched: int
    ambiguous: int
    unopened: int
    estimate: Estimate


@dataclass(frozen=True, repr=False)
class Found:
    """Pairs by record position: ``a``, ``b`` int64[k].

    ``score``: float32[k], nats; ``error``: float64[k], the chance of being wrong.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    score: NDArray[np.float32]
    error: NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Linked:
    """The pairs of all passes together; ``answered_by`` int64[k] numbers the pass of each pair.

    ``seen``: int64[k], how many passes found it; ``wrong`` and ``most_wrong``: wrong answers that
    the passes expect of theirs, in all and of the worst.
    """

    pairs: Found
    answered_by: NDArray[np.int64]
    seen: NDArray[np.int64]
    wrong: float
    most_wrong: float
    reports: tuple[PassReport, ...]


@dataclass(frozen=True, repr=False)
class Rehearsing:
    """What the linking of every pass needs."""

    schema: Schema
    policy: MatchPolicy
    keys: Keys
    threads: int = 1
    dump: Dump | None = None
    progress: Callable[[float], None] | None = None

    def link(self, a: Records, b: Records | None) -> Linked:
        """Ask registry ``b`` about every record of ``a``, or ``a`` about itself."""
        return self._two(a, b) if b is not None else self._within(a)

    def _two(self, a: Records, b: Records) -> Linked:
        """One answer at most for a record of ``a``, merged as the requester merges."""
        opener = self.keys.opener()
        answers, found, reports = [], [], []
        for number, p in enumerate(self.schema.passes):
            theirs = self._encode(p, b, "b", provider=True)
            mine = self._encode(p, a, "a", provider=False)
            given, pairs, report = self._match(p, theirs, mine, opener)
            answers.append(given)
            found.append(pairs)
            reports.append(report)
            self._tell(number)
        merged = merge(len(a), answers, one_to_one=self.policy.one_to_one)
        answered = np.flatnonzero(merged.answered_by >= 0)
        by, pairs = merged.answered_by[answered], _empty(len(answered))
        for number, (given, own) in enumerate(zip(answers, found, strict=True)):
            place = np.full(len(given.record), -1)
            place[np.flatnonzero(given.matched())] = np.arange(len(own.a))
            at = place[merged.answer[answered[by == number]]]
            _put(pairs, by == number, own, at)
        about = [f.a for f in found]
        return self._together(pairs, by, about, found, answered, reports, self.policy.min_precision)

    def _within(self, a: Records) -> Linked:
        """All pairs of ``a`` that any pass finds; its posteriors are careful enough (spec 35)."""
        found, reports = [], []
        for number, p in enumerate(self.schema.passes):
            encoded = self._encode(p, a, "a", provider=True)
            result = link_within(self.schema, p, encoded.table, self.policy, threads=self.threads)
            record = encoded.record_of_row
            real = (record[result.row_a] >= 0) & (record[result.row_b] >= 0)
            ends = np.sort([record[result.row_a[real]], record[result.row_b[real]]], axis=0)
            score = result.score[real]
            error = errors(score, result.estimate, self.policy)
            found.append(Found(ends[0], ends[1], score, error))
            reports.append(PassReport(p.id, len(score), 0, 0, result.estimate))
            self._tell(number)
        width = len(a)
        codes = [f.a * width + f.b for f in found]
        distinct = np.unique(np.concatenate(codes))
        ids = [np.searchsorted(distinct, code) for code in codes]
        best = np.full(len(distinct), -np.inf, np.float32)
        by, pairs = np.zeros(len(distinct), np.int64), _empty(len(distinct))
        for number, (own, pair) in enumerate(zip(found, ids, strict=True)):
            better = own.score > best[pair]
            best[pair[better]], by[pair[better]] = own.score[better], number
        for number, (own, pair) in enumerate(zip(found, ids, strict=True)):
            mine = np.flatnonzero(by[pair] == number)
            _put(pairs, pair[mine], own, mine)
        return self._together(pairs, by, ids, found, np.arange(len(distinct)), reports, 0.0)

    def _together(
        self,
        pairs: Found,
        answered_by: NDArray[np.int64],
        ids: list[NDArray[np.int64]],
        found: list[Found],
        answered: NDArray[np.int64],
        reports: list[PassReport],
        demand: float,
    ) -> Linked:
        """Keep what all passes together can vouch for.

        ``ids``: what each pass's answers are about; ``answered``: what each of ``pairs`` is;
        ``demand``: the least precision of all together.
        """
        number = int(max((i.max(initial=-1) for i in (*ids, answered)), default=-1)) + 1
        claims = [(i, f.error) for i, f in zip(ids, found, strict=True)]
        error = chance_of_error(number, claims)[answered]
        seen = np.bincount(np.concatenate(ids), minlength=number)[answered]
        kept = surest(error, demand)
        chosen = Found(pairs.a[kept], pairs.b[kept], pairs.score[kept], error[kept])
        held = np.zeros(number, np.bool_)
        held[answered[kept]] = True
        wrong = [float(f.error[held[i]].sum()) for i, f in zip(ids, found, strict=True)]
        return Linked(
            chosen, answered_by[kept], seen[kept], sum(wrong), max(wrong, default=0), tuple(reports)
        )

    def _encode(self, p: Pass, records: Records, side: str, *, provider: bool) -> EncodedPass:
        encoded = self.keys.encode(p, records, provider=provider, threads=self.threads)
        if self.dump is not None:
            self.dump(p.id, side, encoded)
        return encoded

    def _tell(self, number: int) -> None:
        if self.progress is not None:
            self.progress((number + 1) / len(self.schema.passes))

    def _match(
        self, p: Pass, theirs: EncodedPass, mine: EncodedPass, opener: Opener
    ) -> tuple[PassAnswers, Found, PassReport]:
        """Match one pass as the unit does, then undo the permutation and open the codes."""
        result = match_pass(
            self.schema, p, theirs.table, mine.table, self.policy, threads=self.threads
        )
        real = np.flatnonzero(mine.record_of_row >= 0)
        matched = np.flatnonzero(result.outcome[real] == MATCHED)
        rows = real[matched]
        sealed = theirs.table.columns["sealed_codes"][result.row[rows]]
        payloads, genuine = opener.open(p.id, mine.tokens[rows], sealed)
        opened = Answers.unpack(payloads)
        given = PassAnswers(
            record=mine.record_of_row[real],
            outcome=result.outcome[real],
            band=result.band[real],
            code=_spread(len(real), matched, opened.codes),
            decoy=_spread(len(real), matched, opened.decoy & genuine),
            failed=_spread(len(real), matched, ~genuine),
            score=result.score[real],
            row=result.row[real],
        )
        kept = real[given.matched()]
        score = result.score[kept]
        pairs = Found(
            a=mine.record_of_row[kept],
            b=theirs.record_of_row[result.row[kept]],
            score=score,
            error=errors(score, result.estimate, self.policy),
        )
        report = PassReport(
            p.id,
            matched=len(kept),
            ambiguous=int((given.outcome == AMBIGUOUS).sum()),
            unopened=int(given.failed.sum()),
            estimate=result.estimate,
        )
        return given, pairs, report


def errors(
    score: NDArray[np.float32], estimate: Estimate, policy: MatchPolicy
) -> NDArray[np.float64]:
    """Each answer's chance of being wrong, so that their mean is what the pass estimates.

    Where a pass cannot estimate, its exact fields are believed as far as the policy demands.
    """
    if estimate.precision is None:
        return np.full(len(score), 1 - policy.min_precision)
    alone = 1 / (1 + np.exp(np.minimum(score.astype(np.float64), 60.0)))
    if not alone.sum():
        return alone
    scaled: NDArray[np.float64] = alone * ((1 - estimate.precision) / alone.mean())
    return np.minimum(scaled, 1.0)


def _empty(count: int) -> Found:
    """Pairs still to be filled in."""
    rows = np.zeros(count, np.int64)
    return Found(rows, rows.copy(), np.zeros(count, np.float32), np.zeros(count))


def _put(pairs: Found, at: NDArray[Any], own: Found, mine: NDArray[np.int64]) -> None:
    """Fill ``pairs`` in at ``at`` from the pairs ``mine`` of one pass."""
    pairs.a[at], pairs.b[at], pairs.score[at] = own.a[mine], own.b[mine], own.score[mine]


def _spread(count: int, at: NDArray[np.int64], values: NDArray[T]) -> NDArray[T]:
    """``values`` at ``at``, zero elsewhere."""
    full = np.zeros(count, values.dtype)
    full[at] = values
    return full
