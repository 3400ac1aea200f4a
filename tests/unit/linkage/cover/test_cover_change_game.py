"""Game: is this row of a delta a person's change, or cover? Thirty deltas, as a unit sees them.

The classifier is trained on other months than it is judged on. What decoys once did, a new token
for each that is renewed, is played too, and found.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pytest
from changing_registry import SCHEMA, CoveredRegistry

from padan_linkage.answering.payloads import Payloads
from padan_linkage.cover.lives import behind
from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.encoding import Leaving, PassEncoder, ProviderInputs
from padan_linkage.encoding.handles import record_handles

DAYS, DELETE = 30, 2
HANDLE_KEY = b"h" * 32
#: Two-sided 99.9 % of a normal variable.
WIDE = 3.29


class Unsealed:
    """Codes that nobody opens: sealing is tried elsewhere, and random to the unit."""

    def seal(self, pass_id, tokens, payloads, drbg=None):
        return np.zeros((len(tokens), 44), np.uint8)


def provider(ids, numbers):
    payloads = Payloads.of(np.ones(len(ids), np.uint64)).pack()
    return ProviderInputs(Unsealed(), payloads, HANDLE_KEY, ids, numbers)


@dataclass
class WatchedRow:
    """What the unit knows of a row."""

    key: bytes
    filters: np.ndarray
    presence: bytes
    since: int
    touches: int = 0


@dataclass
class WatchingUnit:
    """One pass's registry at the unit, and how the rows of deltas look beside it."""

    rows: dict = field(default_factory=dict)
    groups: dict = field(default_factory=dict)
    features: list = field(default_factory=list)
    truth: list = field(default_factory=list)

    def take(self, table, day, people=None):
        columns = table.columns
        filters = columns.get("filters", np.zeros((len(table), 0), np.uint8))
        operations = columns.get("operations", np.ones((len(table), 1), np.uint8))[:, 0]
        new = []
        for at, handle in enumerate(map(bytes, columns["handles"])):
            presence = bytes(columns["presence"][at]) if "presence" in columns else b""
            row = WatchedRow(bytes(columns["keys"][at]), filters[at], presence, day)
            if people is not None:
                self.features.append(self._beside(row, self.rows.get(handle), operations[at], day))
                self.truth.append(handle in people)
            new.append((handle, row, operations[at]))
        for handle, row, operation in new:
            was = self.rows.pop(handle, None)
            if was is not None:
                self.groups[was.key] -= 1
                row.since, row.touches = was.since, was.touches + 1
            if operation != DELETE:
                self.rows[handle] = row
                self.groups[row.key] = self.groups.get(row.key, 0) + 1

    def _beside(self, row, was, operation, day):
        group = min(9, self.groups.get(row.key, 0))
        if was is None:
            return [operation, group, -1, -1, -1, -1, -1, -1]
        apart = np.bitwise_count(row.filters ^ was.filters).sum()
        return [
            operation, group, was.key == row.key, apart // 8, was.presence == row.presence,
            min(9, self.groups[was.key]), day - was.since, was.touches,
        ]  # fmt: skip


def month(size, seed, changes, renewing=False):
    """The units of the passes after a month; ``renewing``: cover rows are as they once were."""
    registry, rng = CoveredRegistry(size, seed), np.random.default_rng(seed)
    key = LinkageKey(bytes([seed]) * 32, b"d" * 32, "asn-status", 1)
    units = {p.id: (WatchingUnit(), PassEncoder(SCHEMA, p, key)) for p in SCHEMA.passes}
    for unit, encoder in units.values():
        drbg = Drbg(bytes([seed + 1]) * 32)
        whole = provider(registry.ids, None)
        unit.take(encoder.encode(registry.whole, people=size, drbg=drbg, provider=whole).table, 0)
    for number in range(1, DAYS + 1):
        day = registry.day(*rng.multinomial(max(1, rng.poisson(changes)), [0.4, 0.25, 0.2, 0.15]))
        follow = day.following
        left = [i for i in day.gone.ids.to_pylist() if i not in set(day.put.ids.to_pylist())]
        everybody = pa.concat_arrays([day.put.ids, pa.array(left, pa.string())])
        for p in SCHEMA.passes:
            unit, encoder = units[p.id]
            encoded = encoder.encode_delta(
                behind(day.put.records, follow.records),
                people=len(day.put.ids),
                drbg=Drbg(bytes([number]) * 32),
                provider=provider(day.put.ids, follow.put),
                leaving=Leaving(tuple(left), follow.leaving),
            )
            people = {bytes(h) for h in record_handles(HANDLE_KEY, p.id, everybody)}
            table = as_it_was(encoded.table, people, rng) if renewing else encoded.table
            unit.take(table, number, people)
    return {pass_id: unit for pass_id, (unit, _) in units.items()}


def as_it_was(table, people, rng):
    """Every cover row with a token and a filter of its own, as renewed decoys had."""
    cover = np.array([bytes(h) not in people for h in table.columns["handles"]])
    for name in {"keys", "filters"} & set(table.columns):
        column = table.columns[name].copy()
        column[cover] = rng.integers(0, 256, column[cover].shape, np.uint8)
        table.columns[name] = column
    return table


def one_hot(features, edges):
    """Bins of each feature, and those of the first with each other."""
    bins = [np.searchsorted(e, f) for e, f in zip(edges, features.T, strict=True)]
    columns = [np.eye(len(e) + 1)[b] for e, b in zip(edges, bins, strict=True)]
    return np.concatenate([np.ones((len(features), 1)), *columns], axis=1)


def trained(features, truth):
    """A ridge logistic regression on binned features, by Newton's steps; scores other rows."""
    edges = [np.unique(np.quantile(f, np.linspace(0, 1, 9)[1:-1])) for f in features.T]
    x, weights = one_hot(features, edges), None
    weights = np.zeros(x.shape[1])
    for _ in range(12):
        likely = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (truth - likely) - weights
        bend = (x * (likely * (1 - likely))[:, None]).T @ x + np.eye(x.shape[1])
        weights = weights + np.linalg.solve(bend, slope)
    return lambda others: one_hot(others, edges) @ weights


def area(scores, truth):
    """The AUC and half of its 99.9 % interval (DeLong 1988)."""
    real, cover = np.sort(scores[truth]), np.sort(scores[~truth])

    def below(those, of):
        return (np.searchsorted(those, of, "left") + np.searchsorted(those, of, "right")) / 2

    of_real, of_cover = below(cover, real) / cover.size, 1 - below(real, cover) / real.size
    spread = of_real.var() / real.size + of_cover.var() / cover.size
    return of_real.mean(), WIDE * np.sqrt(spread)


def plays(months, passes, only=None):
    features = np.array([f for m in months for p in passes for f in m[p].features], float)
    truth = np.array([t for m in months for p in passes for t in m[p].truth])
    chosen = np.ones(len(truth), bool) if only is None else only(features)
    return features[chosen], truth[chosen]


def game(months, only=None):
    """AUC by pass: the first half of the months trains, the other judges."""
    half, found = len(months) // 2, {}
    for p in (p.id for p in SCHEMA.passes):
        score = trained(*plays(months[:half], [p], only))
        features, truth = plays(months[half:], [p], only)
        found[p] = area(score(features), truth)
    return found


@pytest.mark.parametrize(("size", "changes", "months"), [(150, 6, 6), (600, 12, 4), (3000, 30, 2)])
def test_a_change_of_cover_people_looks_like_one_of_people(size, changes, months):
    played = [month(size, seed, changes) for seed in range(1, months + 1)]
    for auc, wide in game(played).values():
        assert auc - wide <= 0.5 <= auc + wide
    # Alone in their bucket or not: those who leave.
    for auc, wide in game(played, only=lambda f: f[:, 0] == DELETE).values():
        assert auc - wide <= 0.5 <= auc + wide


def test_what_decoys_once_did_is_found():
    played = [month(600, seed, 12, renewing=True) for seed in range(1, 3)]
    for auc, wide in game(played).values():
        assert auc - wide > 0.55
