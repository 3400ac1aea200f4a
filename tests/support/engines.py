"""A matching engine that tests can see through and break: rows match where keys are equal bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from patience import PATIENCE

from padan_linkage.answering.outcomes import AMBIGUOUS, MATCHED, NOT_MATCHED
from padan_linkage.matching import Directory, PassResult
from padan_linkage.matching.result import Scoring
from padan_linkage.schema import TAG_BYTES


@dataclass
class FakeEngine:
    """Matches rows whose key (and filter) bytes are equal; ambiguous where two rows are.

    ``before`` is called with the pass id before each pass: it may block, count or raise; so is
    ``between`` after each row of a question but the last, before others have their turn.
    """

    before: Callable[[str], None] = lambda pass_id: None
    calls: list[str] = field(default_factory=list)
    between: Callable[[str], None] = lambda pass_id: None
    pieces: int = 0

    def match_pass(
        self, schema, p, provider, requester, policy, calibration, *, progress, cancelled, threads,
        directory, journal,
    ) -> PassResult:  # fmt: skip
        """Match a list."""
        self.calls.append(p.id)
        progress(0.5)
        self.before(p.id)
        if cancelled():
            raise RuntimeError("cancelled")
        if journal.load("rows") is None:
            journal.save("rows", b"looked at")
        return _match(p, provider, requester)

    def work(self, p, provider, requester):
        """Every pass is as much work as any other."""
        return 1.0

    def directory(self, p, provider, seed):
        """The real one, though nothing here uses it."""
        return Directory.of(p, provider, seed)

    def index(self, schema, p, provider, policy, directory, calibration):
        """Prepare a registry."""
        return _FakeIndex(p, provider, self)


@dataclass
class _FakeIndex:
    p: object
    provider: object
    engine: FakeEngine

    def match(self, requester, between) -> PassResult:
        for _ in range(len(requester) - 1):
            self.engine.pieces += 1
            self.engine.between(self.p.id)
            between()
        return _match(self.p, self.provider, requester)

    gains = True

    def match_some(self, requesters) -> list[PassResult]:
        return [_match(self.p, self.provider, each) for each in requesters[:3]]


class Gate:
    """Something for ``FakeEngine.before``: says when a pass began, and holds it until opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, pass_id: str) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE)


def _row_keys(table) -> list[bytes]:
    names = [n for n in ("keys", "filters") if n in table.columns]
    return [b"".join(table.columns[n][i].tobytes() for n in names) for i in range(len(table))]


def _match(p, provider, requester) -> PassResult:
    rows: dict[bytes, list[int]] = {}
    for i, key in enumerate(_row_keys(provider)):
        rows.setdefault(key, []).append(i)
    n = len(requester)
    fields = len(p.confirm)
    outcome = np.full(n, NOT_MATCHED, np.uint8)
    row = np.full(n, -1, np.int64)
    bits = np.zeros((n, fields), np.uint8)
    for i, key in enumerate(_row_keys(requester)):
        found = rows.get(key, [])
        if len(found) > 1:
            outcome[i] = AMBIGUOUS
        elif found:
            outcome[i], row[i] = MATCHED, found[0]
            if fields:
                mine = requester.columns["tags"][i].reshape(fields, TAG_BYTES)
                theirs = provider.columns["tags"][found[0]].reshape(fields, TAG_BYTES)
                bits[i] = (mine == theirs).all(axis=1)
    return PassResult(
        p.id,
        outcome,
        row,
        np.packbits(bits, axis=1, bitorder="little"),
        np.zeros(n, np.float32),
        Scoring(0.0, "tokens", n, precision=0.9995, recall=0.98, match_rate=1.0),
        len(provider),
        _met(provider, requester) if p.similar else np.zeros((n, 0), np.int64),
    )


def _met(provider, requester) -> np.ndarray:
    """A row meets the first registry row whose bucket and filter begin alike, int64[n, 1]."""
    first = {near: row for row, near in reversed(list(enumerate(_near(provider))))}
    return np.array([first.get(near, -1) for near in _near(requester)], np.int64).reshape(-1, 1)


def _near(table) -> list[bytes]:
    keys, filters = table.columns["keys"], table.columns["filters"]
    return [keys[i].tobytes() + filters[i, :2].tobytes() for i in range(len(table))]
