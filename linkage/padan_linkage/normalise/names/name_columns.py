"""Whole columns of names of persons: rules once for each word and shape, not for each row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.normalise.latin import ascii_text, without_missing
from padan_linkage.normalise.names.persons import Item, Read, read_shape, stand_in
from padan_linkage.normalise.names.pieces import Pieces, assemble, cut_names, shapes
from padan_linkage.normalise.names.spelling import token_form
from padan_linkage.normalise.normalised import (
    Fault,
    Normalised,
    Problem,
    map_distinct,
    with_reasons,
)

_REASONS = (None, Fault.UNREADABLE, Fault.FILLER)
_SLICE = 1 << 20


def parse_names(values: pa.StringArray) -> Normalised:
    """Normalise a column of names of persons: words in their order, without titles."""
    parts = [_parse(values.slice(i, _SLICE)) for i in range(0, len(values), _SLICE)]
    if len(parts) == 1:
        return parts[0]
    texts = [part.values for part in parts]
    problems = [
        Problem(p.row + number * _SLICE, p.reason)
        for number, part in enumerate(parts)
        for p in part.problems
    ]
    return Normalised(pa.concat_arrays(texts) if texts else values, problems)


def _parse(values: pa.StringArray) -> Normalised:
    values = without_missing(values)
    pieces = cut_names(_plain_ascii(values))
    words = pieces.vocabulary.to_pylist()
    stand_ins: dict[str, int] = {}
    classes = np.array([stand_ins.setdefault(stand_in(w), len(stand_ins)) for w in words], np.int32)
    grouped = shapes(pieces, classes)
    seen = list(stand_ins)
    reads = [read_shape(*_example(pieces, row, seen, classes)) for row in grouped.example.tolist()]
    forms, items = _items(words, reads)
    result = assemble(pieces, grouped, forms, items)
    codes = np.array([_REASONS.index(r) if isinstance(r, Fault) else 0 for r in reads], np.uint8)
    row_codes = codes[grouped.of_row]
    row_codes[pc.equal(values, "").to_numpy(zero_copy_only=False)] = 0
    return with_reasons(result, row_codes, _REASONS)


def _plain_ascii(values: pa.StringArray) -> pa.StringArray:
    """The column with other letters than ASCII, and HTML's names of letters, written in ASCII."""
    strange = pc.or_(pc.invert(pc.string_is_ascii(values)), pc.match_substring(values, "&"))
    if not pc.any(strange, min_count=0).as_py():
        return values
    return pc.replace_with_mask(values, strange, map_distinct(values.filter(strange), ascii_text))


def _example(
    pieces: Pieces, row: int, seen: list[str], classes: NDArray[np.int32]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The row's stand-ins and marks."""
    span = slice(int(pieces.starts[row]), int(pieces.starts[row + 1]))
    tokens = tuple(seen[k] for k in classes[pieces.words[span]].tolist())
    return tokens, tuple(pieces.marks[span].tolist())


def _items(words: list[str], reads: list[Read]) -> tuple[pa.StringArray, list[list[int]]]:
    """Forms of all words, then literals; items of every shape as :func:`assemble` takes them."""
    literals: dict[str, int] = {}

    def number(item: Item) -> int:
        if isinstance(item, int):
            return item
        return -literals.setdefault(item, len(literals)) - 1

    items = [[] if isinstance(r, Fault) else [number(item) for item in r] for r in reads]
    return pa.array([*map(token_form, words), *literals], pa.string()), items
