"""Builds a label table from a registry in parallel processes, part by part, so that it resumes.

1. Blocks of records become part files (the expensive half; a part that is there is not made again).
2. Partitions of tags are merged from the parts and sealed.
3. Dummies are mixed in and the table is written in order, hashed on the way.
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
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.base.errors import UnavailableError
from padan_client.base.files import ensure_private_folder
from padan_client.base.language import t
from padan_client.protocol.direct import blocks
from padan_client.protocol.direct.blocks import (
    PARTITIONS,
    BlockPlan,
    Inputs,
    LabelBlock,
    Worker,
)
from padan_client.protocol.direct.part_files import PartFiles
from padan_client.records.registry import Registry
from padan_linkage.answering.payloads import Payloads
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.inputs import KeyInputs
from padan_linkage.direct.registry import Labelled, changes, label_inputs
from padan_linkage.direct.table import (
    ROW_BYTES,
    TAG_BYTES,
    LabelTableWriter,
    padded_rows,
    tag_words,
)

T = TypeVar("T")

#: Records of one part: a few seconds of work.
BLOCK_RECORDS = 10_000
#: Dummies drawn at once.
_DRAWN = 1 << 20

_NOTHING = (pa.array([], pa.large_binary()), np.zeros(0, np.uint64))

#: Told how many records of the registry are done.
Done = Callable[[int], None]


@dataclass(frozen=True)
class Built:
    """A finished file of rows: real and dummy ones, and the Merkle root over its chunks."""

    rows: int
    root: bytes


@dataclass(frozen=True, repr=False)
class Builder:
    """Builds in ``folder``, the job's own; ``processes`` at once, all work here with one."""

    plan: BlockPlan
    folder: Path
    processes: int
    drbg: Drbg

    def base(self, registry: Registry, rows: Path, done: Done) -> Built:
        """The table of a whole registry, written to ``rows``."""
        ensure_private_folder(self.folder)
        todo = list(_blocks(registry))
        parts = [self.folder / f"block-{n:06d}.part" for n in range(len(todo))]
        made = sum(len(b) for b, part in zip(todo, parts, strict=True) if part.exists())
        done(made)
        missing = [(b, part) for b, part in zip(todo, parts, strict=True) if not part.exists()]
        with self._pool(len(missing)) as run:
            for (block, _), _ in _unordered(run, blocks.run_block, missing):
                made += len(block)
                done(made)
        return self._finish(parts, rows)

    def delta(self, kept: Registry, before: Registry, after: Registry, rows: Path) -> Built:
        """The table of what changed: ``before`` became ``after``, beside the ``kept`` records.

        What changed records share with kept ones is answered anew, so that a removal also mends
        what it had made ambiguous.
        """
        ensure_private_folder(self.folder)
        worker = Worker(self.plan)
        old, new = (
            _joined([worker.inputs_of(b) for b in _blocks(before)]),
            _joined([worker.inputs_of(b) for b in _blocks(after)]),
        )
        ids = [key.id for key in self.plan.direct.keys]
        both = _joined([old, new])
        touched = {i: pc.unique(both.get(i, _NOTHING)[0]) for i in ids}
        todo = [(block, touched) for block in _blocks(kept)]
        with self._pool(len(todo)) as run:
            shared = _joined([f for _, f in _unordered(run, blocks.run_inputs, todo)])
        then, now = self._labels(_joined([shared, old])), self._labels(_joined([shared, new]))
        part = self.folder / "changes.part"
        worker.make_labels({i: changes(then[i], now[i]) for i in ids}, part)
        return self._finish([part], rows)

    def _labels(self, inputs: Inputs) -> dict[str, Labelled]:
        """One answer for each distinct input, by key id."""
        labels = {}
        for key in self.plan.direct.keys:
            messages, codes = inputs.get(key.id, _NOTHING)
            labels[key.id] = label_inputs(key, KeyInputs(messages, np.arange(len(codes))), codes)
        return labels

    def _finish(self, parts: list[Path], rows: Path) -> Built:
        merged = [self.folder / f"merged-{n:02d}.rows" for n in range(PARTITIONS)]
        size = sum(part.stat().st_size for part in parts)
        todo = [(parts, n, merged[n]) for n in range(PARTITIONS)]
        # Opening the processes costs more than sorting a small table.
        with self._pool(1 if size < 1 << 24 else PARTITIONS) as run:
            real = sum(count for _, count in _unordered(run, blocks.run_merge, todo))
        wanted = padded_rows(real, self.plan.direct.dummy_share)
        dummies = _dummies(wanted - real, self.drbg.fork("dummies"))
        rows.unlink(missing_ok=True)
        kept = PartFiles(self.plan.part_key)
        with LabelTableWriter(rows) as writer:
            for n, path in enumerate(merged):
                sealed = np.frombuffer(kept.read(path, 0), np.uint8).reshape(-1, ROW_BYTES)
                # Spec 60, step 4.
                writer.append(_sorted(np.concatenate([sealed, dummies[n]])))
        return Built(writer.rows, writer.root)

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


def _blocks(registry: Registry) -> Iterator[LabelBlock]:
    codes = Payloads.unpack(registry.payloads).codes
    for start in range(0, len(registry), BLOCK_RECORDS):
        records = {
            name: pa.concat_arrays([_flat(column).slice(start, BLOCK_RECORDS)])
            for name, column in registry.records.items()
        }
        yield LabelBlock(records, codes[start : start + BLOCK_RECORDS])


def _joined(pieces: Sequence[Inputs]) -> Inputs:
    """The inputs of several pieces as one."""
    ids = {key_id for piece in pieces for key_id in piece}
    return {
        i: (
            pa.concat_arrays([p[i][0] for p in pieces if i in p]),
            np.concatenate([p[i][1] for p in pieces if i in p]),
        )
        for i in ids
    }


def _flat(column: pa.StringArray | pa.ChunkedArray) -> pa.StringArray:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _dummies(count: int, drbg: Drbg) -> list[NDArray[np.uint8]]:
    """``count`` random rows, by partition."""
    drawn: list[list[NDArray[np.uint8]]] = [
        [np.zeros((0, ROW_BYTES), np.uint8)] for _ in range(PARTITIONS)
    ]
    for start in range(0, count, _DRAWN):
        some = min(_DRAWN, count - start)
        rows = np.frombuffer(drbg.bytes(some * ROW_BYTES), np.uint8).reshape(-1, ROW_BYTES)
        partition = rows[:, 0] // (256 // PARTITIONS)
        for n in range(PARTITIONS):
            drawn[n].append(rows[partition == n])
    return [np.concatenate(rows) for rows in drawn]


def _sorted(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    high, low = tag_words(rows[:, :TAG_BYTES])
    return rows[np.lexsort((low, high))]


def _died() -> UnavailableError:
    return UnavailableError(
        t(
            "Salah satu proses pembangun tabel mati (kehabisan memori?). Ulangi perintah yang sama "
            "untuk melanjutkan; bagian yang selesai tidak diulang.",
            "One of the processes that build the table died (out of memory?). Repeat the same "
            "command to go on; finished parts are not made again.",
        )
    )
