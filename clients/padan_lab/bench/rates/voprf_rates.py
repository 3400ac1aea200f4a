"""``padan bench voprf``: what direct mode's cryptography and its whole way cost on this machine.

Rates are the best of several rounds, all measures of a round one after another, so that what else
the machine does hits them alike. The bare loop is the ``voprf`` library without anything of ours.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from voprf import ristretto

from padan_linkage.direct import blinding, oprf
from padan_linkage.direct.commitment import CHUNK_ELEMENTS

T = TypeVar("T")

_INPUT_BYTES = 60  # as long as a name and a date
_SEED = bytes(range(32))


class VoprfRates:
    """Things done per second, the best of the rounds, by name."""

    def __init__(self) -> None:
        self._best: dict[str, float] = {}

    def measure(self, name: str, count: int, task: Callable[[], T]) -> T:
        """Run ``task``, which does ``count`` of something."""
        begin = time.perf_counter()
        made = task()
        rate = count / (time.perf_counter() - begin)
        self._best[name] = max(self._best.get(name, 0.0), rate)
        return made

    def rounded(self) -> dict[str, int]:
        """Whole numbers."""
        return {name: round(rate) for name, rate in self._best.items()}


def primitives(elements: int, rounds: int) -> dict[str, object]:
    """One thread of one process: the library's loop and ours in turns, per second."""
    library, ours = VoprfRates(), VoprfRates()
    key, bare = _key(), ristretto.Evaluator.from_seed(_SEED, b"bench")
    _one_round(VoprfRates(), VoprfRates(), key, bare, 16)  # compiles
    for _ in range(rounds):
        for start in range(0, elements, CHUNK_ELEMENTS):
            _one_round(library, ours, key, bare, min(CHUNK_ELEMENTS, elements - start))
    theirs, mine = library.rounded(), ours.rounded()
    return {
        "library_per_second": theirs,
        "ours_per_second": mine,
        "ours_over_library": {name: round(mine[name] / theirs[name], 2) for name in theirs},
    }


def _one_round(
    library: VoprfRates,
    ours: VoprfRates,
    key: oprf.EvaluationKey,
    bare: ristretto.Evaluator,
    count: int,
) -> None:
    inputs = _inputs(count)
    pairs = library.measure("blind", count, lambda: [ristretto.Client.blind(i) for i in inputs])
    clients, elements = [c for c, _ in pairs], [e for _, e in pairs]
    output = library.measure("evaluate", count, lambda: bare.evaluate_batch(elements))
    library.measure(
        "finalise",
        count,
        lambda: ristretto.Client.finalize_batch(clients, output, bare.public_key),
    )
    library.measure(
        "known_input", count, lambda: [bare.evaluate_known_input(each) for each in inputs]
    )
    randomness = os.urandom(blinding.BLIND_SEED_BYTES * count)
    made = ours.measure("blind", count, lambda: blinding.blind(inputs, randomness))
    answer = ours.measure("evaluate", count, lambda: key.evaluate_blinded(made.elements, bytes(32)))
    ours.measure("finalise", count, lambda: made.finalise(*answer, key.public_key))
    ours.measure("known_input", count, lambda: key.evaluate(inputs))


def scaling(elements: int, rounds: int) -> dict[str, object]:
    """The requester's half over threads, the provider's over processes: one and two of each."""
    chunks = max(2, elements // CHUNK_ELEMENTS)
    key = _key()
    batches = [_inputs(CHUNK_ELEMENTS) for _ in range(chunks)]
    blinded = [blinding.blind(b, os.urandom(64 * CHUNK_ELEMENTS)) for b in batches]
    answers = [key.evaluate_blinded(b.elements, bytes(32)) for b in blinded]
    count = chunks * CHUNK_ELEMENTS
    rates = VoprfRates()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context, initializer=_start) as processes:
        list(processes.map(_evaluate, [blinded[0].elements] * 4))  # both are up
        for _ in range(rounds):
            for workers in (1, 2):
                with ThreadPoolExecutor(workers) as threads:
                    run = partial(_finalise_all, threads, blinded, answers, key.public_key)
                    rates.measure(f"finalise {workers}", count, run)
            todo = [b.elements for b in blinded]
            rates.measure("evaluate 1", count, partial(_in_one, processes, todo))
            rates.measure("evaluate 2", count, partial(_in_both, processes, todo))
    best = rates.rounded()
    return {
        **{name.replace(" ", "_"): rate for name, rate in best.items()},
        "finalise_two_over_one": round(best["finalise 2"] / best["finalise 1"], 2),
        "evaluate_two_over_one": round(best["evaluate 2"] / best["evaluate 1"], 2),
    }


def _finalise_all(
    threads: ThreadPoolExecutor,
    blinded: Sequence[blinding.Blinded],
    answers: Sequence[tuple[bytes, bytes]],
    public_key: bytes,
) -> None:
    running = [
        threads.submit(batch.finalise, *answer, public_key)
        for batch, answer in zip(blinded, answers, strict=True)
    ]
    for each in running:
        each.result()


def _in_one(processes: ProcessPoolExecutor, todo: Sequence[bytes]) -> None:
    processes.submit(_all, todo).result()


def _in_both(processes: ProcessPoolExecutor, todo: Sequence[bytes]) -> None:
    list(processes.map(_evaluate, todo))


def _key() -> oprf.EvaluationKey:
    return oprf.epoch_key(_SEED, agreement_digest=bytes(32), flow_id="bench", epoch=1)


def _inputs(count: int) -> list[bytes]:
    return [os.urandom(_INPUT_BYTES) for _ in range(count)]


_worker_key: oprf.EvaluationKey | None = None


def _start() -> None:
    global _worker_key  # noqa: PLW0603 - a process of a pool has no other place
    _worker_key = _key()


def _evaluate(elements: bytes) -> tuple[bytes, bytes]:
    assert _worker_key
    return _worker_key.evaluate_blinded(elements, bytes(32))


def _all(todo: Sequence[bytes]) -> None:
    for elements in todo:
        _evaluate(elements)
