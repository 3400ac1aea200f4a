"""Around every call: who calls, by when, what the answer or the error was, one log line."""

from __future__ import annotations

import errno
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import Any, NoReturn

import grpc
import structlog
from grpc_status import rpc_status

from padan.v1.reason_texts import ServerKind
from padan_server.admission.identity import Pins
from padan_server.base.config import CallLimits
from padan_server.base.damage import DamagedFileError
from padan_server.base.errors import Reason, Refusal
from padan_server.base.log import Seldom, places
from padan_server.base.metrics import CallMetrics
from padan_server.services.guard.call import Call, CallerGoneError, set_call
from padan_server.services.guard.classes import CallClass, class_of, takes_turns
from padan_server.services.guard.handshakes import METADATA, Heads, said
from padan_server.services.guard.lines import (
    CallShare,
    Refusals,
    foreseen_refusal,
    queues,
)
from padan_server.services.guard.open_services import OpenServices
from padan_server.services.guard.receipts import Messages, Receipts
from padan_server.services.guard.status import grpc_code, status_of
from padan_server.services.guard.turns import Turn, Turns
from padan_server.store.port import StoreBusyError, StoreFullError, StoreUnopenedError

_log = structlog.get_logger(__name__)

#: Infrastructure that every certificate of the CA may use, without a deadline.
_HEALTH = "/grpc.health.v1."
_REFLECTION = "/grpc.reflection."
#: The process, or the machine, may open no further file.
_NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE})
#: What the log and the metrics call a method that there is not.
_NO_METHOD = "none"
#: What a party may have of urgent calls.
_URGENT = CallShare(at_once=2, waiting=100, a_second=100.0)
#: Calls of a class that compute at once: enough that one which waits for the disk stops no other.
_AT_ONCE = max(2, len(os.sched_getaffinity(0)))
#: Questions of a party that a unit works on at once: what waits for a turn is asked together.
_TOGETHER = 6


class Guard(grpc.ServerInterceptor):
    """Wraps every method of the server's own services."""

    def __init__(
        self,
        pins: Pins,
        metrics: CallMetrics,
        stopping: threading.Event,
        limits: CallLimits,
        kind: ServerKind,
        heads: Heads,
        shut: Callable[[str], object],
    ) -> None:
        self._kind = kind
        self._heads = heads
        self._pins = pins
        self._metrics = metrics
        self._stopping = stopping
        self._deadline_seconds = limits.deadline_seconds
        refusals = Refusals(len(pins.parties), stopping, shut)
        at_once = dict.fromkeys(CallClass, _AT_ONCE)
        if kind is ServerKind.UNIT:
            # Python answers these, and runs one thread at a time: two at once only interrupt each
            # other, and whatever else there is. A provider's questions are answered by processes.
            at_once[CallClass.REAL_TIME] = at_once[CallClass.ADMINISTRATION] = 1
        self._queues = queues(_shares(limits, at_once), pins, refusals, metrics)
        self._turns = {kind: Turns(turns) for kind, turns in at_once.items()}
        self._receipts = Receipts(stopping)
        self._open = OpenServices(self._receipts, kind, stopping, shut, metrics)
        self._seldom = Seldom()
        #: The wrapped methods by name: a stream costs the thread that takes all of them little.
        self._wrapped: dict[str, Any] = {}

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Wrap the handler: every kind reads raw messages, once the caller is known."""
        method = handler_call_details.method
        wrapped = self._wrapped.get(method)
        if wrapped is None:
            handler = continuation(handler_call_details)
            if handler is None:
                method, wrapped = "", self._wrapped.get("") or self._without_method()
            else:
                wrapped = self._wrap(method, handler)
            self._wrapped[method] = wrapped
        return wrapped

    def _wrap(self, method: str, handler: Any) -> Any:
        if method.startswith((_HEALTH, _REFLECTION)):
            return self._open.wrapped(handler)
        # Spec 30, "Transport", step 7.
        make = self._streamed if handler.response_streaming else self._single
        behave = make(method, handler)
        # Spec 30, "Transport", step 5.
        behave.experimental_thread_pool = self._queues[class_of(method)]  # type: ignore[attr-defined]
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(behave, None, handler.response_serializer)
        return grpc.stream_unary_rpc_method_handler(behave, None, handler.response_serializer)

    def _without_method(self) -> Any:
        """What answers calls of methods that there are not: in line, like all others."""

        def behave(_: Any, context: Any) -> NoReturn:
            began = time.monotonic()
            if (foreseen := foreseen_refusal()) is not None:
                self.ended(Call(_NO_METHOD), began, grpc_code(foreseen.reason), foreseen.reason)
                self.abort(context, foreseen)
            self.ended(Call(_NO_METHOD), began, grpc.StatusCode.UNIMPLEMENTED, "")
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
            raise AssertionError("abort returned")

        pool = self._queues[CallClass.ADMINISTRATION]
        behave.experimental_thread_pool = pool  # type: ignore[attr-defined]
        return grpc.stream_unary_rpc_method_handler(behave)

    def _single(self, method: str, handler: Any) -> Callable[..., Any]:
        inner = handler.stream_unary or handler.unary_unary

        def behave(raw: Any, context: grpc.ServicerContext) -> Any:
            watched = _Watched(self, method, context)
            with watched as call:
                messages = self._messages(raw, handler, context, call)
                if handler.request_streaming:
                    with self._turn(call) as turn:
                        return inner(_by_turns(messages, turn), context)
                message = messages.only()
                if takes_turns(method):
                    watched.hold(self._turn(call))
                return inner(message, context)

        return behave

    def _streamed(self, method: str, handler: Any) -> Callable[..., Any]:
        inner = handler.stream_stream or handler.unary_stream

        def behave(raw: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with _Watched(self, method, context) as call:
                messages = self._messages(raw, handler, context, call)
                if handler.request_streaming:
                    # Its messages are read by a thread of their own, and evaluated by processes.
                    yield from _as_long_as_it_stands(call, inner(messages, context))
                    return
                message = messages.only()
                if not takes_turns(method):
                    yield from _as_long_as_it_stands(call, inner(message, context))
                    return
                with self._turn(call) as turn:
                    for answer in _as_long_as_it_stands(call, inner(message, context)):
                        with turn.aside():
                            yield answer

        return behave

    def _turn(self, call: Call) -> AbstractContextManager[Turn]:
        return self._turns[class_of(call.method)].of(call.party)

    def _messages(
        self, raw: Any, handler: Any, context: grpc.ServicerContext, call: Call
    ) -> Messages:
        parse, cancel = handler.request_deserializer, context.cancel
        return Messages(raw, parse, self._receipts, cancel, check=call.check)

    def admit(self, call: Call, context: Any) -> None:
        """Refuse while stopping, without a known caller, or without a sensible deadline."""
        if self._stopping.is_set():
            raise Refusal(Reason.SHUTTING_DOWN)
        caller = context.auth_context()
        call.party = self._pins.party_of(caller)
        call.rests_on("caller", lambda: self._pins.require(caller, call.party))
        # Spec 30, "Transport", step 8.
        named = dict(context.invocation_metadata()).get("padan-party", call.party)
        if named != call.party:
            raise Refusal(Reason.CALLER_IS_ANOTHER, party=call.party)
        # Spec 30, "Transport", step 3.
        left = context.time_remaining()
        if left is None or left > self._deadline_seconds:
            raise Refusal(Reason.DEADLINE_REQUIRED, limit=f"{self._deadline_seconds:.0f}")
        if (foreseen := foreseen_refusal()) is not None:
            raise foreseen
        # Spec 30, "Handshake", step 1.
        call.said = said(context.invocation_metadata())
        self._heads.require_compared(call)

    def answer(self, call: Call, context: Any) -> None:
        """Send the server's own handshake with an answer."""
        context.set_trailing_metadata(((METADATA, self._heads.answer(call)),))

    def abort(self, context: Any, refusal: Refusal) -> NoReturn:
        """End a call with the refusal's status."""
        context.abort_with_status(rpc_status.to_status(status_of(refusal, self._kind)))
        raise AssertionError("abort returned")

    def ended(self, call: Call, began: float, code: grpc.StatusCode, reason: str) -> None:
        """Count and log one call."""
        seconds = time.monotonic() - began
        self._metrics.ended(call.method, code.name, reason, seconds)
        untold = self._untold(call, code, reason)
        if untold is None:
            return
        _log.info(
            "call",
            method=call.method,
            party=call.party,
            code=code.name,
            reason=reason,
            seconds=round(seconds, 6),
            **({"untold": untold} if untold else {}),
            **call.facts,
        )

    def _untold(self, call: Call, code: grpc.StatusCode, reason: str) -> int | None:
        """None if the call gets no line; else how many like it got none since the last.

        What is served gets one. Of what is refused, once a minute each party and method; of those
        who are no party, each reason.
        """
        # Spec 30, "Fairness", step 3.
        if code is grpc.StatusCode.OK:
            return 0
        if not call.party:
            return self._seldom.untold(reason)
        about = call.facts.get("agreement", ""), call.facts.get("flow", "")
        return self._seldom.untold(f"{call.party} {call.method} {code.name} {reason} {about}")

    @property
    def metrics(self) -> CallMetrics:
        """Where calls are counted."""
        return self._metrics


class _Watched:
    """The time of one call: admits it, translates what it raises, tells the log."""

    def __init__(self, guard: Guard, method: str, context: grpc.ServicerContext) -> None:
        self._guard = guard
        # Any: the published types lack code(), and get the value type of auth_context() wrong.
        self._context: Any = context
        self._call = Call(method, is_awaited=self._context.is_active)
        self._held = ExitStack()
        self._began = time.monotonic()

    def hold(self, turn: AbstractContextManager[Turn]) -> None:
        """Take a turn until the call is told of: its end computes too, and interrupts others."""
        self._call.turn = self._held.enter_context(turn)

    def __enter__(self) -> Call:
        set_call(self._call)
        self._guard.metrics.active.inc()
        try:
            self._guard.admit(self._call, self._context)
        except Exception as error:
            self.__exit__(type(error), error, None)
            raise
        return self._call

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        with self._held:
            self._call.over()
            self._guard.metrics.active.dec()
            if error is None:
                try:
                    self._guard.answer(self._call, self._context)
                except Exception as failure:  # noqa: BLE001 - done, and the heads cannot be told
                    error = failure
            self._end(error)

    def _end(self, error: BaseException | None) -> None:
        if error is None:
            self._tell(grpc.StatusCode.OK, "")
        elif isinstance(error, Refusal):
            self._abort(error)
        elif isinstance(error, StoreFullError):
            self._abort(Refusal(Reason.STORAGE_FULL))
        elif isinstance(error, StoreBusyError):
            self._abort(Refusal(Reason.STORE_BUSY))
        elif isinstance(error, DamagedFileError):
            self._abort(Refusal(Reason.DATA_DAMAGED, file=error.file))
        elif isinstance(error, CallerGoneError):
            self._tell(grpc.StatusCode.CANCELLED, "")
            self._context.abort(grpc.StatusCode.CANCELLED, "")
        elif _lacks_descriptors(error):
            _log.error("descriptors_exhausted")
            self._abort(Refusal(Reason.SERVER_EXHAUSTED))
        elif self._context.code() is not None:
            # The service has aborted by itself: grpc's own words for what is not offered.
            self._tell(grpc.StatusCode.UNIMPLEMENTED, "")
        elif not self._context.is_active():
            # The peer went away or the deadline passed; there is nobody to tell.
            self._tell(grpc.StatusCode.CANCELLED, "")
        else:
            self._abort(_defect(error))

    def _abort(self, refusal: Refusal) -> NoReturn:
        self._tell(grpc_code(refusal.reason), refusal.reason.value)
        self._guard.abort(self._context, refusal)

    def _tell(self, code: grpc.StatusCode, reason: str) -> None:
        self._guard.ended(self._call, self._began, code, reason)


def _lacks_descriptors(error: BaseException) -> bool:
    """Whether the process could open no further file."""
    if isinstance(error, OSError):
        return error.errno in _NO_DESCRIPTOR
    return isinstance(error, StoreUnopenedError)


def _as_long_as_it_stands(call: Call, answers: Iterator[Any]) -> Iterator[Any]:
    """The answers of a call, each only while all that it rests on stands."""
    for answer in answers:
        call.check()
        yield answer


def _by_turns(messages: Iterator[Any], turn: Turn) -> Iterator[Any]:
    """The messages; while one is waited for, others have the turn."""
    while True:
        with turn.aside():
            try:
                message = next(messages)
            except StopIteration:
                return
        yield message


def _shares(limits: CallLimits, at_once: Mapping[CallClass, int]) -> dict[CallClass, CallShare]:
    """What a party may have of each class."""
    shares = {
        kind: CallShare(limits.calls_per_party, limits.waiting_per_party, a_second)
        for kind, a_second in (
            (CallClass.REAL_TIME, limits.rates.real_time),
            (CallClass.BATCH, limits.rates.batch),
            (CallClass.UPLOAD, limits.rates.upload),
            (CallClass.ADMINISTRATION, limits.rates.administration),
        )
    }
    # While some compute, as many come and go; more only take the interpreter from each other.
    for kind in (CallClass.REAL_TIME, CallClass.ADMINISTRATION):
        shares[kind] = replace(shares[kind], at_work=2 * at_once[kind])
    if at_once[CallClass.REAL_TIME] == 1:
        asked = min(_TOGETHER, limits.calls_per_party)
        shares[CallClass.REAL_TIME] = replace(shares[CallClass.REAL_TIME], at_work=asked)
    shares[CallClass.WATCH] = CallShare(limits.watches_per_party, 0, limits.rates.watch)
    shares[CallClass.URGENT] = _URGENT
    return shares


def _defect(error: BaseException) -> Refusal:
    """An unforeseen fault: the log gets its type and places, the caller an incident number."""
    incident = secrets.token_hex(8)
    _log.error("defect", incident=incident, error=type(error).__name__, frames=places(error))
    return Refusal(Reason.INTERNAL, incident=incident)
