"""The script of test_matching_processors: kernels against references on a processor of choice.

Compiles everything anew and prints one JSON object: what the machine code holds ("zmm": AVX-512
registers), whether LLVM's code names anything of x86, and how many vector popcounts it becomes
for arm64 (null where this LLVM cannot make that).
"""

import json
import sys
from pathlib import Path

import numpy as np
from llvmlite import binding

from padan_linkage.matching import exact
from padan_linkage.matching.kernels import kernel
from padan_linkage.matching.scoring.features import FeaturePlan
from padan_linkage.matching.sides import FilterSide, Screen, Sweep, SweepRunner, numba_sweep

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))
import plain_sweep

ARM = "aarch64-unknown-linux-gnu"


def check_sweep(rng: np.random.Generator) -> None:
    plan = FeaturePlan(
        names=("a", "b", "trade"),
        bits=np.array([128, 128]),
        edited=np.full((2, 3), 0.4),
        seg_start=np.array([0, 2]),
        seg_words=np.array([2, 2]),
        pairs=np.array([[0, 0], [0, 1], [1, 0], [1, 1]]),
        alignments=np.array([[0, 3], [1, 2]]),
        words=4,
        random_fill=True,
    )
    provider, requester = _side(rng, 70), _side(rng, 50)
    results = []
    for sweep in (numba_sweep, plain_sweep.sweep):
        out = Sweep(
            count=np.zeros(50, np.int64),
            scores=np.linspace(3, -3, 3 * 129, dtype=np.float32).reshape(3, 129),
            best_score=np.zeros((50, 2), np.float32),
            best_row=np.full((50, 2), -1, np.int64),
        )
        SweepRunner(sweep).run(plan, provider, requester, Screen.at(plan, 4.0), out)
        results.append((out.count, out.best_row, out.best_score))
    assert results[0][0].sum() > 20
    for fast, plain in zip(*results, strict=True):
        assert np.array_equal(fast, plain)


def _side(rng: np.random.Generator, rows: int) -> FilterSide:
    arrays = (
        rng.integers(0, 2**64, rows * 4, dtype=np.uint64),
        np.zeros(0, np.uint64),
        np.arange(rows),
        np.array([0, rows // 3, rows]),
    )
    for each in arrays:
        each.flags.writeable = False
    return FilterSide(*arrays)


def check_join(rng: np.random.Generator) -> None:
    tokens = rng.integers(0, 2**64, (300, 2), dtype=np.uint64)
    found = exact.TokenIndex.of(tokens, 9).find(tokens[::7])
    assert found.tolist() == list(range(0, 300, 7))


def arm_popcounts(code: str) -> int | None:
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    try:
        target = binding.Target.from_triple(ARM)
    except RuntimeError:
        return None
    module = binding.parse_assembly(code)
    module.triple = ARM
    machine = target.create_target_machine(opt=1)
    module.data_layout = str(machine.target_data)
    return machine.emit_assembly(module).count("cnt\tv")


if __name__ == "__main__":
    for check in (check_sweep, check_join):
        check(np.random.default_rng(1))
    code = next(iter(kernel.sweep.inspect_llvm().values()))
    found = {
        "zmm": "zmm" in next(iter(kernel.sweep.inspect_asm().values())),
        "x86": "llvm.x86" in code,
        "arm": arm_popcounts(code),
    }
    print(json.dumps(found))  # noqa: T201
