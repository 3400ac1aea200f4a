"""Tables for a screen: beside each other where there is room, stacked where there is not."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Column, Table
from rich.text import Text

#: Sentences are not set narrower than so many characters.
_READABLE = 20
_WIDEST_LABEL = 24


class Sheet(Table):
    """A table in which no word is broken and no cell of a ``no_wrap`` column, whatever the width.

    Where its columns have no room for that, each row becomes a list of its cells, one a line. Ids,
    keys, codes and numbers are words; times, which have a space in them, stand in ``no_wrap``
    columns. Cells are taken literally, never as markup.
    """

    def __init__(self, heading: str | Text = "", *, show_header: bool = True) -> None:
        super().__init__(show_header=show_header)
        self._heading = heading

    def add_row(self, *cells: RenderableType | None, **more: Any) -> None:
        """Add a row; a text is what it says."""
        super().add_row(*(Text(c) if isinstance(c, str) else c for c in cells), **more)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The heading, then the table or the stack."""
        if str(self._heading):
            yield Text(str(self._heading), style="bold")
        widths = _fitted(self.columns, options.max_width - _frame(len(self.columns)))
        if widths is None:
            yield from self._stacked(options.max_width)
            return
        for column, width in zip(self.columns, widths, strict=True):
            column.width, column.no_wrap = width, False
        yield from super().__rich_console__(console, options)

    def _stacked(self, width: int) -> Iterator[RenderableType]:
        columns = [_texts(column) for column in self.columns]
        labels = [str(column.header) for column in self.columns]
        for number, cells in enumerate(zip(*columns, strict=True)):
            if number and self.show_header:
                yield Text()
            pairs = zip(labels, cells, strict=True) if self.show_header else [_labelled(cells)]
            for label, cell in pairs:
                yield from _lines(label, cell, _indent(labels, columns, self.show_header), width)


def _frame(columns: int) -> int:
    """Characters that borders and padding take."""
    return 3 * columns + 1


def _texts(column: Column) -> list[Text]:
    return [cell if isinstance(cell, Text) else Text(str(cell or "")) for cell in column.cells]


def _labelled(cells: Sequence[Text]) -> tuple[str, Text]:
    """A row without header: its first cell says what the others are."""
    label, *values = cells
    return label.plain, Text(" ").join(values)


def _indent(labels: list[str], columns: list[list[Text]], headed: bool) -> int:
    shown = labels if headed else [cell.plain for cell in columns[0]]
    return min(_WIDEST_LABEL, max((cell_len(label) for label in shown), default=0)) + 2


def _lines(label: str, cell: Text, indent: int, width: int) -> Iterator[Text]:
    """A cell behind its label, as lines; a word longer than the screen is left whole."""
    parts = [
        line
        for paragraph in cell.plain.split("\n")
        for line in textwrap.wrap(
            paragraph,
            max(_READABLE, width - indent),
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
    for number, part in enumerate(parts or ["–"]):
        head = f"{label:<{indent}}" if number == 0 else " " * indent
        if cell_len(head.strip()) >= indent:
            head = f"{label}: "
        line = Text(head, style="dim", no_wrap=True, overflow="ignore")
        yield line.append(part, style=cell.style or "none")


def _fitted(columns: Sequence[Column], room: int) -> list[int] | None:
    """Widths that break nothing, None where there are none."""
    needed = [_need(column) for column in columns]
    if sum(needed) > room:
        return None
    spare, widths = room - sum(needed), list(needed)
    wanted = [max(need, _want(column)) for need, column in zip(needed, columns, strict=True)]
    order = sorted(range(len(columns)), key=lambda at: wanted[at] - needed[at])
    for left, at in zip(range(len(order), 0, -1), order, strict=True):
        more = min(wanted[at] - needed[at], spare // left)
        widths[at] += more
        spare -= more
    return widths


def _need(column: Column) -> int:
    """The least width: of the longest word, of a sentence that can be read, of what is kept."""
    words = [cell_len(word) for word in str(column.header).split()]
    for text in _texts(column):
        for line in text.plain.split("\n"):
            if column.no_wrap:
                words.append(cell_len(line))
            else:
                words += [cell_len(word) for word in line.split()]
                words.append(min(_READABLE, cell_len(line)))
    return max(words, default=1)


def _want(column: Column) -> int:
    """The width at which nothing is wrapped."""
    lines = [line for text in _texts(column) for line in text.plain.split("\n")]
    return max((cell_len(line) for line in [str(column.header), *lines]), default=1)
