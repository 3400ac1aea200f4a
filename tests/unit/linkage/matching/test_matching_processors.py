"""The kernels on other processors: the same results, and no instruction of one of them by name."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import padan_linkage

PACKAGE = Path(padan_linkage.__file__).parent
SCRIPT = Path(__file__).with_name("elsewhere.py")
X86 = pytest.mark.skipif(
    platform.machine() not in {"x86_64", "AMD64"}, reason="names processors of x86"
)
OLDER = {
    "avx2": ("haswell", "+avx2,+popcnt,+bmi,+bmi2,+fma"),
    "generic": ("generic", ""),
}


@pytest.fixture(scope="module")
def on_processor(tmp_path_factory):
    """Runs the script once on each processor."""
    known = {}

    def run(name: str) -> dict:
        if name not in known:
            cpu, features = OLDER[name]
            environment = os.environ | {
                "NUMBA_CPU_NAME": cpu,
                "NUMBA_CPU_FEATURES": features,
                "NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp(name)),
            }
            command = [sys.executable, str(SCRIPT)]
            done = subprocess.run(
                command, capture_output=True, text=True, env=environment, check=False
            )
            assert done.returncode == 0, done.stderr
            known[name] = json.loads(done.stdout)
        return known[name]

    return run


@X86
@pytest.mark.parametrize("name", ["avx2", pytest.param("generic", marks=pytest.mark.slow)])
def test_an_older_processor_gives_the_same(on_processor, name):
    assert not on_processor(name)["zmm"]


@X86
def test_the_kernels_compile_for_arm64(on_processor):
    found = on_processor("avx2")
    assert not found["x86"]
    if found["arm"] is None:
        pytest.skip("this LLVM cannot make code for arm64")
    assert found["arm"] > 0


FIND_ONE = """
import numpy as np
from padan_linkage.matching.exact import TokenIndex
token = np.ones((1, 2), np.uint64)
print(TokenIndex.of(token, 1).find(token).tolist())
"""

SWEEP_ONE = """
import numpy as np
from padan_linkage.matching.kernels import kernel
from padan_linkage.matching.scoring.features import FeaturePlan
from padan_linkage.matching.sides import FilterSide, Screen, Sweep, SweepRunner, frozen
from padan_linkage.schema import Pass
def side(word):
    filters = frozen(np.array([word], np.uint64))
    return FilterSide(filters, filters[:0], frozen(np.zeros(1, np.int64)), frozen(np.arange(2)))
p = Pass(id="a", exact=("b",), similar=({"fields": ("c",), "bits": 64},))
plan = FeaturePlan.of(p, presence=False)
number = np.zeros(1, np.int64)
out = Sweep(number, offset=number * 0, found_rows=number * 0, found_values=np.zeros((1, 1), "i4"))
SweepRunner().run(plan, side(0), side(2**64 - 2), Screen.at(plan, 0.0), out)
print(*out.found_values[0], "cached" if kernel.sweep.stats.cache_hits else "compiled")
"""


@pytest.mark.parametrize("home", [True, False], ids=["home", "nowhere"])
def test_kernels_work_where_the_package_cannot_hold_their_cache(tmp_path, home):
    site, cache = tmp_path / "site", tmp_path / "cache"
    shutil.copytree(PACKAGE, site / "padan_linkage", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [site / "padan_linkage", *(site / "padan_linkage").rglob("*/")]:
        (folder / "__pycache__").write_text("a file where a folder would have to be")
    cache.mkdir() if home else cache.write_text("")
    environment = {name: v for name, v in os.environ.items() if not name.startswith("NUMBA")}
    environment |= {"PYTHONPATH": str(site), "HOME": str(cache), "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-c", FIND_ONE]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[0]"
    assert bool(list(cache.rglob("*.nbc"))) == home


def test_a_kernel_is_compiled_anew_when_what_is_compiled_into_it_changes(tmp_path):
    site, cache = tmp_path / "site", tmp_path / "cache"
    shutil.copytree(PACKAGE, site / "padan_linkage", ignore=shutil.ignore_patterns("__pycache__"))
    environment = os.environ | {"PYTHONPATH": str(site), "NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, "-c", SWEEP_ONE]

    def distance() -> str:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        return done.stdout.strip()

    assert distance() == "63 compiled"
    assert distance() == "63 cached"
    tile = site / "padan_linkage" / "matching" / "kernels" / "tile.py"
    text = tile.read_text(encoding="utf-8")
    broken = text.replace(
        "variable(builder, LANE([0] * LANES))", "variable(builder, LANE([1] * LANES))"
    )
    assert broken != text
    tile.write_text(broken, encoding="utf-8")
    assert distance() == "64 compiled"
