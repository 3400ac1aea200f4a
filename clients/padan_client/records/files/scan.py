"""One walk over a CSV's bytes: records, lines inside cells, quotes that swallow rows.

The reader proper is Arrow's. This one keeps no cell; it says what Arrow does not: which line a
quote opens on, which records are empty or of another length, and how many lines are no record.

A quoted cell that runs over a line break may be an address, or a stray quote that swallows rows.
It is refused where it closes in front of other text; where, with its opening quote taken for a
mere character, the line that it stands on would be as wide as the header or wider, and a line that
it reaches just as wide; and where a line wholly inside it would be. A file of several columns in
which every cell is quoted is beyond that doubt, unless such a line begins with a quote.

A quote without its fellow is refused unless the file has no cell of several lines and an even
number of quotes: then every line is a row, whatever the quotes stand for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel

Bytes = NDArray[np.uint8]
State = NDArray[np.int64]

#: Where a walk stands in a cell: at its start, in plain text, in quotes, behind a quote that closes
#: or is doubled, behind the closing quote of a cell of several lines and blanks.
_START, _PLAIN, _QUOTED, _QUOTE, _CLOSED = range(5)
#: What is kept from block to block.
(
    _MODE, _SEPARATORS, _FILLED, _UNQUOTED, _LINE, _RECORD, _RECORD_LINE, _INSIDE, _RETURN,
    _OPEN_LINE, _OPEN_SEPARATORS, _OPEN_FITS, _FROM_LINE, _FROM_FITS,
    _ALONE, _ALONE_SEPARATORS, _ALONE_OPEN, _ANY_UNQUOTED, _CELL_FILLED, _LAST_FILLED,
    _ODD, _ALL_ODD, _ALONE_QUOTED, _SLOTS,
) = range(24)  # fmt: skip
#: Events: kind, line or record. A quote closes in front of text; a span holds a row; a record of
#: another length (its line follows as an event of its own); one of another length, all empty; a
#: record's line, where it has an odd number of quotes.
BROKEN, HOLDS_ROW, RAGGED, RAGGED_LINE, EMPTY_RAGGED, UNPAIRED = range(1, 7)

_QUOTE_BYTE, _SPACE, _TAB, _LF, _CR = 34, 32, 9, 10, 13


@dataclass
class Scan:
    """What a walk found.

    Records are numbered from 1 behind the header, lines from 1 in the file. ``ragged``: records
    of another length, ``ragged_lines`` where each begins, ``empty_ragged`` those in which nothing
    stands; ``filled``: bool by column, whether anything stands in it.
    """

    separator: str
    width: int
    line: int
    quoted_names: bool
    ragged: list[int] = field(default_factory=list)
    ragged_lines: list[int] = field(default_factory=list)
    empty_ragged: list[int] = field(default_factory=list)
    broken: int = 0
    holds_row: int = 0
    unpaired: int = 0

    def __post_init__(self) -> None:
        """``line``: the first line behind the header."""
        self._state = np.zeros(_SLOTS, np.int64)
        self._state[_LINE] = self._state[_RECORD_LINE] = self.line
        self._state[_RECORD] = 1
        self._state[_ANY_UNQUOTED] = not self.quoted_names
        self.filled = np.zeros(self.width, np.bool_)

    def feed(self, block: bytes) -> None:
        """Walk on."""
        data = np.frombuffer(block, np.uint8)
        lines = block.count(b"\n") + block.count(b"\r")
        events = np.empty((4 * lines + 8, 2), np.int64)
        count = _walk(data, ord(self.separator), self.width, self._state, self.filled, events)
        for kind, number in events[:count].tolist():
            self._note(kind, number)

    def close(self) -> None:
        """End the last line where the file does not."""
        if (self._state[_MODE] != _START or self._state[_SEPARATORS]) and not self.open_line:
            self.feed(b"\n")

    def _note(self, kind: int, number: int) -> None:
        if kind == BROKEN:
            self.broken = self.broken or number
        elif kind == HOLDS_ROW:
            self.holds_row = self.holds_row or number
        elif kind == RAGGED:
            self.ragged.append(number)
        elif kind == UNPAIRED:
            self.unpaired = self.unpaired or number
        elif kind == RAGGED_LINE:
            self.ragged_lines.append(number)
        else:
            self.empty_ragged.append(number)

    @property
    def stray_line(self) -> int:
        """The line of a quote that swallows rows, 0 for none."""
        doubtful = self.holds_row if self._state[_ANY_UNQUOTED] or self.width == 1 else 0
        found = [line for line in (self.broken, doubtful, self.open_line) if line]
        return min(found, default=0)

    @property
    def unpaired_line(self) -> int:
        """The line of a record with a quote that has no fellow, 0 for none that matters."""
        return self.unpaired if self.inside or self._state[_ALL_ODD] else 0

    @property
    def open_line(self) -> int:
        """The line of a quote that never closes, 0 for none."""
        return int(self._state[_OPEN_LINE]) if self._state[_MODE] == _QUOTED else 0

    @property
    def records(self) -> int:
        """How many there are, empty ones too."""
        return int(self._state[_RECORD]) - 1

    @property
    def inside(self) -> int:
        """Line breaks inside quoted cells."""
        return int(self._state[_INSIDE])

    @property
    def last_filled(self) -> int:
        """The last record in which something stands."""
        return int(self._state[_LAST_FILLED])


@kernel
def _walk(  # noqa: C901, PLR0912 (one branch for each place in a cell)
    data: Bytes,
    separator: int,
    width: int,
    state: State,
    filled: NDArray[np.bool_],
    events: NDArray[np.int64],
) -> Any:
    """Walk over one block; the number of events that it wrote."""
    count = 0
    for byte in data:
        if byte == _LF and state[_RETURN]:
            state[_RETURN] = 0
            continue
        state[_RETURN] = byte == _CR
        if byte in (_CR, _LF):
            count = _end_line(width, state, events, count)
            continue
        if state[_FROM_LINE]:
            _walk_alone(byte, separator, state)
        if byte == _QUOTE_BYTE:
            state[_ODD] ^= 1
        mode = state[_MODE]
        if mode == _QUOTED:
            if byte == _QUOTE_BYTE:
                state[_MODE] = _QUOTE
            else:
                if byte == separator:
                    state[_OPEN_SEPARATORS] += 1
                if byte not in (_SPACE, _TAB):
                    _fill(state, filled)
        elif mode == _QUOTE and byte == _QUOTE_BYTE:
            state[_MODE] = _QUOTED
            _fill(state, filled)
        elif byte == separator:
            _end_cell(state)
        elif mode == _START:
            if byte == _QUOTE_BYTE:
                state[_MODE] = _QUOTED
                state[_OPEN_LINE], state[_OPEN_SEPARATORS], state[_OPEN_FITS] = state[_LINE], 0, -1
            else:
                state[_MODE], state[_UNQUOTED] = _PLAIN, 1
                if byte not in (_SPACE, _TAB):
                    _fill(state, filled)
        elif mode in (_QUOTE, _CLOSED) and state[_OPEN_LINE] != state[_LINE]:
            if byte in (_SPACE, _TAB):
                state[_MODE] = _CLOSED
            else:
                events[count, 0], events[count, 1] = BROKEN, state[_OPEN_LINE]
                count += 1
                state[_MODE] = _PLAIN
        else:
            state[_MODE] = _PLAIN
            if byte not in (_SPACE, _TAB):
                _fill(state, filled)
    return count


@helper
def _fill(state: State, filled: NDArray[np.bool_]) -> None:
    """Something stands in this cell."""
    if not state[_CELL_FILLED]:
        state[_CELL_FILLED] = state[_FILLED] = 1
        if state[_SEPARATORS] < filled.size:
            filled[state[_SEPARATORS]] = True


@helper
def _end_cell(state: State) -> None:
    if state[_MODE] == _START:
        state[_UNQUOTED] = 1
    state[_MODE], state[_CELL_FILLED] = _START, 0
    state[_SEPARATORS] += 1


@helper
def _walk_alone(byte: int, separator: int, state: State) -> None:
    """A line that begins inside quotes, as if it were a row: count its separators."""
    mode = state[_ALONE]
    if mode == _QUOTED:
        if byte == _QUOTE_BYTE:
            state[_ALONE] = _QUOTE
        elif byte == separator:
            state[_ALONE_OPEN] += 1
    elif byte == _QUOTE_BYTE and mode == _QUOTE:
        state[_ALONE] = _QUOTED
    elif byte == separator:
        state[_ALONE] = _START
        state[_ALONE_SEPARATORS] += 1
        state[_ALONE_OPEN] = 0
    elif byte == _QUOTE_BYTE and mode == _START:
        state[_ALONE], state[_ALONE_OPEN] = _QUOTED, 0
        if state[_ALONE_SEPARATORS] == 0:
            state[_ALONE_QUOTED] = 1
    else:
        state[_ALONE] = _PLAIN


@helper
def _end_line(width: int, state: State, events: NDArray[np.int64], count: int) -> int:
    if state[_FROM_LINE]:
        # A quote that does not close on its line would be a mere character.
        alone = state[_ALONE_SEPARATORS] + 1
        if state[_ALONE] == _QUOTED:
            alone += state[_ALONE_OPEN]
        inside = width > 1 and state[_MODE] == _QUOTED and state[_OPEN_LINE] == state[_FROM_LINE]
        if alone == width and (state[_FROM_FITS] or inside):
            events[count, 0] = BROKEN if state[_ALONE_QUOTED] else HOLDS_ROW
            events[count, 1] = state[_FROM_LINE]
            count += 1
        state[_FROM_LINE] = 0
    if state[_MODE] == _QUOTED:
        if state[_OPEN_FITS] < 0:
            literal = state[_SEPARATORS] + state[_OPEN_SEPARATORS] + 1
            state[_OPEN_FITS] = literal >= width
        state[_INSIDE] += 1
        state[_FROM_LINE], state[_FROM_FITS] = state[_OPEN_LINE], state[_OPEN_FITS]
        state[_ALONE] = _START
        state[_ALONE_SEPARATORS] = state[_ALONE_OPEN] = state[_ALONE_QUOTED] = 0
    else:
        count = _end_record(width, state, events, count)
    state[_LINE] += 1
    return count


@helper
def _end_record(width: int, state: State, events: NDArray[np.int64], count: int) -> int:
    record_line = state[_RECORD_LINE]
    # Of a mere line break Arrow makes a row as wide as the header.
    blank = state[_MODE] == _START and state[_SEPARATORS] == 0
    _end_cell(state)
    cells = state[_SEPARATORS]
    if state[_FILLED]:
        state[_LAST_FILLED] = state[_RECORD]
        if state[_UNQUOTED]:
            state[_ANY_UNQUOTED] = 1
        if cells != width:
            events[count, 0], events[count, 1] = RAGGED, state[_RECORD]
            events[count + 1, 0], events[count + 1, 1] = RAGGED_LINE, record_line
            count += 2
    elif cells != width and not blank:
        events[count, 0], events[count, 1] = EMPTY_RAGGED, state[_RECORD]
        count += 1
    if state[_ODD]:
        events[count, 0], events[count, 1] = UNPAIRED, record_line
        count += 1
        state[_ALL_ODD] ^= 1
    state[_SEPARATORS] = state[_FILLED] = state[_UNQUOTED] = state[_ODD] = 0
    state[_RECORD] += 1
    state[_RECORD_LINE] = state[_LINE] + 1
    return count
