"""The plot of a sweep: recall and wrong answers over the rows of a list, a line a registry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from padan_client.base.language import t
from padan_lab.bench.rates.sweeping import Pooled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Fewer wrong answers a stranger than this cannot be told from none; also the lowest of the axis.
_FLOOR = 1e-5
_MARKS = "osD^vPX*"


def draw_sweep(file: Path, found: Sequence[Pooled]) -> None:
    """Colours are registries, marks overlaps, broken lines copies; the format is the name's."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    registries = sorted({p.point.registry for p in found})
    overlaps = sorted({p.point.overlap for p in found})
    colours = colormaps["viridis"].resampled(len(registries) + 1)
    for (registry, overlap, copies), line in _lines(found):
        style = {
            "color": colours(registries.index(registry)),
            "marker": _MARKS[overlaps.index(overlap) % len(_MARKS)],
            "linestyle": "--" if copies else "-",
            "label": f"{registry:,} · {overlap:g} · {copies:g}",
        }
        x = [p.point.listed for p in line]
        above.plot(x, [p.recall for p in line], **style)
        below.plot(x, [max(p.wrong_per_stranger, _FLOOR) for p in line], **style)
    _label(above, below)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def _lines(
    found: Sequence[Pooled],
) -> Iterator[tuple[tuple[int, float, float], list[Pooled]]]:
    """Points that differ by the rows of their lists alone."""

    def key(p: Pooled) -> tuple[int, float, float]:
        return p.point.registry, p.point.overlap, p.point.copies

    for which, points in groupby(sorted(found, key=lambda p: (*key(p), p.point.listed)), key):
        yield which, list(points)


def _label(above: Axes, below: Axes) -> None:
    above.set_ylabel(t("perolehan orang terdaftar", "recall of the registered"))
    title = t("registri · irisan · salinan", "registry · overlap · copies")
    above.legend(title=title, fontsize="x-small", ncols=2, loc="lower right")
    below.set_ylabel(t("salah tiap orang asing", "wrong a stranger"))
    below.set_yscale("log")
    below.set_xscale("log")
    below.set_xlabel(t("baris daftar", "rows of the list"))
    for axes in (above, below):
        axes.grid(color="#e6eaf0")
        axes.spines[["top", "right"]].set_visible(False)
