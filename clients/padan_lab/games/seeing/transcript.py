"""What one party sees of the other's client: every call, in order, with sizes and coarse times.

The recorder stands between a client's protocol steps and the wire, and hands on what passes
unchanged. What a server receives is what is noted here, byte for byte
(``tests/integration/test_games_transcript.py``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from padan.v1.reason_texts import ServerKind
from padan_client.base.effects import (
    Download,
    Effect,
    Exchange,
    Local,
    Steps,
    Unary,
    Upload,
)
from padan_client.base.errors import PadanError
from padan_client.home.folder import Home
from padan_client.transport.channel import Link

T = TypeVar("T")
Column = NDArray[np.uint8]
#: Columns of one pass's table as they were uploaded, ``uint8[rows, bytes]`` by name.
Columns = dict[str, Column]

_COLUMNS = (
    "keys", "filters", "presence", "tags", "handles", "sealed_codes", "operations",
)  # fmt: skip


@dataclass(repr=False)
class RecordedCall:
    """One call: what was sent and answered, when it began and how long it took, in seconds.

    ``refusal`` is the error's type where it was refused or broke off.
    """

    method: str
    peer: ServerKind
    began: float
    sent: list[Message] = field(default_factory=list)
    answered: list[Message] = field(default_factory=list)
    seconds: float = 0.0
    refusal: str = ""

    @property
    def size(self) -> int:
        """Bytes that were sent."""
        return sum(message.ByteSize() for message in self.sent)


@dataclass(repr=False)
class Transcript:
    """The calls of one client in their order."""

    calls: list[RecordedCall] = field(default_factory=list)

    def to(self, peer: ServerKind) -> list[RecordedCall]:
        """The calls that one server saw."""
        return [call for call in self.calls if call.peer is peer]

    def of(self, method: str) -> list[RecordedCall]:
        """The calls of one method."""
        return [call for call in self.calls if call.method == method]

    def uploads(self) -> dict[str, Columns]:
        """The tables that were uploaded, by resource name, in the order of their first stream."""
        pieces: dict[str, dict[str, list[bytes]]] = {}
        rows: dict[str, int] = {}
        for call in self.of("DatasetService.UploadTable"):
            name = call.sent[0].table  # type: ignore[attr-defined]
            columns = pieces.setdefault(name, {})
            for message in call.sent:
                start, given = message.row_offset, message.rows  # type: ignore[attr-defined]
                if start != rows.get(name, 0):
                    raise ValueError("a stream that broke is no play")
                rows[name] = start + given.row_count
                for column in _COLUMNS:
                    columns.setdefault(column, []).append(getattr(given, column))
        return {name: _columns(columns, rows[name]) for name, columns in pieces.items()}

    def tables(self) -> dict[str, Columns]:
        """The uploaded tables by pass; of one dataset."""
        return {name.rpartition("/")[2]: columns for name, columns in self.uploads().items()}

    def outcomes(self) -> dict[str, Column]:
        """What a run answered to every row, by pass: ``uint8[rows]``."""
        found: dict[str, list[bytes]] = {}
        for call in self.of("RunService.StreamResults"):
            for message in call.answered:
                rows = message.rows  # type: ignore[attr-defined]
                if rows.row_count:
                    found.setdefault(rows.pass_id, []).append(rows.outcomes)
        return {p: np.frombuffer(b"".join(parts), np.uint8) for p, parts in found.items()}

    def codes(self) -> dict[str, Column]:
        """The sealed codes that a run gave out, by pass, in row order: ``uint8[matched, 44]``."""
        found: dict[str, list[bytes]] = {}
        for call in self.of("RunService.StreamResults"):
            for message in call.answered:
                rows = message.rows  # type: ignore[attr-defined]
                found.setdefault(rows.pass_id, []).append(rows.sealed_codes)
        return {p: _bytes(b"".join(parts), 44) for p, parts in found.items() if p}


class RecordedLink(Link):
    """A link that notes every call in ``transcript``."""

    transcript: Transcript

    @classmethod
    def of(cls, home: Home, agreement: str, flow: str) -> Self:
        """A link of ``home`` for a flow, with an empty transcript."""
        link = cls.open(home, agreement, flow)
        link.transcript = Transcript()
        return link

    def run(self, steps: Steps[T]) -> T:
        """As :meth:`Link.run`, noting what passes."""
        return super().run(_noted(steps, self.transcript))

    def taken(self) -> Transcript:
        """What was noted since the last time."""
        taken, self.transcript = self.transcript, Transcript()
        return taken


def _noted(steps: Steps[T], transcript: Transcript) -> Steps[T]:
    """The same steps; each call is noted on its way."""
    result: Any = None
    failure: PadanError | None = None
    while True:
        try:
            effect = steps.throw(failure) if failure else steps.send(result)
        except StopIteration as stop:
            value: T = stop.value
            return value
        call, seen = _watched(effect)
        result, failure = None, None
        try:
            result = yield seen
        except PadanError as error:
            failure = error
        if call is not None:
            call.seconds = time.perf_counter() - call.began
            call.refusal = type(failure).__name__ if failure else ""
            if isinstance(result, Message):
                call.answered.append(result)
            transcript.calls.append(call)


def _watched(effect: Effect) -> tuple[RecordedCall | None, Effect]:
    """The call that an effect makes, if it makes one, and the effect that notes what passes."""
    if isinstance(effect, Local):
        return None, effect
    call = RecordedCall(effect.method, effect.peer, time.perf_counter())
    match effect:
        case Unary(method, request, peer):
            call.sent.append(request)
            return call, effect
        case Upload(method, requests, peer):
            return call, Upload(method, _sending(call, requests), peer)
        case Download(method, request, sink, peer):
            call.sent.append(request)
            return call, Download(method, request, _hearing(call, sink), peer)
        case Exchange(method, requests, sink, peer):
            return call, Exchange(method, _sending(call, requests), _hearing(call, sink), peer)
    raise AssertionError(effect)


def _sending(
    call: RecordedCall, requests: Callable[[], Iterator[Message]]
) -> Callable[[], Iterator[Message]]:
    def begin() -> Iterator[Message]:
        for message in requests():
            call.sent.append(message)
            yield message

    return begin


def _hearing(call: RecordedCall, sink: Callable[[Any], None]) -> Callable[[Any], None]:
    def take(message: Any) -> None:
        call.answered.append(message)
        sink(message)

    return take


def _columns(pieces: dict[str, list[bytes]], rows: int) -> Columns:
    whole = {name: b"".join(parts) for name, parts in pieces.items()}
    return {name: _bytes(data, len(data) // rows) for name, data in whole.items() if data}


def _bytes(data: bytes, width: int) -> Column:
    return np.frombuffer(data, np.uint8).reshape(-1, width)
