"""All peers by name, and what it is to be one of them for a while."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Event
from typing import Self

import grpc

from padan_lab.bench.hostile import callers, sockets
from padan_lab.bench.hostile.ground import Ground

#: A round of a peer; the event tells when to end.
Round = Callable[[Ground, Event], None]

PEERS: dict[str, Round] = {
    "administrator": callers.administer_in_circles,
    "bomber": callers.send_bombs,
    "checker": callers.check_health,
    "flooder": callers.flood,
    "header_bomber": sockets.bomb_headers,
    "nothing_caller": sockets.call_nothing,
    "opener": sockets.open_streams,
    "pinger": sockets.ping,
    "questioner": callers.question,
    "reconnector": callers.reconnect,
    "resetter": sockets.reset_streams,
    "rubbish": callers.send_rubbish,
    "runner": callers.run_in_circles,
    "scanner": sockets.scan,
    "settler": sockets.settle,
    "silent_uploader": callers.say_nothing,
    "slow_reader": sockets.read_slowly,
    "slow_shaker": sockets.shake_slowly,
    "stopper": callers.stop_midway,
    "unread": callers.read_nothing,
    "watcher": callers.watch,
}
#: What a round may end in; then the next begins.
_ENDS = (grpc.RpcError, grpc.FutureTimeoutError, OSError, ssl.SSLError, StopIteration)


def leave_processors_to_others() -> None:
    """Let this thread, and those that it starts, have what nobody else wants.

    Whoever asks beside peers is to wait for the server, not for this machine's processors.
    """
    os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))


class Harassing:
    """Peers of some names, each from so many threads of this process, until the block ends."""

    def __init__(self, ground: Ground, names: Iterable[str], threads: int = 2) -> None:
        self._ground = ground
        self._stopped = Event()
        self._rounds = threading.Semaphore(0)
        self._threads = [
            threading.Thread(target=self._run, args=(PEERS[name],), daemon=True)
            for name in names
            for _ in range(threads)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        for _ in self._threads:
            self._rounds.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _run(self, peer: Round) -> None:
        leave_processors_to_others()
        self._rounds.release()
        while not self._stopped.is_set():
            with suppress(*_ENDS):
                peer(self._ground, self._stopped)
            self._stopped.wait(0.01)
