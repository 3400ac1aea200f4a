"""Weights of a score for direct keys, learned from whom a list met whose truth is known.

A logistic regression over what :mod:`padan_linkage.direct.labelling.scoring` adds up: of each field
the part that tells most, words' and places' rarity, keys that were asked in vain. Rounded to
quarter bits; the threshold is the lowest under which strangers are answered seldom enough.
"""

from __future__ import annotations

import numpy as np

from padan_linkage.agreement.group_sizes import distinct_combinations
from padan_linkage.direct.labelling.deciding import Acquaintances
from padan_linkage.direct.labelling.scoring import scores
from padan_linkage.direct.schema import DirectSchema, DirectScore, alternatives
from padan_linkage.schema import Schema

_QUARTERS = 4 / np.log(2)
#: Two persons of one record: how many quarter bits one has to be ahead.
_MARGIN = 8


def weighed(
    fields: Schema,
    schema: DirectSchema,
    met: Acquaintances,
    asked: np.ndarray,
    rarity: np.ndarray,
    truth: np.ndarray,
    learning: np.ndarray,
    tolerated: float,
    rows: int,
) -> DirectScore:
    """Weights that tell own pairs from others', and a threshold for these strangers.

    ``asked``: int64[p], keys as bits; ``rarity``: int64[p, 2]; ``truth``: int64, each record's
    person or −1; ``learning``: bool, the records to learn from; ``tolerated``: share of strangers;
    ``rows``: of the table that this registry makes.
    """
    own = truth[met.record] == met.person
    used = np.flatnonzero(met.opens & learning[met.record])
    parts = _by_field(fields, schema)
    columns = _columns(schema, parts, met.keys[used], asked[used], rarity[used])
    names = [part for each in parts for part in each]
    count = len(schema.keys)
    signs = np.array([0] + [1] * len(names) + [-1] * count + [1, 1])
    weights = np.round(_signed(columns, own[used], signs)[1:] * _QUARTERS).astype(int).tolist()
    of_parts, rest = dict(zip(names, weights, strict=False)), weights[len(names) :]
    for each in parts:  # from what tells least: what tells more weighs no less
        for more, less in zip(each[-2::-1], each[:0:-1], strict=True):
            of_parts[more] = max(of_parts[more], of_parts[less])
    ids = [key.id for key in schema.keys]
    missed = {i: w for i, w in zip(ids, rest[: len(ids)], strict=True) if w}
    name, place = rest[len(ids) :]
    made = DirectScore(
        threshold=0, rows=rows, margin=_MARGIN,
        parts=of_parts, missed=missed, names=name, places=place,
    )  # fmt: skip
    score = scores(schema, made, met.keys, asked, rarity)
    strangers = (truth < 0) & learning
    best = np.full(len(truth), -1 << 20)
    np.maximum.at(best, met.record[met.opens], score[met.opens])
    ordered = np.sort(best[strangers])[::-1]
    allowed = int(tolerated * len(ordered))
    threshold = max(int(ordered[allowed]) + 1, int(score[used].min()))
    return made.model_copy(update={"threshold": threshold})


def _by_field(fields: Schema, schema: DirectSchema) -> list[list[str]]:
    """The parts of keys, field by field, those that tell most first."""
    grouped: dict[str, list[str]] = {}
    for part in dict.fromkeys(part for key in schema.keys for part in key.exact):
        grouped.setdefault(alternatives(part)[0][0], []).append(part)

    def telling(part: str) -> float:
        return distinct_combinations(fields, [part.split("|", maxsplit=1)[0]])

    return [sorted(each, key=telling, reverse=True) for each in grouped.values()]


def _columns(
    schema: DirectSchema,
    parts: list[list[str]],
    met: np.ndarray,
    asked: np.ndarray,
    rarity: np.ndarray,
) -> np.ndarray:
    """float64[p, …]: 1, parts (of each field the first that agrees), missed keys, rarities."""
    columns = [np.ones(len(met))]
    for each in parts:
        left = np.ones(len(met), np.bool_)
        for part in each:
            holding = sum(1 << n for n, key in enumerate(schema.keys) if part in key.exact)
            agrees = (met & holding) != 0
            columns.append(agrees & left)
            left &= ~agrees
    columns += [(asked & ~met) >> n & 1 for n in range(len(schema.keys))]
    return np.column_stack([*columns, rarity]).astype(np.float64)


def _signed(columns: np.ndarray, own: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """The regression's weights; what would have another sign than it may is left out, and 0."""
    kept = np.arange(columns.shape[1])
    while True:
        weights = _regression(columns[:, kept], own)
        wrong = weights * signs[kept] < 0
        if not wrong.any():
            break
        worst = np.argmin(weights * signs[kept])
        kept = np.delete(kept, worst)
    whole = np.zeros(columns.shape[1])
    whole[kept] = weights
    return whole


def _regression(columns: np.ndarray, own: np.ndarray, ridge: float = 0.01) -> np.ndarray:
    """Newton's method for the logistic likelihood, every weight but the first drawn to 0."""
    weights, pull = np.zeros(columns.shape[1]), np.full(columns.shape[1], ridge)
    pull[0] = 1e-6
    for _ in range(100):
        likely = 1 / (1 + np.exp(-np.clip(columns @ weights, -40, 40)))
        slope = columns.T @ (own - likely) - pull * weights
        curve = (columns * (likely * (1 - likely) + 1e-9)[:, None]).T @ columns + np.diag(pull)
        step = np.linalg.solve(curve, slope)
        weights += np.clip(step, -4, 4)
        if np.abs(step).max() < 1e-6:
            break
    return weights
