"""How numbers go wrong: missing, cut, doubled, filled in, rounded by a spreadsheet, mistyped."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_lab.generate.draw.cells import Cells
from padan_lab.generate.draw.draws import Choice, Draws, Ints

Signs = NDArray[np.uint8]
Spoiler = Callable[[Signs, Draws, Ints], list[bytes]]

_ZERO = ord("0")


def spoil(
    cells: Cells, keys: Ints, draws: Draws, *, broken: float, mistyped: float, prefix: str
) -> None:
    """Break and mistype numbers of equal lengths; labels start with ``prefix``."""
    luck = draws.share("spoilt", keys)
    rows = np.flatnonzero(luck < broken)
    kinds = draws.pick("how broken", keys[rows], _BROKEN)
    for number, (label, spoiler, _) in enumerate(_SPOILERS):
        _apply(cells, rows[kinds == number], keys, draws, spoiler, f"{prefix}.{label}")
    rows = np.flatnonzero((luck >= broken) & (luck < broken + mistyped))
    swapped = draws.chance("neighbours", keys[rows], 0.3)
    _apply(cells, rows[swapped], keys, draws, _exchanged, f"{prefix}.transposed")
    _apply(cells, rows[~swapped], keys, draws, _mistyped, f"{prefix}.mistyped")


def _apply(
    cells: Cells, rows: Ints, keys: Ints, draws: Draws, spoiler: Spoiler, label: str
) -> None:
    texts = cells.values.take(pa.array(rows)).to_pylist()
    lengths = np.array([len(t) for t in texts], dtype=np.int64)
    for length in np.unique(lengths[lengths > 2]).tolist():
        alike = np.flatnonzero(lengths == length)
        joined = "".join(texts[i] for i in alike.tolist()).encode("ascii")
        signs = np.frombuffer(joined, np.uint8).reshape(-1, length).copy()
        spoilt = spoiler(signs, draws, keys[rows[alike]])
        cells.put(rows[alike], pa.array(spoilt, pa.binary()).cast(pa.string()), label)


def _texts(signs: Signs) -> list[bytes]:
    width = signs.shape[1]
    whole = np.ascontiguousarray(signs).tobytes()
    return [whole[i : i + width] for i in range(0, len(whole), width)]


def _place(signs: Signs, draws: Draws, keys: Ints, label: str) -> Ints:
    return draws.below(label, keys, signs.shape[1] - 1)


def _short(signs: Signs, draws: Draws, keys: Ints) -> list[bytes]:
    """A digit left out."""
    at = 1 + _place(signs, draws, keys, "cut")
    kept = np.arange(signs.shape[1]) != at[:, None]
    return _texts(signs[kept].reshape(len(signs), -1))


def _long(signs: Signs, draws: Draws, keys: Ints) -> list[bytes]:
    """A digit typed twice."""
    at = _place(signs, draws, keys, "double")
    source = np.arange(signs.shape[1] + 1)
    source = source - (source > at[:, None])
    return _texts(np.take_along_axis(signs, source, axis=1))


def _last_zero(signs: Signs, _: Draws, __: Ints) -> list[bytes]:
    """A spreadsheet keeps fifteen digits and writes 0 for what comes after."""
    signs[:, min(15, signs.shape[1] - 1) :] = _ZERO
    return _texts(signs)


def _scientific(signs: Signs, _: Draws, __: Ints) -> list[bytes]:
    """``3.27508E+15``; some spreadsheets show fewer digits."""
    width = signs.shape[1]
    shown = 2 if width % 2 else 1
    exponent = f"E+{width - 1}".encode()
    return [row[:1] + b"." + row[1 : 1 + shown] + exponent for row in _texts(signs)]


def _filler(signs: Signs, draws: Draws, keys: Ints) -> list[bytes]:
    """What is typed when nobody knows the number."""
    width = signs.shape[1]
    fillers = [b"0" * width, b"9" * width, (b"1234567890" * 3)[:width], b"1" * width, b"-"]
    kinds = draws.below("filler", keys, len(fillers) + 2).tolist()
    rows = _texts(signs)
    # The rest keeps its first six digits, the district's.
    return [
        fillers[kind] if kind < len(fillers) else row[:6] + b"0" * (width - 6)
        for kind, row in zip(kinds, rows, strict=True)
    ]


def _impossible(signs: Signs, draws: Draws, keys: Ints) -> list[bytes]:
    """A district or a day that cannot be."""
    first = draws.chance("place", keys, 0.5)
    signs[first, 0] = _ZERO
    if signs.shape[1] > 10:
        signs[~first, 8] = _ZERO + 5
    else:
        signs[~first, 0] = _ZERO
    return _texts(signs)


def _spaced(signs: Signs, _: Draws, __: Ints) -> list[bytes]:
    """A letter for a digit it looks like, or at the front."""
    signs[:, 0] = np.where(signs[:, 0] == ord("1"), ord("l"), ord("O"))
    return _texts(signs)


def _mistyped(signs: Signs, draws: Draws, keys: Ints) -> list[bytes]:
    """A digit wrong; a letter becomes an X."""
    rows, at = np.arange(len(signs)), _place(signs, draws, keys, "mistyped") + 1
    old = signs[rows, at]
    digit = (old - _ZERO + 1 + draws.below("digit", keys, 9)) % 10 + _ZERO
    is_digit = (old >= _ZERO) & (old <= _ZERO + 9)
    signs[rows, at] = np.where(is_digit, digit, ord("X")).astype(np.uint8)
    return _texts(signs)


def _exchanged(signs: Signs, draws: Draws, keys: Ints) -> list[bytes]:
    """Two neighbours that differ exchanged."""
    rows, at = np.arange(len(signs)), _place(signs, draws, keys, "exchanged")
    for _ in range(signs.shape[1]):
        same = signs[rows, at] == signs[rows, at + 1]
        at = np.where(same, (at + 1) % (signs.shape[1] - 1), at)
    left, right = signs[rows, at].copy(), signs[rows, at + 1].copy()
    signs[rows, at], signs[rows, at + 1] = right, left
    return _texts(signs)


#: How broken numbers are broken; nobody measured the shares.
_SPOILERS: tuple[tuple[str, Spoiler, float], ...] = (
    ("short", _short, 28),
    ("long", _long, 9),
    ("rounded", _last_zero, 20),
    ("scientific", _scientific, 9),
    ("filler", _filler, 16),
    ("impossible", _impossible, 12),
    ("letter", _spaced, 6),
)
_BROKEN = Choice([weight for *_, weight in _SPOILERS])
