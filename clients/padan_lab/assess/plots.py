"""Plots as inline SVG."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from padan_client.base.language import t
from padan_lab.assess.assessing import Assessment
from padan_lab.assess.words import view_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FLOOR = 0.01  # percent; less than anybody could tell


def rates_plot(found: Assessment) -> str:
    """Every pass and attack: what was found, what guessing finds, the limit; log scale."""
    rates = [(p, r) for p in found.passes for r in p.rates]
    figure, axes = figure_of(max(2.4, 0.3 * len(rates) + 1.2))
    for y, (p, r) in enumerate(rates):
        above = r in p.above()
        low, high = (_percent(share) for share in r.interval)
        axes.plot([low, high], [y, y], color="#c9d1db", linewidth=3, zorder=1)
        axes.scatter(
            _percent(r.persons), y, s=44, color="#b3261e" if above else "#2a7d4f", zorder=3
        )
        axes.scatter(_percent(r.guess), y, marker="|", s=90, color="#55606e", zorder=2)
        axes.scatter(_percent(p.limits[r.view]), y, marker="|", s=170, color="#b3261e", zorder=2)
    axes.set_yticks(
        range(len(rates)), [f"{p.p.id} · {r.attack} ({view_name(r.view)})" for p, r in rates]
    )
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(_FLOOR, 130)
    axes.set_xticks(
        [_FLOOR, 0.1, 1, 10, 100],
        [t("≤ 0,01", "≤ 0.01"), t("0,1", "0.1"), "1", "10", "100"],
    )
    axes.set_xlabel(
        t(
            "orang yang dikenali kembali, % (abu-abu: tebakan; merah: batas)",
            "persons re-identified, % (grey: guessing; red: limit)",
        )
    )
    return svg(figure)


def figure_of(height: float) -> tuple[Figure, Axes]:
    """An empty plot, nine inches wide and ``height`` high."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#e6eaf0")
    axes.set_axisbelow(True)
    return figure, axes


def svg(figure: Figure) -> str:
    """A figure as an ``<svg>`` element: no file of its own, no address, no date."""
    import matplotlib as mpl

    sink = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "padan"}):
        figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None})
    text = sink.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return text[text.index("<svg") :]


def _percent(share: float) -> float:
    return max(100 * share, _FLOOR)
