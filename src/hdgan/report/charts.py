"""Charts as SVG, drawn by matplotlib without a screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "hdgan",
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "axes.prop_cycle": "cycler('color', ['0072b2', 'd55e00', '009e73', 'cc79a7'])",
}
"""Colours of Okabe and Ito, which colour-blind readers can tell apart."""

_COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7"),
    *("#e69f00", "#56b4e9", "#000000", "#8c6d1f"),
)
"""More of them, for lines."""

_MARKS = ("o-", "s-", "^-", "D-", "v-", "P-", "X-", "*-")
"""So that lines can be told apart without colours, too."""


def lines(
    x: Sequence[float | int],
    series: Mapping[str, Sequence[float | int]],
    *,
    x_label: str,
    y_label: str,
) -> str:
    """A line a series, named in a legend."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(5.2, 2.8), layout="constrained")
        axes = figure.add_subplot()
        for name, values in series.items():
            axes.plot(x, values, label=name, linewidth=1.6)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        if len(series) > 1:
            axes.legend(frameon=False, fontsize=9)
        return _svg(figure)


@dataclass(frozen=True)
class Band:
    """A line with what surrounds it."""

    x: Sequence[float | int]
    middle: Sequence[float]
    """NaN leaves a gap."""

    low: Sequence[float]
    """NaN where the band is not known."""

    high: Sequence[float]
    """NaN where the band is not known."""

    is_faint: bool = False
    """Whether it is there for comparison only."""


def bands(
    series: Mapping[str, Band],
    *,
    x_label: str,
    y_label: str,
    level: tuple[str, float] | None = None,
) -> str:
    """A line a series with a band around it, over a logarithmic axis; named in a legend.

    Args:
        series: at most eight are told apart.
        x_label: under the axis.
        y_label: beside the axis.
        level: a horizontal line with its name.
    """
    with rc_context(_STYLE):
        figure = Figure(figsize=(6.4, 3.4), layout="constrained")
        axes = figure.add_subplot()
        axes.set_xscale("log", base=2)
        for (name, band), colour, mark in zip(series.items(), _COLOURS, _MARKS, strict=False):
            colour = "#8a8f99" if band.is_faint else colour
            axes.plot(band.x, band.middle, mark, label=name, color=colour, linewidth=1.6, ms=4.5)
            axes.fill_between(band.x, band.low, band.high, color=colour, alpha=0.07, linewidth=0)
            for edge in (band.low, band.high):
                axes.plot(band.x, edge, color=colour, alpha=0.45, linewidth=0.7)
        if level is not None:
            axes.axhline(level[1], color="#444444", linestyle=(0, (5, 3)), linewidth=1.2)
            axes.plot([], [], color="#444444", linestyle=(0, (5, 3)), linewidth=1.2, label=level[0])
        ticks = sorted({value for band in series.values() for value in band.x})
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
        return _svg(figure)


def intervals(rows: Mapping[str, tuple[float, float, float]], *, x_label: str) -> str:
    """Differences with their intervals (middle, low, high), one below the other, around zero.

    Intervals that lie above zero are green, those below it red, the others grey.
    """
    with rc_context(_STYLE):
        figure = Figure(figsize=(6.4, 0.9 + 0.34 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        axes.axvline(0.0, color="#444444", linewidth=1.0)
        for place, (middle, low, high) in enumerate(rows.values()):
            colour = "#009e73" if low > 0 else "#d55e00" if high < 0 else "#777c86"
            axes.plot([low, high], [place, place], color=colour, linewidth=2.2)
            axes.plot([middle], [place], "o", color=colour, ms=5.5)
        axes.set_yticks(range(len(rows)), list(rows))
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(x_label)
        return _svg(figure)


def histogram(
    series: Mapping[str, Float[np.ndarray, " _"]],
    *,
    x_label: str,
    y_label: str,
    bins: int = 40,
    as_counts: bool = False,
) -> str:
    """How the values of each series spread over common bins, as parts of the series or as counts.

    Raises:
        ValueError: there is no value, or one is not finite.
    """
    edges = np.histogram_bin_edges(np.concatenate(list(series.values())), bins)
    with rc_context(_STYLE):
        figure = Figure(figsize=(5.2, 2.8), layout="constrained")
        axes = figure.add_subplot()
        for (name, values), colour in zip(series.items(), ("C0", "C1", "C2", "C3"), strict=False):
            parts = np.histogram(values, edges)[0] / (1 if as_counts else len(values))
            axes.stairs(parts, edges, label=name, fill=True, alpha=0.35, color=colour)
            axes.stairs(parts, edges, color=colour, linewidth=1.6)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.legend(frameon=False, fontsize=9)
        return _svg(figure)


def confusion(matrix: Int[np.ndarray, "classes classes"], names: Sequence[str]) -> str:
    """A confusion matrix: each row as parts of the true pixels of its class."""
    rows = matrix.sum(axis=1, keepdims=True)
    parts = np.divide(matrix, rows, out=np.zeros(matrix.shape), where=rows > 0)
    with rc_context(_STYLE | {"axes.grid": False}):
        size = 2.2 + 0.62 * len(names)
        figure = Figure(figsize=(size + 0.8, size), layout="constrained")
        axes = figure.add_subplot()
        axes.imshow(parts, cmap="Blues", vmin=0.0, vmax=1.0)
        for i in range(len(names)):
            for j in range(len(names)):
                _cell(axes, (i, j), float(parts[i, j]))
        axes.set_xticks(range(len(names)), names, rotation=35, ha="right")
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        return _svg(figure)


def share(part: float) -> str:
    """A part of 1 in per cent; only all is 100 %, and only nothing is 0 %."""
    if 0 < part < 0.0005:
        return "<0.1%"
    if 0.9995 <= part < 1:
        return ">99.9%"
    return f"{part:.1%}" if part < 1 else "100%"


def _cell(axes: Axes, place: tuple[int, int], part: float) -> None:
    row, column = place
    text = "" if part == 0 else share(part)
    colour = "white" if part > 0.55 else "#222222"
    axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)


def _svg(figure: Figure) -> str:
    """The figure as an `svg` element that can stand in a page."""
    text = StringIO()
    FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
