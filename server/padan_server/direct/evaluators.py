"""Evaluation in processes of its own, one for each core: what comes in and out is raw bytes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections import OrderedDict, deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from queue import SimpleQueue

import structlog

from padan_linkage.direct.oprf import PROOF_BYTES
from padan_server.direct import worker

_log = structlog.get_logger(__name__)
_SECONDS_TO_END = 10.0


class ElementsInvalidError(Exception):
    """An element of the batch is not the canonical encoding of a usable point."""


class KeyChangedError(Exception):
    """The seed is not that of the key that was asked for."""


class EvaluationFaultError(Exception):
    """A worker failed in a way that it should not."""


class Evaluators:
    """A pool of worker processes, one for each processor or ``workers``.

    They are started here, before any call can come: processes of their own program, never forks of
    this one. A worker that dies is replaced, and its batch given to the new one, once. Parties take
    turns, whoever has more batches waiting.
    """

    def __init__(self, workers: int = 0) -> None:
        self.count = workers or len(os.sched_getaffinity(0))
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        started = [_Worker() for _ in range(self.count)]
        for each in started:
            each.wait_ready()
            self._idle.put(each)
        self._threads = ThreadPoolExecutor(self.count, thread_name_prefix="evaluate")
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, deque[_Batch]] = OrderedDict()

    def submit(self, request: worker.EvaluationRequest, party: str) -> Future[tuple[bytes, bytes]]:
        """Evaluate the elements of a party's request: the future has them evaluated, and the proof.

        It raises :class:`ElementsInvalidError` for elements that cannot be evaluated and
        :class:`KeyChangedError` if seed and public key do not go together. Once closed, this raises
        RuntimeError.
        """
        batch = _Batch(request.pack())
        with self._lock:
            self._threads.submit(self._serve_next)
            self._waiting.setdefault(party, deque()).append(batch)
        return batch.answer

    def close(self) -> None:
        """End the workers, after what they have begun."""
        self._threads.shutdown(cancel_futures=True)
        for batches in self._waiting.values():
            for batch in batches:
                batch.answer.cancel()
        for _ in range(self.count):
            self._idle.get().end()

    def _serve_next(self) -> None:
        """Evaluate a batch of the party that has waited longest since one of its was begun."""
        # Spec 30, "Fairness", step 4.
        with self._lock:
            party, batches = self._waiting.popitem(last=False)
            batch = batches.popleft()
            if batches:
                self._waiting[party] = batches
        if not batch.answer.set_running_or_notify_cancel():
            return
        try:
            batch.answer.set_result(self._evaluate(batch.request))
        except BaseException as error:  # noqa: BLE001 - whoever waits for it is told
            batch.answer.set_exception(error)

    def _evaluate(self, request: bytes) -> tuple[bytes, bytes]:
        mine = self._idle.get()
        try:
            try:
                answer = mine.ask(request)
            except (EOFError, OSError):
                _log.error("evaluator_died", code=mine.end())
                mine = _Worker()
                mine.wait_ready()
                answer = mine.ask(request)
        finally:
            self._idle.put(mine)
        return _read(answer)


@dataclass(repr=False)
class _Batch:
    """A packed request, and what comes of it."""

    request: bytes
    answer: Future[tuple[bytes, bytes]] = field(default_factory=Future)


def _read(answer: bytes) -> tuple[bytes, bytes]:
    kind, content = answer[:1], answer[1:]
    if kind == worker.REFUSED:
        raise ElementsInvalidError
    if kind == worker.CHANGED:
        raise KeyChangedError
    if kind != worker.DONE:
        raise EvaluationFaultError(content.decode("ascii", "replace"))
    return content[:-PROOF_BYTES], content[-PROOF_BYTES:]


class _Worker:
    """One process, seen from here. It has the pipe's other ends alone: when we die, it ends."""

    def __init__(self) -> None:
        # -P: the folder that the server was started in has no say in what is imported.
        self._process = subprocess.Popen(  # noqa: S603 - our own program, nothing from outside
            [sys.executable, "-P", "-m", worker.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._requests = Connection(os.dup(self._process.stdin.fileno()), readable=False)
        self._answers = Connection(os.dup(self._process.stdout.fileno()), writable=False)
        self._process.stdin.close()
        self._process.stdout.close()

    def wait_ready(self) -> None:
        """Wait until it works. RuntimeError if it does not."""
        try:
            ready = self._answers.recv_bytes() == worker.READY
        except (EOFError, OSError):
            ready = False
        if not ready:
            raise RuntimeError(f"an evaluation process ended at once, code {self.end()}")

    def ask(self, message: bytes) -> bytes:
        """Its answer; EOFError or OSError if it died."""
        self._requests.send_bytes(message)
        return self._answers.recv_bytes()

    def end(self) -> int:
        """Close its input and wait for its end; returns its exit code."""
        self._requests.close()
        self._answers.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(_SECONDS_TO_END)
        self._process.kill()
        return self._process.wait()
