"""Builds a label table from a registry in parallel processes, part by part, so that it resumes.

1. Blocks of records become part files (the expensive half; a part that is there is not made again).
2. Partitions of values are merged from the parts: labels get their numbers, and become rows.
3. Dummies, and a delta's gone rows, are mixed in, and the table is written in order, hashed on the
   way.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_client.base.errors import UnavailableError
from padan_client.base.files import ensure_private_folder
from padan_client.base.language import t
from padan_client.protocol.direct import blocks
from padan_client.protocol.direct.blocks import PARTITIONS, BlockPlan, LabelBlock
from padan_client.protocol.direct.dummy_rows import DummyRows
from padan_client.protocol.direct.part_files import PartFiles
from padan_client.records.registry import Registry
from padan_linkage.answering.payloads import Payloads
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.labelling.labels import gone_tags
from padan_linkage.direct.labelling.rarity import Counts, Rarities, added
from padan_linkage.direct.table import (
    ROW_BYTES,
    TAG_BYTES,
    LabelTableWriter,
    by_tag,
    padded_rows,
)

T = TypeVar("T")

#: Records of one part: a few seconds of work.
BLOCK_RECORDS = 10_000
#: Parts whose words are counted together.
_COUNTED = 32

_NOBODY = np.zeros((0, TAG_BYTES), np.uint8)

#: Told how many records of the registry are done.
Done = Callable[[int], None]


@dataclass(frozen=True)
class Built:
    """A finished file of rows: real and dummy ones, and the Merkle root over its chunks.

    ``unlabelled``: persons' values that have no label, for too many share them; ``rarities``: of
    the words in them.
    """

    rows: int
    root: bytes
    unlabelled: int
    rarities: Rarities


@dataclass(frozen=True, repr=False)
class Builder:
    """Builds in ``folder``, the job's own; ``processes`` at once, all work here with one."""

    plan: BlockPlan
    folder: Path
    processes: int
    drbg: Drbg

    def base(self, registry: Registry, rows: Path, done: Done) -> Built:
        """The table of a whole registry, written to ``rows``."""
        parts = self._parts(registry, done)
        return self._finish(parts, self._counts(parts), len(registry), _NOBODY, rows)

    def delta(self, kept: Registry, gone: Registry, put: Registry, rows: Path, done: Done) -> Built:
        """The table of what changed: labels of the persons ``put``, a gone row for each ``gone``.

        Beside them are the ``kept`` ones, who are counted among those who have the same words.
        """
        parts = self._parts(put, done)
        several = range(-(-len(kept) // BLOCK_RECORDS))
        todo = ((block,) for _, block in _blocks(kept, several))
        with self._pool(len(several)) as run:
            others = [found for _, found in _unordered(run, blocks.run_count, todo)]
        counts = added([self._counts(parts), *others])
        void = gone_tags(self.plan.pseudonyms(gone.ids), self.plan.table_id)
        return self._finish(parts, counts, len(kept) + len(put), void, rows)

    def _parts(self, registry: Registry, done: Done) -> list[Path]:
        """The part files of a registry's persons."""
        ensure_private_folder(self.folder)
        starts = range(0, len(registry), BLOCK_RECORDS)
        parts = [self.folder / f"block-{n:06d}.part" for n in range(len(starts))]
        left = [n for n, part in enumerate(parts) if not part.exists()]
        made = len(registry) - sum(min(BLOCK_RECORDS, len(registry) - starts[n]) for n in left)
        done(made)
        # Made as they are wanted: all of them are as large as the registry itself.
        missing = ((b, parts[n]) for n, b in _blocks(registry, left))
        with self._pool(len(left)) as run:
            for (block, _), _ in _unordered(run, blocks.run_block, missing):
                made += len(block)
                done(made)
        return parts

    def _counts(self, parts: Sequence[Path]) -> Counts:
        """How many of the parts' people have which words, a few parts at a time."""
        files, counts = PartFiles(self.plan.part_key), added([])
        for start in range(0, len(parts), _COUNTED):
            some = parts[start : start + _COUNTED]
            counts = added([counts, *(blocks.read_counts(files, part) for part in some)])
        return counts

    def _finish(
        self,
        parts: list[Path],
        counts: Counts,
        people: int,
        void: NDArray[np.uint8],
        rows: Path,
    ) -> Built:
        """Merge the parts; ``counts`` are of so many people, ``void`` the tags of gone rows."""
        files, common = PartFiles(self.plan.part_key), self.folder / "common.words"
        rarities = Rarities.of(counts, people)
        blocks.write_rarities(files, common, rarities)
        merged = [self.folder / f"merged-{n:02d}.rows" for n in range(PARTITIONS)]
        size = sum(part.stat().st_size for part in parts)
        todo = [(parts, n, merged[n], common) for n in range(PARTITIONS)]
        # Opening the processes costs more than sorting a small table.
        with self._pool(1 if size < 1 << 24 else PARTITIONS) as run:
            found = [counted for _, counted in _unordered(run, blocks.run_merge, todo)]
        real = sum(labels for labels, _ in found) + len(void)
        wanted = padded_rows(real, self.plan.direct.dummy_share)
        others = DummyRows.of(void, wanted - real, self.drbg.fork("dummies"))
        rows.unlink(missing_ok=True)
        with LabelTableWriter(rows) as writer:
            for n in range(PARTITIONS):
                pieces = [np.frombuffer(files.read(path, n), np.uint8) for path in merged]
                piece = np.concatenate(pieces).reshape(-1, ROW_BYTES)
                # Spec 60, step 4.
                writer.append(by_tag(np.concatenate([piece, others.rows(n)])))
        unlabelled = sum(without for _, without in found)
        return Built(writer.rows, writer.root, unlabelled, rarities)

    @contextmanager
    def _pool(self, tasks: int) -> Iterator[ProcessPoolExecutor | None]:
        """Worker processes, or None where the work is done here."""
        if self.processes < 2 or tasks < 2:
            blocks.start_worker(self.plan)
            yield None
            return
        pool = ProcessPoolExecutor(
            min(self.processes, tasks),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=blocks.start_process,
            initargs=(self.plan,),
        )
        try:
            yield pool
        except BrokenProcessPool:
            raise _died() from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _unordered(
    pool: ProcessPoolExecutor | None, function: Callable[..., T], todo: Iterable[tuple[Any, ...]]
) -> Iterator[tuple[tuple[Any, ...], T]]:
    """Runs ``function`` on every argument tuple; few wait at once, results as they come."""
    if pool is None:
        for arguments in todo:
            yield arguments, function(*arguments)
        return
    limit = 2 * multiprocessing.cpu_count()
    running: dict[Future[T], tuple[Any, ...]] = {}
    for arguments in todo:
        running[pool.submit(function, *arguments)] = arguments
        if len(running) >= limit:
            yield from _finished(running)
    while running:
        yield from _finished(running)


def _finished(running: dict[Future[T], tuple[Any, ...]]) -> Iterator[tuple[tuple[Any, ...], T]]:
    ended, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in ended:
        yield running.pop(future), future.result()


def _blocks(registry: Registry, numbers: Iterable[int]) -> Iterator[tuple[int, LabelBlock]]:
    """The blocks of these numbers, one after the other."""
    codes, ids = Payloads.unpack(registry.payloads).codes, _flat(registry.ids)
    columns = {name: _flat(column) for name, column in registry.records.items()}
    for number in numbers:
        start = number * BLOCK_RECORDS
        # Without the concatenation a slice would be sent to a process with the whole column.
        records = {
            name: pa.concat_arrays([column.slice(start, BLOCK_RECORDS)])
            for name, column in columns.items()
        }
        references = pa.concat_arrays([ids.slice(start, BLOCK_RECORDS)])
        yield number, LabelBlock(references, records, codes[start : start + BLOCK_RECORDS])


def _flat(column: pa.StringArray | pa.ChunkedArray) -> pa.StringArray:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _died() -> UnavailableError:
    return UnavailableError(
        t(
            "Salah satu proses pembangun tabel mati (kehabisan memori?). Ulangi perintah yang sama "
            "untuk melanjutkan; bagian yang selesai tidak diulang.",
            "One of the processes that build the table died (out of memory?). Repeat the same "
            "command to go on; finished parts are not made again.",
        )
    )
