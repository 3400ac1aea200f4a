"""People whom a registry holds several times: found by its owner before anybody is asked.

A unit takes two rows of a registry for strangers, so the copies of one person would pass for
look-alikes and silence a pass. Only the owner, who has all fields together, can tell them apart.
Spec: ``proto/spec/35-matching.md``, "Duplicates".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.rehearse.linking import Linked
from padan_client.rehearse.one_file import UNSURE, own_file, score_of
from padan_client.rehearse.sides import Keys, Records
from padan_linkage.answering.estimates import Expected, Share
from padan_linkage.matching import link_within
from padan_linkage.merging.union import Rule, best_f1, poisson_above, poisson_below
from padan_linkage.normalise import similar_values
from padan_linkage.schema import Kind, Schema

Rows = NDArray[np.int64]

#: Larger registries are not looked through: that takes a minute for 200,000 records.
MOST_RECORDS = 300_000
#: Fewer copies than this, or than this share of the registry, do little harm and are left there: so
#: many may be twins, or siblings whose numbers follow each other.
LEAST, LEAST_SHARE = 10, 0.005
#: First names of which less than this is common are others; a clerk changes few of them so far.
COMMON, MOST_OTHERS = 0.4, 0.5


@dataclass(frozen=True, repr=False)
class CopiesAside:
    """Which records of a registry are published, and whose copies the others are.

    ``kept``: int64[k], ascending; ``original``, ``copy``: int64[c], a kept record and one set aside
    that is the same person; ``error``: float64[c], the chance that it is not.
    """

    kept: Rows
    original: Rows
    copy: Rows
    error: NDArray[np.float64]

    @classmethod
    def among(cls, schema: Schema, keys: Keys, registry: Records, threads: int) -> CopiesAside:
        """Link the registry with itself; of each person the record with most fields is kept."""
        file = own_file(schema, keys, registry, lambda _: None, threads)
        found = link_within(schema, file, best_f1(0.0))
        ends = np.stack([found.a, found.b])
        rank = np.empty(len(registry), np.int64)
        rank[np.argsort(-_filled(registry), kind="stable")] = np.arange(len(registry))
        better, worse = np.take_along_axis(ends, rank[ends].argsort(axis=0), 0)
        kept = _first_of_each(len(registry), better, worse, np.argsort(rank[worse]))
        told = kept[better] & ~kept[worse]
        few = (~kept).sum() < max(LEAST, LEAST_SHARE * len(registry))
        if few or not found.estimated or _others(schema, registry, better[told], worse[told]):
            told[:] = False
            kept[:] = True
        return cls(np.flatnonzero(kept), better[told], worse[told], found.error[told])

    @property
    def aside(self) -> int:
        """Records set aside."""
        return len(np.unique(self.copy))

    def published(self, registry: Records) -> Records:
        """The registry without the records set aside."""
        if not self.aside:
            return registry
        at = pa.array(self.kept)
        fields = {name: column.take(at) for name, column in registry.fields.items()}
        return replace(registry, rows=registry.rows[self.kept], fields=fields)

    def joined(self, linked: Linked, rule: Rule) -> Linked:
        """Answers from the published records, and the copies of those that answered.

        ``rule`` says which copies are sure enough. The pairs of the result count all records of
        the registry.
        """
        linked = replace(linked, b=self.kept[linked.b])
        if not self.aside:
            return linked
        answer, link = _equal(linked.b, self.original)
        error = 1 - (1 - linked.error[answer]) * (1 - self.error[link])
        sure = rule(error)
        answer, link, error = answer[sure], link[sure], error[sure]
        order = np.argsort(np.concatenate([linked.a, linked.a[answer]]), kind="stable")
        score = score_of(error).astype(np.float32)
        a, b, score, by, errors = (np.concatenate(both)[order] for both in (
            (linked.a, linked.a[answer]), (linked.b, self.copy[link]), (linked.score, score),
            (linked.answered_by, np.full(len(answer), -1)), (linked.error, error),
        ))  # fmt: skip
        expected = _expected(linked, float(self.error[link].sum()), len(answer))
        return Linked(a, b, score, by, errors, expected, linked.reports)


def _filled(records: Records) -> Rows:
    """How many fields of each record are filled, int64[n]."""
    filled = np.zeros(len(records), np.int64)
    for column in records.fields.values():
        filled += pc.not_equal(column, "").to_numpy(zero_copy_only=False)
    return filled


def _others(schema: Schema, records: Records, here: Rows, there: Rows) -> bool:
    """Whether the pairs have other first names by rule: twins and siblings, then, not copies.

    A linker that is sure that some pairs are matches takes the twins where there is nothing better.
    Copies have errors in all fields, twins always in this one.
    """
    for field in schema.fields:
        if field.kind is Kind.PERSON_NAME:
            column = similar_values(records.fields[field.name])
            names = [column.take(pa.array(at)) for at in (here, there)]
            both = zip(*(column.to_pylist() for column in names), strict=True)
            common = np.array([_common(a.split()[0], b.split()[0]) for a, b in both if a and b])
            if len(common) and (common < COMMON).mean() > MOST_OTHERS:
                return True
    return False


def _common(a: str, b: str) -> float:
    """Share of letter pairs that two words have in common (Dice 1945), ends counted."""
    ours, theirs = ({w[i : i + 2] for i in range(len(w) - 1)} for w in (f" {a} ", f" {b} "))
    return 2 * len(ours & theirs) / (len(ours) + len(theirs))


def _first_of_each(records: int, better: Rows, worse: Rows, order: Rows) -> NDArray[np.bool_]:
    """Keep a record unless a better one that is kept is the same: bool[records].

    ``order``: the pairs by rising rank of the worse record, so that the better one's lot is known.
    Pair by pair, not by chains: of a-b and b-c alone, c is kept, for it is not known to be a.
    """
    kept = np.ones(records, np.bool_)
    for a, b in zip(better[order].tolist(), worse[order].tolist(), strict=True):
        if kept[a]:
            kept[b] = False
    return kept


def _equal(here: Rows, there: Rows) -> tuple[Rows, Rows]:
    """Positions of all equal entries of the two."""
    order = np.argsort(there, kind="stable")
    first = np.searchsorted(there[order], here, "left")
    count = np.searchsorted(there[order], here, "right") - first
    at = np.repeat(np.arange(len(here)), count)
    step = np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
    return at, order[np.repeat(first, count) + step]


def _expected(linked: Linked, wrong: float, copies: int) -> Expected:
    """The estimates of the answers, with ``copies`` pairs more of which ``wrong`` are no copies.

    Copies may be wrong half or double as often as they say, like any pairs of one file. A record
    may have several matches now, so that recall has no bound from below.
    """
    answers, recall = linked.expected.precision, linked.expected.recall
    number = len(linked.a) + copies
    if not number or answers.value is None or answers.low is None or answers.high is None:
        return linked.expected
    precision = Share(
        answers.value * (1 - wrong / number),
        answers.low * max(0.0, 1 - poisson_above(UNSURE * wrong) / number),
        answers.high * (1 - poisson_below(wrong / UNSURE) / number),
    )
    return replace(linked.expected, precision=precision, recall=Share(None, None, recall.high))
