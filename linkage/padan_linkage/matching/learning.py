"""What a pass with a filter is scored by: learned from the registry's own pairs, or with a list.

Spec: ``proto/spec/35-matching.md``, "Calibration". An edition is learned without any list
(:func:`learn`); a rehearsal, which has both files and promises nothing to anybody, learns from both
(:func:`learn_from_list`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.matching.scoring.calibration import Calibration, Survivors, from_strangers
from padan_linkage.matching.scoring.duplicates import likely_duplicates, without_duplicates
from padan_linkage.matching.scoring.features import levels_of, noise_of, reach_cut
from padan_linkage.matching.scoring.fitting import fit
from padan_linkage.matching.scoring.threshold import ChosenThreshold, draw
from padan_linkage.matching.sides import Screen, Sweep, SweepRunner
from padan_linkage.matching.similar import SortedRegistry
from padan_linkage.tables import PassTable

#: From pairs of rows, int64[k] each, to which of them may be one person, bool[k].
Doubt: TypeAlias = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]

#: Rows of the list and of the registry that calibration looks at.
SAMPLE_LIST, SAMPLE_DECOYS = 100_000, 500_000
#: Survivors held in memory for calibration; beyond it the sample is thinned.
MOST_SURVIVORS = 1_000_000
#: Fewer pairs of strangers past the screen than this say little of what strangers look like.
LEAST_SURVIVORS = 30
#: Rows of unrelated salts that may pass an edition's screen for each row asked about. What such
#: rows may score is known without looking at them, and hardly any should be taken for strangers.
NOISE = 1e-5
#: The same for rows that are asked about later, so that most of what could be undecided is seen.
NOISE_ASKED = 1e-3


def learn(
    registry: SortedRegistry,
    real: NDArray[np.int64],
    runner: SweepRunner,
    doubles: Doubt = lambda a, _: np.zeros(len(a), np.bool_),
) -> Calibration:
    """Kinds of strangers from the registry's own ``real`` rows (int64, ascending); m shipped.

    ``doubles`` says which pairs of rows may be one person. The threshold is still to be drawn.
    """
    own = replace(registry, side=registry.side_of(registry.table, real))
    screen = Screen.of(registry.plan, registry.side, NOISE)
    some = real[_sample(len(real), SAMPLE_DECOYS)]
    met = survivors(own, registry.table, some, screen, runner, same_table=True)
    met = met.without(doubles(met.asking[met.row], met.other))
    decoys, _ = without_duplicates(registry.plan, met)
    sizes = registry.side.sizes().astype(np.float64)
    company = float((sizes * sizes).sum() / max(1.0, sizes.sum()))
    asked = Screen.of(registry.plan, registry.side, NOISE_ASKED)
    cut = max(asked.cut, reach_cut(registry.plan))
    learned = from_strangers(registry.plan, decoys, cut, company)
    return replace(learned, method=_method(decoys))


def _method(decoys: Survivors) -> str:
    return "decoys" if len(decoys.row) >= LEAST_SURVIVORS else "priors"


def learn_from_list(
    registry: SortedRegistry,
    list_table: PassTable,
    policy: MatchPolicy,
    runner: SweepRunner,
    others: PassTable | None = None,
) -> tuple[Calibration, ChosenThreshold]:
    """Take u and λ from the registry; m, ρ and the threshold from the list.

    ``others``: rows beside the registry's, no two of which are one person.
    """
    screen = Screen.of(registry.plan, registry.side)
    # Spec 35, "Calibration", step 1.
    met = _strangers(registry, screen, runner, others)
    decoys, duplicates = without_duplicates(registry.plan, met)
    start = from_strangers(registry.plan, decoys, screen.cut)
    method = _method(decoys)
    sample = _sample(len(list_table), SAMPLE_LIST)
    listed = survivors(registry, list_table, sample, screen, runner, same_table=False)
    # Spec 35, "Calibration", step 2.
    start = fit(start, listed, decoys)
    if duplicates:
        decoys = decoys.without(likely_duplicates(start, decoys, duplicates))
        start = fit(from_strangers(registry.plan, decoys, screen.cut), listed, decoys)
    line = draw(start, policy, listed, decoys)
    calibration = replace(start, threshold=line.threshold, doubt=line.threshold, method=method)
    return calibration, replace(line, duplicates=duplicates)


def _strangers(
    registry: SortedRegistry, screen: Screen, runner: SweepRunner, others: PassTable | None
) -> Survivors:
    """Survivors of provider rows asked of the provider, with those of ``others``.

    A longer table has more pairs than a short registry. Its rows are asked of as many as the
    registry has, so that each meets as many strangers as there.
    """
    rows = _sample(len(registry.table), SAMPLE_DECOYS)
    decoys = survivors(registry, registry.table, rows, screen, runner, same_table=True)
    if others is None or len(others) < len(registry.table):
        return decoys
    as_many = SortedRegistry.of(registry.p, others.head(len(registry.table)))
    rows = _sample(len(others), SAMPLE_DECOYS)
    return decoys.beside(survivors(as_many, others, rows, screen, runner, same_table=True))


def _sample(rows: int, most: int) -> NDArray[np.int64]:
    """Every k-th row, so that at most ``most`` are taken: tables come in random order."""
    return np.arange(0, rows, max(1, -(-rows // most)), dtype=np.int64)


def survivors(
    registry: SortedRegistry,
    table: PassTable,
    rows: NDArray[np.int64],
    screen: Screen,
    runner: SweepRunner,
    *,
    same_table: bool,
) -> Survivors:
    """Everything that passes the screen for ``rows`` of ``table``, thinned to what fits."""
    quiet = replace(runner, progress=None)
    while True:
        side = registry.side_of(table, rows)
        counting = Sweep(count=np.zeros(len(side.order), np.int64), same_table=same_table)
        quiet.run(registry.plan, registry.side, side, screen, counting)
        total = int(counting.count.sum())
        if total <= MOST_SURVIVORS or len(rows) == 1:
            break
        rows = rows[::2]
    plan, some = registry.plan, counting.count > 0
    count = counting.count[some]
    out = Sweep(
        count=np.zeros(len(count), np.int64),
        same_table=same_table,
        offset=np.cumsum(count) - count,
        found_rows=np.zeros(max(1, total), np.int64),
        found_values=np.zeros((max(1, total), plan.features), np.int32),
    )
    quiet.run(plan, registry.side, side.only(some), screen, out)
    return Survivors(
        rows=len(rows),
        asking=side.order,
        row=np.repeat(np.arange(len(side.order)), counting.count),
        other=out.found_rows[:total],
        levels=levels_of(plan, out.found_values[:total]),
        noise=noise_of(plan, out.found_values[:total]),
    )
