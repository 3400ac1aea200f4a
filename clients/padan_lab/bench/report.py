"""What every bench shares: pinned cores, alternating rounds, one JSON object, a table, a plot.

A bench measures itself and its peers in one run: only their ratio carries over to another machine.

    with pinned(1):
        timings = alternately({"padan": ours, "peer": theirs}, rounds=5)
    Report("name", measured={...}, ratios={"ours_vs_peer": faster(timings, "padan", "peer")})
"""

from __future__ import annotations

import gc
import importlib
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

import typer

from padan_client.base.errors import PadanError
from padan_client.base.language import t
from padan_client.base.numbers import decimal, number
from padan_client.cli.common import err, out, print_json
from padan_client.cli.views.sheet import Sheet

PlotOption = Annotated[
    Path | None,
    typer.Option("--plot", help="Tulis gambar SVG di sini. / Write an SVG plot here."),
]
RoundsOption = Annotated[
    int, typer.Option("--rounds", min=1, help="Putaran; yang terbaik dihitung. / Rounds.")
]

#: Packages whose versions matter to a measurement.
_PACKAGES = ("padan", "numpy", "numba", "llvmlite", "pyarrow")
#: A best round that waited longer than this share of its time was disturbed by something else.
_DISTURBED = 0.1


@dataclass(frozen=True)
class Timing:
    """Seconds of the rounds of one task, by the clock and of the processor."""

    walls: tuple[float, ...]
    cpus: tuple[float, ...]

    @property
    def best(self) -> float:
        """The fastest round, in seconds by the clock."""
        return min(self.walls)

    @property
    def best_cpu(self) -> float:
        """The least processor time of a round, in seconds."""
        return min(self.cpus)

    @property
    def median(self) -> float:
        """The middle round, in seconds by the clock."""
        return statistics.median(self.walls)

    @property
    def waiting(self) -> float:
        """Share of the best round in which the process had no processor (one thread)."""
        wall, cpu = min(zip(self.walls, self.cpus, strict=True))
        return max(0.0, 1 - cpu / wall) if wall else 0.0


def alternately(
    tasks: Mapping[str, Callable[[], object]], rounds: int, *, warm: bool = True
) -> dict[str, Timing]:
    """Time every task in turn, ``rounds`` times; what disturbs a round then disturbs all alike.

    ``warm``: run each once before, so that compiling and first touches are not counted.
    """
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in tasks}
    for turn in range(-1 if warm else 0, rounds):
        for name, task in tasks.items():
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            task()
            took = time.perf_counter() - wall, time.process_time() - cpu
            if turn >= 0:
                spent[name].append(took)
    return {
        name: Timing(tuple(w for w, _ in each), tuple(c for _, c in each))
        for name, each in spent.items()
    }


def faster(
    timings: Mapping[str, Timing],
    ours: str,
    theirs: str,
    *,
    work: float = 1.0,
    clock: Literal["wall", "cpu"] = "wall",
) -> float:
    """How many times as fast ``ours`` is; ``work``: what it did, in units of what they did.

    ``clock``: of what only computes, in one thread, the processor's time says the same on a quiet
    machine and more on a busy one.
    """
    mine, other = timings[ours], timings[theirs]
    if clock == "cpu":
        return rounded(work * other.best_cpu / mine.best_cpu)
    return rounded(work * other.best / mine.best)


def rounded(value: float) -> float:
    """Three significant digits."""
    return float(f"{value:.3g}")


@contextmanager
def pinned(cores: int = 1) -> Iterator[tuple[int, ...]]:
    """Hold this thread, and those it starts, to the last ``cores`` cores it may use.

    Gives their numbers, fewer where there are fewer. Without affinity (macOS) nothing is pinned.
    """
    if not hasattr(os, "sched_setaffinity"):  # pragma: no cover
        yield ()
        return
    before = os.sched_getaffinity(0)
    chosen = tuple(sorted(before)[-cores:])
    os.sched_setaffinity(0, chosen)
    try:
        yield chosen
    finally:
        os.sched_setaffinity(0, before)


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def peer(module: str) -> ModuleType | None:
    """Import a peer, or give None where it is not installed."""
    # A pool that spins while it waits takes the core from whoever is measured next.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old peers import what newer packages deprecate
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError:
            return None


def absence(name: str) -> str:
    """What to tell about a peer that is not installed."""
    return t(
        f"{name} tidak terpasang, jadi tidak dibandingkan: pip install 'padan[bench]'",
        f"{name} is not installed, so it is left out: pip install 'padan[bench]'",
    )


class MissingExtraError(PadanError):
    """Something a bench was asked for needs an extra that is not installed."""

    exit_code = 2


def machine() -> dict[str, object]:
    """What the measurements depend on; nothing that names a person, a host or a folder."""
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": usable_cores(),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := package_version(name))},
    }


def package_version(name: str) -> str | None:
    """The installed version of a distribution."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's model as the system tells it, with LLVM's name of its kind."""
    from llvmlite import binding

    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    return f"{model} ({binding.get_host_cpu_name()})".strip()


@dataclass
class BenchReport:
    """One bench's outcome. ``ratios``: named numbers, Padan over the peer; above 1 is faster.

    ``measured``: anything JSON can hold, what the ratios were made of; ``absent``: sentences on
    peers that are not installed (:func:`absence`).
    """

    bench: str
    measured: dict[str, object] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)

    def envelope(self) -> dict[str, object]:
        """The object that ``--json`` prints."""
        measured = self.measured | ({"absent": self.absent} if self.absent else {})
        return {
            "bench": self.bench,
            "machine": machine(),
            "measured": measured,
            "ratios": self.ratios,
        }

    def note_disturbance(self, timings: Mapping[str, Timing]) -> None:
        """Say which one-core measures were disturbed by whatever else the machine does."""
        waited = {name: rounded(each.waiting) for name, each in timings.items()}
        disturbed = {name: share for name, share in waited.items() if share > _DISTURBED}
        if disturbed:
            known = self.measured.setdefault("disturbed", {})
            assert isinstance(known, dict)
            known.update(disturbed)

    def publish(self, *, json_: bool, plot: Path | None = None) -> None:
        """Print the report, as JSON or as tables, and draw the ratios."""
        if json_:
            print_json(self.envelope())
        else:
            self._print()
        if plot is not None:
            draw_bars(plot, f"padan bench {self.bench}", self.ratios)
            if not json_:
                err.print(t(f"Gambar: {plot}", f"Plot: {plot}"), highlight=False)

    def _print(self) -> None:
        about = machine()
        out.print(f"[bold]padan bench {self.bench}[/] · {about['processor']}", highlight=False)
        for name, value in self.measured.items():
            if isinstance(value, Mapping):
                out.print(table_of(name, value))
            else:
                out.print(f"{name}: {_text(value)}", highlight=False)
        if self.ratios:
            title = t("perbandingan (lebih dari 1: Padan unggul)", "ratios (above 1: Padan ahead)")
            out.print(table_of(title, self.ratios))
        for sentence in self.absent:
            err.print(sentence, markup=False, highlight=False)


def announce(json_: bool, text: str) -> None:
    """Tell a person what is being measured."""
    if not json_:
        err.print(f"… {text}", highlight=False)


def table_of(title: str, values: Mapping[str, object]) -> Sheet:
    """Names and values; where all values are mappings, a column for each of their keys."""
    nested = all(isinstance(value, Mapping) for value in values.values())
    rows = [value for value in values.values() if nested and isinstance(value, Mapping)]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Sheet(title, show_header=bool(columns))
    table.add_column("")
    for column in columns or [""]:
        table.add_column(str(column), justify="right")
    for name, value in values.items():
        if nested and isinstance(value, Mapping):
            table.add_row(name, *(_text(value.get(column, "")) for column in columns))
        else:
            table.add_row(name, _text(value))
    return table


def _text(value: object) -> str:
    """A number as a reader wants it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return number(value)
    if isinstance(value, float):
        short = f"{value:.3g}"
        return decimal(value, 0) if abs(value) >= 1000 else t(short.replace(".", ","), short)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_text, value))
    return str(value)


def require_plots() -> None:
    """Raise MissingExtraError without matplotlib."""
    if peer("matplotlib") is None:
        raise MissingExtraError(
            t(
                "Gambar memerlukan matplotlib: pip install 'padan[bench]'",
                "Plots need matplotlib: pip install 'padan[bench]'",
            )
        )


def draw_bars(file: Path, title: str, values: Mapping[str, float]) -> None:
    """Draw named numbers as horizontal bars on a logarithmic axis, as SVG.

    Raises MissingExtraError without matplotlib.
    """
    require_plots()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1 + 0.32 * len(values)), layout="constrained")
    axes = figure.subplots()
    names = list(values)[::-1]
    bars = axes.barh(names, [values[name] for name in names], color="#31688e")
    axes.bar_label(bars, fmt="%.3g", padding=3)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.set_title(title, loc="left")
    figure.savefig(file, format="svg", metadata={"Date": None})
