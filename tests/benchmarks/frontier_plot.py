"""The frontier of spec 15 as a plot."""

from __future__ import annotations

from collections.abc import Sequence

from padan_lab.assess.plots import figure_of, svg


def frontier_plot(points: Sequence[tuple[str, float, float]]) -> str:
    """Configurations as points: (name, share re-identified in a known group, mean F1)."""
    figure, axes = figure_of(5.2)
    for place, (name, known, f1) in enumerate(sorted(points, key=lambda point: point[1])):
        chosen = name in {"ketat", "seimbang"}
        axes.scatter(100 * known, f1, s=60, color="#2a7d4f" if chosen else "#7a8797")
        axes.annotate(
            name,
            (100 * known, f1),
            textcoords="offset points",
            xytext=(6, (4, -12)[place % 2]),  # above and below by turns: neighbours overlap less
            fontsize=8,
            fontweight="bold" if chosen else "normal",
        )
    axes.set_xlabel("persons re-identified, their group of 20 being known, %")
    axes.set_ylabel("mean F1")
    axes.grid(axis="y", color="#e6eaf0")
    return svg(figure) + "\n"
