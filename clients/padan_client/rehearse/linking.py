"""Each pass of a rehearsal: encode both sides, match as the unit, open as the requester."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from padan_client.rehearse.sides import Keys, Records
from padan_linkage.answers import Answers
from padan_linkage.encoding import EncodedPass
from padan_linkage.matching import AMBIGUOUS, MATCHED, Estimate, link_within, match_pass
from padan_linkage.merge import PassAnswers, merge
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
    """What one pass found, by record position: ``a``, ``b`` int64[k].

    ``score``: float32[k], nats; ``error``: float64[k], the chance of being wrong as this pass sees
    it.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    score: NDArray[np.float32]
    error: NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Linked:
    """The pairs of all passes together; ``answered_by`` int64[k] numbers the pass of each pair.

    ``error``: float64[k], the least chance of error by any pass that found the pair; ``seen``:
    int64[k], how many did.
    """

    pairs: Found
    answered_by: NDArray[np.int64]
    error: NDArray[np.float64]
    seen: NDArray[np.int64]
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
        merged = merge(len(a), answers)
        chosen = []
        for number, (given, pairs) in enumerate(zip(answers, found, strict=True)):
            place = np.full(len(given.record), -1)
            place[np.flatnonzero(given.matched())] = np.arange(len(pairs.a))
            chosen.append(place[merged.answer[merged.answered_by == number]])
        return _linked([(f, c) for f, c in zip(found, chosen, strict=True)], found, reports)

    def _within(self, a: Records) -> Linked:
        """All pairs of ``a`` that any pass finds."""
        found, reports = [], []
        for number, p in enumerate(self.schema.passes):
            encoded = self._encode(p, a, "a", provider=True)
            pairs = link_within(self.schema, p, encoded.table, self.policy, threads=self.threads)
            record = encoded.record_of_row
            real = (record[pairs.row_a] >= 0) & (record[pairs.row_b] >= 0)
            ends = np.sort([record[pairs.row_a[real]], record[pairs.row_b[real]]], axis=0)
            score = pairs.score[real]
            error = chance_of_error(score, pairs.estimate)
            found.append(Found(ends[0], ends[1], score, error))
            reports.append(PassReport(p.id, len(score), 0, 0, pairs.estimate))
            self._tell(number)
        return _linked(_firsts(found), found, reports)

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
        )
        kept = real[given.matched()]
        score = result.score[kept]
        pairs = Found(
            a=mine.record_of_row[kept],
            b=theirs.record_of_row[result.row[kept]],
            score=score,
            error=chance_of_error(score, result.estimate),
        )
        report = PassReport(
            p.id,
            matched=len(kept),
            ambiguous=int((given.outcome == AMBIGUOUS).sum()),
            unopened=int(given.failed.sum()),
            estimate=result.estimate,
        )
        return given, pairs, report


def chance_of_error(score: NDArray[np.float32], estimate: Estimate) -> NDArray[np.float64]:
    """Each answer's chance of being wrong, so that their mean is what the pass estimates."""
    alone = 1 / (1 + np.exp(np.minimum(score.astype(np.float64), 60.0)))
    if estimate.precision is None or not len(score) or alone.sum() == 0:
        return alone
    scaled: NDArray[np.float64] = alone * ((1 - estimate.precision) / alone.mean())
    return np.minimum(scaled, 1.0)


def _firsts(found: list[Found]) -> list[tuple[Found, NDArray[np.int64]]]:
    """Each pair once, from the pass where it scores highest."""
    a, b = (np.concatenate([getattr(f, name) for f in found]) for name in ("a", "b"))
    score = np.concatenate([f.score for f in found])
    order = np.lexsort((np.arange(len(a)), -score, b, a))
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(a[order]) != 0) | (np.diff(b[order]) != 0)
    kept = np.zeros(len(order), np.bool_)
    kept[order[first]] = True
    edges = np.cumsum([len(f.a) for f in found])[:-1]
    return [(f, np.flatnonzero(part)) for f, part in zip(found, np.split(kept, edges), strict=True)]


def _linked(
    chosen: list[tuple[Found, NDArray[np.int64]]], found: list[Found], reports: list[PassReport]
) -> Linked:
    """Bring the chosen pairs together and count who else found them."""
    a, b, score = (
        np.concatenate([getattr(f, name)[at] for f, at in chosen]) for name in ("a", "b", "score")
    )
    answered_by = np.concatenate([np.full(len(at), n) for n, (_, at) in enumerate(chosen)])
    order = np.lexsort((b, a))
    pairs = Found(a[order], b[order], score[order], np.ones(len(order)))
    width = int(max((f.b.max(initial=0) for f in found), default=0)) + 1
    wanted = pairs.a * width + pairs.b
    seen, error = np.zeros(len(order), np.int64), np.ones(len(order))
    for f in found:
        at = np.searchsorted(wanted, f.a * width + f.b)
        at[at == len(wanted)] = 0
        hit = wanted[at] == f.a * width + f.b if len(wanted) else np.zeros(len(f.a), np.bool_)
        seen[at[hit]] += 1
        np.minimum.at(error, at[hit], f.error[hit])
    return Linked(pairs, answered_by[order], error, seen, tuple(reports))


def _spread(count: int, at: NDArray[np.int64], values: NDArray[T]) -> NDArray[T]:
    """``values`` at ``at``, zero elsewhere."""
    full = np.zeros(count, values.dtype)
    full[at] = values
    return full
