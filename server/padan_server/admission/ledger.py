"""Charges single questions without waiting for the disk each time.

A question takes from a block of the day's quota that is durably charged *before* it is used, so a
crash can only charge too much: at most what was left of the blocks. Request ids are written to a
journal that outlives the process (not synced: after a power cut a retry may be charged again),
and moved into the store in batches. What is left of the blocks goes back at an orderly stop, and
before a list is charged. Spec: ``proto/spec/30-unit-mode.md``, "Quotas".
"""

from __future__ import annotations

import hmac
import json
import os
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path

import structlog
from pydantic_core import from_json

from padan_server.admission.enforcement import Grant
from padan_server.admission.quotas import Account, day_exceeded
from padan_server.admission.requests import replayed
from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import AnsweredRequest, RequestKey
from padan_server.base.ordinary import open_ordinary, read_ordinary
from padan_server.base.pieces import IN_ONE_PIECE, InPieces
from padan_server.store.files.disk import space
from padan_server.store.port import Store, StoreFullError, Transaction

_log = structlog.get_logger(__name__)

#: Records charged ahead of the questions that will use them.
BLOCK = 256
#: Below this share of a block the next one is charged, while questions still use this one.
_LOW = BLOCK // 2
#: Requests remembered in memory, so that a prompt retry asks no database.
_RECENT = 65_536
#: Seconds after which request ids are moved into the store, and how many do not wait so long.
_FLUSH_SECONDS, _FLUSH_REQUESTS = 2.0, 4_096
#: What a line of the journal ends with: a space and a CRC-32 in hex.
_SUM_BYTES = 9


def _line(charged: AnsweredRequest) -> bytes:
    """A question that was charged, as a line of the journal."""
    key = charged.key
    values = (key.party, key.method, key.request_id, key.digest.hex(), charged.resource)
    told = json.dumps([*values, charged.moment.timestamp()]).encode()
    return told + _sum_of(told) + b"\n"


def _read(line: bytes) -> AnsweredRequest | None:
    """What :func:`_line` wrote, without its end; None for anything else."""
    told, kept = line[:-_SUM_BYTES], line[-_SUM_BYTES:]
    if _sum_of(told) != kept:
        return None
    try:
        party, method, request_id, digest, resource, seconds = from_json(told)
        key = RequestKey(party, method, request_id, bytes.fromhex(digest))
        return AnsweredRequest(key, resource, datetime.fromtimestamp(seconds, UTC))
    except (ValueError, TypeError, OverflowError, OSError):  # the last two: a moment of no year
        return None


def _sum_of(told: bytes) -> bytes:
    return f" {zlib.crc32(told):08x}".encode()


class _Sieve:
    """Which requests the store may know: one bit for several of them, never a wrong «no»."""

    _BITS = 1 << 26

    def __init__(self) -> None:
        self._bits = bytearray(self._BITS // 8)
        self._whole = False

    def fill(self, store: Store, lock: threading.Lock) -> None:
        """Take in what the store has, ``lock`` held at each; until then everything may be known."""
        with store.read() as tx:
            for name in tx.requests.names():
                with lock:
                    self.add(name)
        self._whole = True

    def add(self, name: tuple[str, str, str]) -> None:
        """A request that goes into the store."""
        at = hash(name) % self._BITS
        self._bits[at >> 3] |= 1 << (at & 7)

    def may_know(self, name: tuple[str, str, str]) -> bool:
        """False where the store surely has no such request."""
        at = hash(name) % self._BITS
        return not self._whole or bool(self._bits[at >> 3] >> (at & 7) & 1)


class _Journal:
    """Questions charged and not yet in the store: in memory, and in a file for a successor.

    Written, not synced: it outlives the process, not the machine.
    """

    def __init__(self, folder: Path, number: int = 0) -> None:
        self._folder = folder
        self._number = number
        self._file: int | None = None
        self.charged: list[AnsweredRequest] = []

    @staticmethod
    def left(folder: Path) -> list[Path]:
        """Journals that a killed process left, the oldest first."""
        found = folder.glob("questions-*.journal")
        return sorted(found, key=lambda path: (len(path.name), path.name))

    def append(self, charged: AnsweredRequest) -> None:
        """Note one question. Raises StoreFullError."""
        with space():
            if self._file is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
                self._file = open_ordinary(self._path(), flags)
            os.write(self._file, _line(charged))
        self.charged.append(charged)

    def following(self) -> _Journal:
        """An empty journal beside this one."""
        return _Journal(self._folder, self._number + 1)

    def erase(self) -> None:
        """Let go of the file: the store has it all."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            self._path().unlink()

    def _path(self) -> Path:
        return self._folder / f"questions-{self._number}.journal"


def _lines(path: Path) -> list[bytes]:
    """The lines that were ended; what is behind the last was never answered."""
    return read_ordinary(path).split(b"\n")[:-1]


def damaged_journals(folder: Path) -> list[str]:
    """Names of journals with a line that is not what was written; the last may be torn."""
    found = []
    for path in _Journal.left(folder):
        try:
            whole = all(map(_read, _lines(path)))
        except OSError:
            whole = False
        if not whole:
            found.append(path.name)
    return found


class Ledger:
    """The quota of single questions, in this process; safe to use from several threads.

    ``_lock`` is never held while the store is written, ``_charging`` is: a list is charged inside
    the store's lock and takes ``_lock`` there.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._lock = threading.Lock()
        self._charging = threading.Lock()
        self._left: dict[Account, int] = {}
        self._recent: OrderedDict[tuple[str, str, str], tuple[bytes, str]] = OrderedDict()
        self._journal = _Journal(folder)
        self._sieve = _Sieve()
        self._full: list[_Journal] = []
        self._wanted = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)

    def recover(self) -> None:
        """Move into the store what a killed predecessor had in its journals.

        A line that is not what was written is told: what it was of stays charged, in a block, and
        is charged again if it is asked again.
        """
        left = _Journal.left(self._folder)
        read = {path: [_read(line) for line in _lines(path)] for path in left}
        with self._store.write() as tx:
            tx.requests.remember(*filter(None, chain.from_iterable(read.values())))
        for path, questions in read.items():
            if lost := questions.count(None):
                _log.error("journal_damaged", file=path.name, lines=lost)
            path.unlink()

    def start(self) -> None:
        """Begin to charge ahead and to move request ids into the store."""
        self._thread.start()

    def stop(self) -> None:
        """Move everything into the store and give back what is left of the blocks."""
        self._ended = True
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join()
        try:
            self._settle()
            with self._lock:
                left, self._left = self._left, {}
            with self._store.write() as tx:
                for account, records in left.items():
                    account.give_back(tx, records)
        except StoreFullError:
            _log.warning("ledger_not_settled")  # at most the rest of a block is charged too much

    def known(self, key: RequestKey | None) -> str | None:
        """The resource that answered this very request before; None if it is new.

        Raises a refusal if the id came before with another request.
        """
        if key is None:
            return None
        with self._lock:
            resource = self._found(key)
        if resource is None and self._sieve.may_know(key.name):
            with self._store.read() as tx:
                resource = replayed(tx, key)
        return resource

    def charge(
        self,
        grant: Grant,
        records: int,
        key: RequestKey | None,
        resource: str,
        instead_of: str | None = None,
        pieces: InPieces = IN_ONE_PIECE,
    ) -> str | None:
        """Charge a question, and remember what answers it, in place of ``instead_of``.

        Returns the resource if the same request was charged for another meanwhile. Raises the
        refusal of a day that is used up, and StoreFullError.
        """
        account = Account.of(grant)
        while True:
            with self._lock:
                before = self._found(key) if key else None
                if before not in {None, instead_of}:
                    return before
                left = self._left.get(account, 0)
                if left >= records:
                    if key:
                        self._note(AnsweredRequest(key, resource, grant.now))
                    self._left[account] = left - records
                    if left - records < _LOW:
                        self._wanted.set()
                    return None
            # Of a question with many rows every time: the disk may take a hundred milliseconds.
            with pieces.waiting():
                self._charge_ahead(account, records, grant)

    @contextmanager
    def settled(self, grant: Grant) -> Iterator[Transaction]:
        """A write block of the store in which nothing of the flow's day is held for questions."""
        account, left = Account.of(grant), 0
        try:
            with self._store.write() as tx:
                with self._lock:
                    left = self._left.pop(account, 0)
                account.give_back(tx, left)
                yield tx
        except BaseException:
            with self._lock:
                self._left[account] = self._left.get(account, 0) + left
            raise

    def held(self, agreement: str, flow: str, day: date) -> int:
        """Records of a day that are charged and that no question has used yet."""
        with self._lock:
            return sum(
                left
                for account, left in self._left.items()
                if (account.agreement, account.flow, account.day) == (agreement, flow, day)
            )

    def _found(self, key: RequestKey) -> str | None:
        found = self._recent.get(key.name)
        if found is None:
            return None
        if not hmac.compare_digest(found[0], key.digest):
            raise Refusal(Reason.REQUEST_ID_REUSED)
        return found[1]

    def _note(self, charged: AnsweredRequest) -> None:
        key = charged.key
        self._journal.append(charged)
        self._sieve.add(key.name)
        self._recent[key.name] = key.digest, charged.resource
        while len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        if len(self._journal.charged) >= _FLUSH_REQUESTS:
            self._wanted.set()

    def _charge_ahead(self, account: Account, records: int, grant: Grant | None) -> None:
        """Charge a block, or as much of one as the day has left, for ``records`` to be taken.

        Raises the refusal of ``grant`` if the day has not so much left; without a grant, does
        nothing then.
        """
        with self._charging:
            with self._lock:
                left = self._left.get(account, 0)
            if left >= max(records, _LOW):
                return  # another call has just charged a block
            with self._store.write() as tx:
                used = account.used(tx)
                block = min(max(records - left, BLOCK), account.limit - used)
                if left + block < records:
                    if grant is not None:
                        raise day_exceeded(grant, used - left)
                    return
                if block > 0:
                    account.charge(tx, block)
            with self._lock:
                self._left[account] = self._left.get(account, 0) + max(block, 0)

    def _work(self) -> None:
        self._sieve.fill(self._store, self._lock)
        while not self._ended:
            self._wanted.wait(_FLUSH_SECONDS)
            self._wanted.clear()
            try:
                self._charge_low()
                self._settle()
            except Exception as e:  # noqa: BLE001 - the next turn, or the next question, tries again
                _log.error("ledger_fault", error=type(e).__name__)

    def _charge_low(self) -> None:
        with self._lock:
            low = [account for account, left in self._left.items() if left < _LOW]
        for account in low:
            self._charge_ahead(account, 1, None)

    def _settle(self) -> None:
        """Move the journal's request ids into the store; days gone by give back their blocks."""
        with self._lock:
            today = max((a.day for a in self._left), default=None)
            gone = [a for a in self._left if a.day != today]
            back = {account: self._left.pop(account) for account in gone}
            if self._journal.charged:
                self._full.append(self._journal)
                self._journal = self._journal.following()
        if not self._full and not back:
            return
        with self._store.write() as tx:
            for account, records in back.items():
                account.give_back(tx, records)
            # One statement for all: the interpreter that answers questions does this too.
            tx.requests.remember(*chain.from_iterable(each.charged for each in self._full))
        while self._full:
            self._full.pop().erase()
