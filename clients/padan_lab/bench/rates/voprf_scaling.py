"""Two cores over one: a provider's steps by processes, a requester's by threads, as in a run."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from padan_lab.bench.rates.voprf_rates import INPUT_BYTES
from padan_lab.bench.report import alternately, faster, pinned
from padan_linkage.direct import blinding, oprf
from padan_linkage.direct.commitment import CHUNK_ELEMENTS

T = TypeVar("T")

_PROOF_SEED = bytes(oprf.PROOF_SEED_BYTES)


@dataclass(frozen=True, repr=False)
class _Chunk:
    """A chunk on its way."""

    inputs: list[bytes]
    blinded: blinding.Blinded
    answer: tuple[bytes, bytes]

    @classmethod
    def make(cls) -> _Chunk:
        inputs = [os.urandom(INPUT_BYTES) for _ in range(CHUNK_ELEMENTS)]
        blinded = blinding.blind(inputs, os.urandom(blinding.BLIND_SEED_BYTES * CHUNK_ELEMENTS))
        return cls(inputs, blinded, _key().evaluate_blinded(blinded.elements, _PROOF_SEED))


def two_over_one(elements: int, rounds: int) -> dict[str, float]:
    """By step, how many times as fast two workers are as one, both held to the same two cores."""
    chunks = [_Chunk.make() for _ in range(max(4, elements // CHUNK_ELEMENTS))]
    public_key = _key().public_key
    blinded = [chunk.blinded.elements for chunk in chunks]
    inputs = [chunk.inputs for chunk in chunks]
    context = multiprocessing.get_context("spawn")
    with (
        pinned(2),
        ProcessPoolExecutor(1, mp_context=context) as process,
        ProcessPoolExecutor(2, mp_context=context) as processes,
        ThreadPoolExecutor(1) as thread,
        ThreadPoolExecutor(2) as threads,
    ):
        tasks: dict[str, Callable[[], object]] = {}
        for workers, pool, here in ((1, process, thread), (2, processes, threads)):
            tasks[f"build {workers}"] = partial(_all, pool, _build, inputs)
            tasks[f"evaluate {workers}"] = partial(_all, pool, _evaluate, blinded)
            tasks[f"blind {workers}"] = partial(_all, here, _blind, inputs)
            tasks[f"finalise {workers}"] = partial(
                _all, here, partial(_finalise, public_key), chunks
            )
        timings = alternately(tasks, rounds)
    steps = ("build", "blind", "evaluate", "finalise")
    return {step: faster(timings, f"{step} 2", f"{step} 1") for step in steps}


def _all(pool: Executor, task: Callable[[T], object], work: list[T]) -> None:
    list(pool.map(task, work))


def _key() -> oprf.EvaluationKey:
    return oprf.derive_key(bytes(oprf.SEED_BYTES), b"bench")


def _build(inputs: list[bytes]) -> None:
    _key().evaluate(inputs)


def _evaluate(elements: bytes) -> None:
    _key().evaluate_blinded(elements, _PROOF_SEED)


def _blind(inputs: list[bytes]) -> None:
    blinding.blind(inputs, bytes(range(blinding.BLIND_SEED_BYTES)) * len(inputs))


def _finalise(public_key: bytes, chunk: _Chunk) -> None:
    chunk.blinded.finalise(*chunk.answer, public_key)
