"""``padan bench sweep``: recall and wrong answers over list × registry, overlap and copies.

An answer depends on the row, the registry's edition and the agreement (spec 36), so no line of the
plot may have a cliff.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.cli.common import reports_errors
from padan_client.cli.options import JsonFlag
from padan_lab.bench.report import BenchReport, announce, require_plots

if TYPE_CHECKING:
    from padan_lab.bench.rates.sweeping import Pooled

V = TypeVar("V")

_SIZES = "10x20,100x200,100x2000,1000x2000,10000x20000"


@reports_errors
def command(
    *,
    sizes: Annotated[
        str, typer.Option(help="DAFTARxREGISTRI, dipisah koma. / LISTxREGISTRY, by commas.")
    ] = _SIZES,
    overlaps: Annotated[
        str, typer.Option(help="Bagian daftar yang terdaftar. / Shares of the list.")
    ] = ".05,.5,.9",
    copies: Annotated[
        str, typer.Option(help="Bagian registri yang salinan. / Shares of the registry.")
    ] = "0,.05",
    pool: Annotated[
        int, typer.Option(min=1, help="Orang terdaftar tiap titik. / Registered people a point.")
    ] = 1000,
    most_lists: Annotated[
        int, typer.Option(min=1, help="Daftar tiap titik, paling banyak. / Lists a point, at most.")
    ] = 400,
    agreement: Annotated[str | None, typer.Option(help="Perjanjian. / Agreement.")] = None,
    flow: Annotated[str, typer.Option(help="Alur. / Flow.")] = "asn-status",
    seed: Annotated[int, typer.Option(min=0, help="Benih. / Seed.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Utas. / Threads.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Gambar (.svg, .png). / Plot.")] = None,
    json_: JsonFlag = False,
) -> None:
    """Menyapu ukuran, irisan dan salinan. / Sweeps sizes, overlaps and copies."""
    from padan_client.records.table_files import require_writable
    from padan_lab.bench.rates import sweeping
    from padan_lab.bench.rates.sweep_plot import draw_sweep
    from padan_lab.demo.flows import ChosenFlow

    chosen = ChosenFlow.confirming(agreement, flow, "unit").flow
    every = sweeping.points(
        _listed(sizes, _size), _listed(overlaps, _share), _listed(copies, _share)
    )
    if plot:
        require_plots()
        require_writable(plot)
    limits = sweeping.Limits(pool, most_lists, seed, threads or os.cpu_count() or 1)
    found = []
    for point in every:
        began = time.perf_counter()
        found.append(sweeping.measure(chosen, point, limits))
        announce(json_, f"{_line(found[-1])}, {time.perf_counter() - began:.0f} s")
    report = BenchReport("sweep")
    report.measured = {
        "points": {_name(p): p.as_json() if json_ else _brief(p) for p in found},
        "registries": sweeping.steadiness(found),
    }
    report.publish(json_=json_)
    if plot:
        draw_sweep(plot, found)


def _line(pooled: Pooled) -> str:
    recall = t("perolehan", "recall")
    wrong = t("salah tiap orang asing", "wrong a stranger")
    return f"{_name(pooled)}: {recall} {pooled.recall:.4f}, {wrong} {pooled.wrong_per_stranger:.1e}"


def _brief(pooled: Pooled) -> dict[str, object]:
    """What a table of eighty columns has room for."""
    shares = {"recall": pooled.recall, "wrong": pooled.wrong_per_stranger}
    return {
        **{name: f"{value:.5f}" for name, value in shares.items()},
        "registered": pooled.registered.total(),
        "strangers": pooled.strangers.total(),
        "lists": pooled.lists,
    }


def _name(pooled: Pooled) -> str:
    p = pooled.point
    return f"{p.listed} × {p.registry}, {p.overlap:g}, {p.copies:g}"


def _listed(text: str, read: Callable[[str], V]) -> list[V]:
    """Values separated by commas. Raises BadInputError."""
    try:
        return [read(part) for part in text.split(",") if part.strip()]
    except ValueError as e:
        raise BadInputError(t(f"Tidak terbaca: {text}.", f"Cannot be read: {text}.")) from e


def _size(text: str) -> tuple[int, int]:
    listed, registry = text.lower().replace("×", "x").split("x")
    if min(int(listed), int(registry)) < 1:
        raise ValueError(text)
    return int(listed), int(registry)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value
