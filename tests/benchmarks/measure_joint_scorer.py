"""What scoring each pass alone costs against a scorer that sees all passes together.

    python tests/benchmarks/measure_joint_scorer.py SCHEMA A B TRUTH [--seed N]

Passes are unlinkable for the linkage unit, so each is scored alone and the requester merges. Here
the tables' owners, who know which rows belong together, give every pair the best score that any
pass gave it and assign greedily: that is the joint scorer. Both are judged at scores of 0 and more.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from padan_client.rehearse.linking import Rehearsing
from padan_client.rehearse.schema_file import load_schema_file
from padan_client.rehearse.sides import Keys, Records, read_side
from padan_client.rehearse.tables import Truth
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.matching import sides, similar

POLICY = MatchPolicy(min_precision=0.5, margin=0.0)


def joint(keys: Keys, schema, a: Records, b: Records) -> list[tuple[int, int]]:
    """Pairs of record positions by the best score of any pass, one to one."""
    best: dict[tuple[int, int], float] = {}
    runner = sides.SweepRunner()
    for p in schema.passes:
        if not p.similar:
            continue
        mine = keys.encode(p, a, provider=False, threads=1)
        theirs = keys.encode(p, b, provider=True, threads=1)
        registry = similar.SortedRegistry.of(p, theirs.table)
        calibration, _ = similar.calibrate(registry, mine.table, POLICY, runner)
        screen = sides.Screen.at(registry.plan, calibration.screen)
        everybody = np.arange(len(mine.table), dtype=np.int64)
        found = similar.survivors(registry, mine.table, everybody, screen, runner, same_table=False)
        score = calibration.score(found)
        ends = mine.record_of_row[found.asking[found.row]], theirs.record_of_row[found.other]
        for i, j, s in zip(*(e.tolist() for e in ends), score.tolist(), strict=True):
            if i >= 0 and j >= 0 and s >= max(0.0, best.get((i, j), 0.0)):
                best[i, j] = s
    taken: tuple[set[int], set[int]] = set(), set()
    pairs = []
    for (i, j), _ in sorted(best.items(), key=lambda item: (-item[1], item[0])):
        if i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
            pairs.append((i, j))
    return pairs


def alone(keys: Keys, schema, a: Records, b: Records) -> list[tuple[int, int]]:
    """Pairs as a rehearsal finds them: pass by pass, merged at home, one to one."""
    policy = POLICY.model_copy(update={"one_to_one": True})
    pairs = Rehearsing(schema, policy, keys).link(a, b).pairs
    return list(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True))


def main() -> None:
    """Print precision, recall and F1 of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("schema", "a", "b", "truth"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seed", default="1")
    given = parser.parse_args()
    file = load_schema_file(given.schema)
    a = read_side(given.a, file.schema, file.columns_a, None)
    b = read_side(given.b, file.schema, file.columns_b, None)
    truth = Truth.read(given.truth, a, b, within=False)
    for name, way in (("each pass alone", alone), ("all passes together", joint)):
        pairs = np.array(way(Keys(file.schema, given.seed.encode()), file.schema, a, b))
        right = truth.count_true(a.rows[pairs[:, 0]], b.rows[pairs[:, 1]])
        precision, recall = right / len(pairs), right / truth.pairs
        f1 = 2 * precision * recall / (precision + recall)
        sys.stdout.write(f"{name:20s} P {precision:.4f} R {recall:.4f} F1 {f1:.4f}\n")


if __name__ == "__main__":
    main()
