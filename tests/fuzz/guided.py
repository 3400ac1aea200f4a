"""Tries every parser for as long as it is given, led by what its inputs reach (libFuzzer, atheris).

    python tests/fuzz/guided.py [--minutes N] [--seed S] [--only NAME,NAME] [--jobs N] [--together]

Each target has a process of its own, which takes seconds to start; with ``--together`` all are in
one, for a short look. Where atheris is not to be had the same changes are made
without guidance, which is said. An input that is neither read nor refused, that takes longer than
TIMEOUT or more than MEGABYTES ends its target: it is printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
#: Seconds that one input may take, and megabytes that a process may come to.
TIMEOUT, MEGABYTES = 20, 1_536
PRODUCT = ("linkage/padan_linkage", "clients/padan_client", "server/padan_server")
PACKAGES = tuple(top.rpartition("/")[2] for top in PRODUCT)
_LONGEST = 1 << 16


@dataclass(frozen=True)
class TargetEnd:
    """What became of one target."""

    name: str
    tried: int
    reached: int
    found: str


def main() -> int:
    """Try all targets at once, some at a time; print what became of each."""
    options = _options()
    if options.target:
        return _try_one(options.target, options.seconds, options.seed)
    from parsers import TARGETS, TOGETHER

    names = options.only.split(",") if options.only else sorted(TARGETS)
    unknown = sorted(set(names) - TARGETS.keys())
    if unknown:
        sys.stderr.write(f"no such target: {', '.join(unknown)}\n")
        return 2
    if options.together:
        names = [TOGETHER.name] * options.jobs
    seconds = max(1.0, 60 * options.minutes * options.jobs / len(names))
    seeds = range(options.seed, options.seed + len(names))
    say(f"seed {options.seed}, {seconds:.0f} s each")
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(_play, names, [seconds] * len(names), seeds))
    say(f"{'all':<24}{sum(o.tried for o in outcomes):>12,}")
    return int(any(outcome.found for outcome in outcomes))


def say(line: str) -> None:
    """A line to standard output, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--together", action="store_true")
    parser.add_argument("--target", default="", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=1.0, help=argparse.SUPPRESS)
    return parser.parse_args()


def _play(name: str, seconds: float, seed: int) -> TargetEnd:
    """One target in a process of its own, whatever becomes of it."""
    command = [sys.executable, __file__, "--target", name, "--seconds", f"{seconds}"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*command, "--seed", str(seed)],
            cwd=folder, capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
    said = done.stdout + done.stderr
    tried = _most(r"^(?:stat::number_of_executed_units: |#)(\d+)", said)
    reached = _most(r"\bft: (\d+)", said)
    found = "" if done.returncode == 0 else said[-4000:]
    say(f"{name:<24}{tried:>12,}{reached:>8}  {'FOUND' if found else 'ok'}")
    if found:
        say(found)
    return TargetEnd(name, tried, reached, found)


def _most(pattern: str, said: str) -> int:
    return max(map(int, re.findall(pattern, said, re.MULTILINE)), default=0)


def _try_one(name: str, seconds: float, seed: int) -> int:
    try:
        import atheris
    except ImportError:
        return _unguided(name, seconds, seed)
    with atheris.instrument_imports(include=list(PACKAGES), exclude=_compiled()):
        from parsers import TARGETS, TOGETHER
    from parsers.mutation import mutated

    target = TARGETS.get(name, TOGETHER)
    corpus = Path("corpus")
    corpus.mkdir()
    for number, content in enumerate(target.seeds()):
        (corpus / str(number)).write_bytes(content)

    def change(content: bytes, most: int, seed: int) -> bytes:
        draw = random.Random(seed)
        if draw.random() < 0.5:
            return bytes(atheris.Mutate(content, most))
        return mutated(content, draw)[:most]

    limits = (f"-max_total_time={max(1, round(seconds))}", f"-timeout={TIMEOUT}")
    atheris.Setup(
        [
            name, str(corpus), f"-seed={seed}", *limits, f"-rss_limit_mb={MEGABYTES}",
            f"-max_len={_LONGEST}", "-print_final_stats=1",
        ],
        target.accepts, custom_mutator=change,
    )  # fmt: skip
    atheris.Fuzz()
    return 0


def _compiled() -> list[str]:
    """The modules of compiled loops, which cannot be instrumented."""
    return [
        ".".join(path.relative_to((ROOT / top).parent).with_suffix("").parts)
        for top in PRODUCT
        for path in sorted((ROOT / top).rglob("*.py"))
        if "compiled" in path.read_text(encoding="utf-8") or "numba" in path.read_text("utf-8")
    ]


def _unguided(name: str, seconds: float, seed: int) -> int:
    from parsers import TARGETS, TOGETHER
    from parsers.mutation import mutated

    say("without guidance: atheris is not installed here")
    target, draw, tried = TARGETS.get(name, TOGETHER), random.Random(seed), 0
    seeds, end = target.seeds(), time.monotonic() + seconds
    while time.monotonic() < end:
        target.accepts(mutated(draw.choice(seeds), draw))
        tried += 1
    say(f"#{tried} DONE")
    return 0


if __name__ == "__main__":
    sys.exit(main())
