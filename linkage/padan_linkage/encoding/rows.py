"""Rows whose order is settled and whose filters are made chunk by chunk, when somebody asks.

A national table is gigabytes of filters, and an upload takes it piece by piece: nobody needs to
hold it whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_linkage.encoding import kernel
from padan_linkage.encoding.columns import text_of
from padan_linkage.encoding.qgrams import cut_of
from padan_linkage.normalise import similar_values, sound_values
from padan_linkage.schema import Layout, Pass, Schema, Segment
from padan_linkage.tables import PassTable, chunk_edges, chunk_of

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Column = NDArray[np.uint8]

#: Salt keys ``uint64[rows, 2]``, the record of each row ``int64[rows]`` (-1: none), and the key of
#: what fills its empty segments and tags, ``uint64[rows, 2]``.
Source = tuple[Words, Numbers, Words]
#: By fields: their UTF-8 bytes, and offsets ``int64[fields, records + 1]`` into them.
Texts = Mapping[tuple[str, ...], tuple[Column, Numbers]]


@dataclass(frozen=True, repr=False)
class FilterMaker:
    """Makes filters, presence and tags of one pass under one key.

    ``diffusion``: each label's rows ``uint64[m, m/64]``; ``labels``: their numbers.
    """

    schema: Schema
    p: Pass
    diffusion: Mapping[str, Words]
    labels: Mapping[str, int]
    threads: int

    def texts(self, records: Mapping[str, pa.StringArray]) -> Texts:
        """The text of every segment's and tag's fields, each made once.

        A doubtful value counts for similarity; nothing may equal it, so for a tag it is missing.
        """
        alike = {s.named for s in self.p.similar}
        texts = {names: text_of([similar_values(records[n]) for n in names]) for names in alike}
        equal = {_tagged(name): text_of([sound_values(records[name])]) for name in self.p.confirm}
        return texts | equal

    def filters(self, texts: Texts, source: Source) -> dict[str, Column]:
        """Filters ``uint8[rows, bits / 8]`` and presence ``uint8[rows, ceil(segments / 8)]``."""
        segments = self.p.similar
        rows = source[1].size
        filters = np.empty((rows, self.p.filter_words), np.uint64)
        presence = np.zeros((rows, max(1, -(-len(segments) // 8))), np.uint8)
        word = 0
        for index, segment in enumerate(segments):
            shape = self._segment(segment, index, word)
            text = texts[segment.named]
            out = filters, presence
            self._over_rows(rows, partial(kernel.encode_segment, shape, text, source, out))
            word += segment.bits // 64
        return {"filters": _little_endian_bytes(filters), "presence": presence}

    def _segment(self, segment: Segment, index: int, word: int) -> kernel.Shape:
        cuts = np.array([cut_of(self.schema.kind(name)) for name in segment.fields], np.int64)
        label = self.labels[segment.label]
        weights = (segment.weight, segment.beside_weight)
        return self.diffusion[segment.label], cuts, label, weights, index, word

    def tags(self, texts: Texts, source: Source) -> dict[str, Column]:
        """Confirmation tags, ``uint8[rows, 8 * fields]``."""
        rows = source[1].size
        tags = np.empty((rows, len(self.p.confirm)), np.uint64)
        for index, name in enumerate(self.p.confirm):
            text = texts[_tagged(name)]
            self._over_rows(rows, partial(kernel.encode_tags, index, text, source, tags))
        return {"tags": _little_endian_bytes(tags)}

    def _over_rows(self, rows: int, work: Callable[[tuple[int, int]], None]) -> None:
        """Runs ``work`` over row ranges, one a thread."""
        edges = [rows * i // self.threads for i in range(self.threads + 1)]
        spans = list(pairwise(edges))
        if self.threads == 1:
            work(spans[0])
            return
        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(work, spans))


@dataclass(frozen=True, repr=False)
class PassRows:
    """One pass's rows in their final order, and what their owner keeps to understand the answers.

    ``record_of_row`` is ``int64[rows]``, -1 for a cover person and for a record that takes no part;
    ``tokens`` ``uint8[rows, 16]``: secret, needed to open sealed codes. ``settled``: the columns
    that are there already; ``texts``: what the others are made from. ``salts`` ``uint64[rows, 2]``
    and ``shown`` ``int64[rows]``: each row's salt key, and the record whose fields it shows, -1 for
    none; ``fills`` ``uint64[records, 2]``: keys of what fills a record's empty fields.
    """

    layout: Layout
    record_of_row: Numbers
    tokens: Column
    settled: Mapping[str, Column]
    texts: Texts
    salts: Words
    shown: Numbers
    fills: Words
    maker: FilterMaker

    @property
    def pass_id(self) -> str:
        """The pass that these are rows of."""
        return self.maker.p.id

    def __len__(self) -> int:
        return self.record_of_row.size

    def __repr__(self) -> str:
        return f"PassRows({self.pass_id!r}, rows={len(self)})"

    def chunk(self, number: int) -> PassTable:
        """The rows of one chunk as they leave the house, the same whenever they are asked for."""
        start, stop = chunk_edges(number, len(self))
        salts, shown = self.salts[start:stop], self.shown[start:stop]
        # A stand-in shows its record's fields under another salt, and is filled in another way.
        fills = self.fills[np.maximum(shown, 0)] ^ salts if len(self.fills) else salts
        source = salts, shown, np.ascontiguousarray(fills)
        columns = {name: column[start:stop] for name, column in self.settled.items()}
        columns |= self.maker.filters(self.texts, source)
        # Spec 10, step 7: confirmation tags.
        columns |= self.maker.tags(self.texts, source)
        present = {name: columns[name] for name, _ in self.layout.columns()}
        return PassTable(self.pass_id, self.layout, present)

    def whole(self) -> PassTable:
        """All rows."""
        columns = {
            name: self.settled[name] if name in self.settled else np.empty((len(self), width), "u1")
            for name, width in self.layout.columns()
        }
        for number in range(chunk_of(len(self) - 1) + 1):
            start, stop = chunk_edges(number, len(self))
            for name, part in self.chunk(number).columns.items():
                if name not in self.settled:
                    columns[name][start:stop] = part
        return PassTable(self.pass_id, self.layout, columns)


def _tagged(name: str) -> tuple[str, ...]:
    """Where the text of a confirmation tag's field is."""
    return "", name


def _little_endian_bytes(words: Words) -> Column:
    return words.astype("<u8", copy=False).view(np.uint8).reshape(len(words), 8 * words.shape[1])
