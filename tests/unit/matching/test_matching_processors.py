"""The kernels on other processors: the same results, and no instruction of one kind by name."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from llvmlite import binding

from padan_linkage.matching import kernel, search
from padan_linkage.matching.pairs import all_pairs, dice, hamming

#: Compiles both kernels for whatever processor the environment names, and prints their results.
SCRIPT = """
import hashlib, sys
import numpy as np
from numba.core.registry import cpu_target
from padan_linkage.matching import exact, reference
from padan_linkage.matching.features import Plan
from padan_linkage.matching.pairs import all_pairs, dice
from padan_linkage.matching.sides import Runner, Screen, Side, Sweep, numba_sweep

def numbers(*shape):
    state = np.arange(1, np.prod(shape) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift in (29, 32):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(0xBF58476D1CE4E5B9)
    return state.reshape(shape)

left = numbers(37, 11)
right = np.concatenate([left[:20] ^ (numbers(20, 11) & numbers(20, 11)[::-1] & numbers(220).reshape(20, 11)), numbers(29, 11)[::-1]])
right[3] = 0
for rule in (dice(0.6), dice(0.75)):
    expected = reference.all_pairs(left, right, rule)
    for sketch in (0, 6):
        found = all_pairs(left, right, rule, sketch=sketch)
        assert np.array_equal(np.stack([found.left, found.right, found.distance], 1), expected)
    assert len(expected) >= 5

one, two = np.array([0, 2]), np.array([2, 3])
plan = Plan(("a", "b", "trade"), np.array([128, 128]), one, np.array([2, 2]),
            np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0, 3], [1, 2]]), 4, True)
def side(rows, seed):
    order = np.arange(rows); start = np.array([0, rows // 3, rows]); mask = np.zeros(0, np.uint64)
    filters = (numbers(rows, 4) & np.uint64(seed)).reshape(-1)
    for array in (order, start, mask, filters):
        array.flags.writeable = False
    return Side(filters, mask, order, start)
results = []
for sweep in (numba_sweep, reference.sweep):
    out = Sweep(np.zeros(50, np.int64), scores=np.linspace(3, -3, 3 * 129, dtype=np.float32).reshape(3, 129),
                best_score=np.zeros((50, 2), np.float32), best_row=np.full((50, 2), -1, np.int64))
    Runner(sweep).run(plan, side(70, 2**64 - 1), side(50, 2**64 - 2**60), Screen.at(plan, 9.0), out)
    results.append((out.count, out.best_row, out.best_score))
for fast, plain in zip(*results, strict=True):
    assert np.array_equal(fast, plain)
assert results[0][0].sum() > 20
tokens = numbers(300, 2)
assert exact.TokenIndex.of(tokens, 9).find(tokens[::7]).tolist() == list(range(0, 300, 7))
print("zmm" in "".join(__import__("padan_linkage.matching.search", fromlist=["search"]).search.inspect_asm().values()))
"""


def _on(cpu: str, features: str, tmp_path: Path) -> str:
    environment = os.environ | {
        "NUMBA_CPU_NAME": cpu,
        "NUMBA_CPU_FEATURES": features,
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


X86 = pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="names of x86")


@X86
@pytest.mark.parametrize(
    ("cpu", "features"),
    [("haswell", "+avx2,+popcnt,+bmi,-avx512f"), ("generic", "")],
    ids=["avx2", "generic"],
)
def test_older_processors_give_the_same(cpu, features, tmp_path):
    assert _on(cpu, features, tmp_path) == "False"


def _compiled_for(triple: str, kernel_function) -> str:
    """Assembly of a kernel's LLVM code, as Numba made it for this processor, for another one."""
    try:
        target = binding.Target.from_triple(triple)
    except RuntimeError:
        pytest.skip(f"this LLVM cannot compile for {triple}")
    (code,) = kernel_function.inspect_llvm().values()
    module = binding.parse_assembly(code)
    module.triple = triple
    machine = target.create_target_machine(opt=2)
    module.data_layout = str(machine.target_data)
    return machine.emit_assembly(module)


@pytest.fixture(scope="module")
def compiled():
    """The kernels with code in memory: what comes from Numba's cache cannot be inspected."""
    saved = dict(os.environ)
    filters = np.zeros((3, 2), np.uint64)
    all_pairs(filters, filters, dice(0.9))
    all_pairs(filters, filters, hamming(1))
    os.environ.clear()
    os.environ.update(saved)
    return search.search, kernel.sweep
