"""One game: classifiers are trained, one is chosen, and judged on plays that neither saw.

1. A third of the clusters of the training plays is set aside.
2. Every kind is trained on the others; the one that tells most on those set aside is chosen, and
   turned so that it is right more often than wrong there.
3. It scores the judged plays: the result is its AUC there, turned so that it is at least one half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_lab.games.judging.auc import Area, area
from padan_lab.games.judging.classifiers import KINDS, Scorer

Features = NDArray[np.float64]
#: Training plays of one world beyond this number teach no classifier here anything more.
_ENOUGH = 6000


@dataclass(frozen=True, repr=False)
class Plays:
    """Plays of a game: ``features`` ``float64[n, f]``, ``truth`` ``bool[n]``: which world it is.

    ``clusters`` ``int64[n]``: equal where plays may depend on each other.
    """

    names: tuple[str, ...]
    features: Features
    truth: NDArray[np.bool_]
    clusters: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        columns: Mapping[str, NDArray[np.generic]],
        truth: NDArray[np.bool_],
        clusters: NDArray[np.int64] | None = None,
    ) -> Plays:
        """Plays from named columns; each a cluster of its own where none are given."""
        features = np.column_stack([np.asarray(c, np.float64) for c in columns.values()])
        alone = np.arange(truth.size) if clusters is None else clusters
        return cls(tuple(columns), features, truth, alone)

    @classmethod
    def joined(cls, parts: Sequence[Plays]) -> Plays:
        """Plays of several epochs together; clusters of different parts stay apart."""
        widths = np.cumsum([0, *(int(p.clusters.max(initial=-1)) + 1 for p in parts)])
        return cls(
            parts[0].names,
            np.concatenate([p.features for p in parts]),
            np.concatenate([p.truth for p in parts]),
            np.concatenate([p.clusters + w for p, w in zip(parts, widths, strict=False)]),
        )

    def some(self, chosen: NDArray[np.generic]) -> Plays:
        """Some of the plays, by mask or number."""
        clusters = self.clusters[chosen]
        return Plays(self.names, self.features[chosen], self.truth[chosen], clusters)

    @property
    def counts(self) -> tuple[int, int]:
        """Plays of either world."""
        return int(self.truth.sum()), int((~self.truth).sum())


@dataclass(frozen=True)
class Result:
    """What came of a game. ``told``: the features that tell most by themselves, with their AUC."""

    area: Area
    classifier: str
    plays: tuple[int, int]
    told: tuple[tuple[str, float], ...]

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "auc": round(self.area.auc, 4),
            "low": round(self.area.low, 4),
            "high": round(self.area.high, 4),
            "classifier": self.classifier,
            "plays": list(self.plays),
            "features": [[name, round(auc, 3)] for name, auc in self.told],
        }


def contest(training: Plays, judged: Plays, seed: int) -> Result:
    """Play: train and choose on ``training``, judge on ``judged``."""
    rng = np.random.default_rng(seed)
    training = training.some(_thinned(training, rng))
    aside = _aside(training, rng)
    fit, choose = training.some(~aside), training.some(aside)
    found: dict[str, tuple[float, Scorer]] = {}
    for name, train in KINDS.items():
        scorer = train(fit.features, fit.truth, rng)
        found[name] = area(scorer(choose.features), choose.truth).auc - 0.5, scorer
    name = max(found, key=lambda kind: abs(found[kind][0]))
    told, scorer = found[name]
    scores = scorer(judged.features) * (1.0 if told >= 0 else -1.0)
    result = area(scores, judged.truth, judged.clusters).turned
    return Result(result, name, judged.counts, _telling(judged))


def _aside(plays: Plays, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A third of the clusters, ``bool[n]``."""
    _, cluster = np.unique(plays.clusters, return_inverse=True)
    chosen: NDArray[np.bool_] = (rng.random(int(cluster.max()) + 1) < 1 / 3)[cluster]
    return chosen


def _thinned(plays: Plays, rng: np.random.Generator) -> NDArray[np.int64]:
    """Numbers of the plays to train on, ``_ENOUGH`` of each world at most."""
    worlds = (np.flatnonzero(plays.truth), np.flatnonzero(~plays.truth))
    return np.concatenate([np.sort(rng.permutation(world)[:_ENOUGH]) for world in worlds])


def _telling(plays: Plays) -> tuple[tuple[str, float], ...]:
    aucs = [(n, area(plays.features[:, i], plays.truth).auc) for i, n in enumerate(plays.names)]
    return tuple(sorted(aucs, key=lambda told: -abs(told[1] - 0.5))[:3])
