"""Whole columns of names of persons: rules once for each word and shape, not for each row."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.normalise.latin import ascii_column, without_missing, words
from padan_linkage.normalise.names import titles
from padan_linkage.normalise.names.persons import Item, NameRead, read_shape, stand_in
from padan_linkage.normalise.names.pieces import Pieces, assemble, cut_names, shapes
from padan_linkage.normalise.names.spelling import token_form
from padan_linkage.normalise.normalised import (
    Fault,
    Normalised,
    Problem,
    map_distinct,
    with_reasons,
)

_REASONS = (None, Fault.UNREADABLE, Fault.FILLER, Fault.PARTLY_READ)
_PARTLY = _REASONS.index(Fault.PARTLY_READ)
#: What stands in parentheses.
_NOTE = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_WORD = re.compile(r"[a-z]+")
#: Notes that are no part of a name: a title, a branch of the forces, a sex, that somebody has died.
_NOTES = titles.FRONT | titles.FRONT_SHORT | titles.RANKS | titles.BRANCHES | titles.BEHIND | words(
    "p l k c pr lk laki perempuan pria wanita alm almh cand kons hons"
)  # fmt: skip
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
    values = without_missing(ascii_column(values))
    pieces, whole = cut_names(_without_notes(values))
    vocabulary = pieces.vocabulary.to_pylist()
    stand_ins: dict[str, int] = {}
    classes = np.array(
        [stand_ins.setdefault(stand_in(w), len(stand_ins)) for w in vocabulary], np.int32
    )
    grouped = shapes(pieces, classes)
    seen = list(stand_ins)
    reads = [read_shape(*_example(pieces, row, seen, classes)) for row in grouped.example.tolist()]
    forms, items = _items(vocabulary, reads)
    result = assemble(pieces, grouped, forms, items)
    codes = np.array([_REASONS.index(read.reason) for read in reads], np.uint8)
    row_codes = codes[grouped.of_row]
    row_codes[(row_codes == 0) & ~whole] = _PARTLY
    row_codes[pc.equal(values, "").to_numpy(zero_copy_only=False)] = 0
    return with_reasons(result, row_codes, _REASONS, kept=row_codes == _PARTLY)


def _without_notes(values: pa.StringArray) -> pa.StringArray:
    """The column without parentheses in which nothing stands but known notes."""
    noted = pc.match_substring_regex(values, r"[(\[]")
    if not pc.any(noted, min_count=0).as_py():
        return values
    return pc.replace_with_mask(values, noted, map_distinct(values.filter(noted), _without_note))


def _without_note(name: str) -> str:
    return _NOTE.sub(lambda m: " " if _is_note(m[1] or m[2] or "") else m[0], name)


def _is_note(text: str) -> bool:
    text = text.lower()
    known = "".join(_WORD.findall(text)) in _NOTES or _NOTES.issuperset(_WORD.findall(text))
    return known and not any(c.isdigit() for c in text)


def _example(
    pieces: Pieces, row: int, seen: list[str], classes: NDArray[np.int32]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The row's stand-ins and marks."""
    span = slice(int(pieces.starts[row]), int(pieces.starts[row + 1]))
    tokens = tuple(seen[k] for k in classes[pieces.words[span]].tolist())
    return tokens, tuple(pieces.marks[span].tolist())


def _items(vocabulary: list[str], reads: list[NameRead]) -> tuple[pa.StringArray, list[list[int]]]:
    """Forms of all words, then literals; items of every shape as :func:`assemble` takes them."""
    literals: dict[str, int] = {}

    def number(item: Item) -> int:
        if isinstance(item, int):
            return item
        return -literals.setdefault(item, len(literals)) - 1

    items = [[number(item) for item in read.items] for read in reads]
    return pa.array([*map(token_form, vocabulary), *literals], pa.string()), items
