"""The scrub of a running server: everything at rest is compared with its checksums, bit by bit.

So damage is known before somebody asks for what it hit, and an index whose table rots under it,
which nothing writes to, answers no more. Nothing is changed or erased. Spec:
``proto/spec/30-unit-mode.md``, "Doubt".
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import structlog

from padan_server.base.damage import DamagedFileError, DamageWatch
from padan_server.roles.inspection import HARMFUL, Flaw, FlawKind
from padan_server.store.files.sums import Pace

_log = structlog.get_logger(__name__)
_MIB = 1024**2
#: A server that has just started has other things to do.
FIRST_SECONDS = 60.0


class _ScrubEndedError(Exception):
    """The server is shutting down."""


class Scrub:
    """Reads at most ``mib`` MiB a second, in pieces of one.

    ``findings``: what goes round, at the pace that it is given. ``drop`` lets go of a dataset's
    indexes, which are then made again, ``doubt`` of the meter that a damaged file is of, which is
    then refused.
    """

    def __init__(
        self,
        findings: Callable[[Pace], Iterator[Flaw]],
        watch: DamageWatch,
        stopping: threading.Event,
        mib: float,
        *,
        drop: Callable[[str], None] = lambda _owner: None,
        doubt: Callable[[str], None] = lambda _file: None,
    ) -> None:
        self._findings = findings
        self._watch = watch
        self._stopping = stopping
        self._mib = mib
        self._drop = drop
        self._doubt = doubt

    def round(self) -> None:
        """Go round everything once; ends early, within one piece, when the server stops."""
        # Spec 30, "Doubt", step 11.
        before, damaged = self._watch.known(), set()
        try:
            for flaw in self._findings(self._pace):
                if flaw.kind in HARMFUL:
                    self._watch.found(DamagedFileError(flaw.file, *flaw.problem))
                    self._doubt(flaw.file)
                    damaged.add(flaw.file)
                elif flaw.kind is FlawKind.REMADE:
                    self._remake(flaw)
        except _ScrubEndedError:
            return
        for file in before - damaged:
            self._watch.ended(file)
        _log.info("scrubbed", damaged=len(damaged))

    def _remake(self, flaw: Flaw) -> None:
        """Let a dataset's directory be made again before anything more is answered by it."""
        kind, owner, *_ = PurePosixPath(flaw.file).parts
        if kind == "datasets":
            self._drop(owner)

    def _pace(self, size: int) -> None:
        if self._stopping.wait(size / (self._mib * _MIB)):
            raise _ScrubEndedError
