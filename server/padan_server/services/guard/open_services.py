"""Health and reflection: open to every certificate of the authority, on threads of their own.

Whoever may call them need be no party. So none of them touches a thread that serves a party, and
one certificate may have only so many under way. Spec: ``proto/spec/30-unit-mode.md``, "Transport".
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, NoReturn

import grpc
from grpc_status import rpc_status

from padan.v1.reason_texts import ServerKind
from padan_server.base.errors import Refusal
from padan_server.base.metrics import CallMetrics
from padan_server.services.guard.lines import (
    AuthContext,
    CallShare,
    Queue,
    Refusals,
    foreseen_refusal,
)
from padan_server.services.guard.receipts import Messages, Receipts
from padan_server.services.guard.status import status_of


class _Kind(Enum):
    """A kind of call, as the metrics call it, and what one certificate may have of it."""

    CHECK = "health_check", CallShare(at_once=16, waiting=16, a_second=500.0)
    WATCH = "health_watch", CallShare(at_once=5, waiting=0, a_second=50.0)
    REFLECTION = "reflection", CallShare(at_once=4, waiting=16, a_second=50.0)


#: Threads of each kind.
_THREADS = {_Kind.CHECK: 64, _Kind.WATCH: 32, _Kind.REFLECTION: 16}
#: Certificates that are refused something at a time.
_REFUSED = 8
#: Seconds that the message of a call may take, and that a stream of reflection may last.
_FIRST_SECONDS, _REFLECTION_SECONDS = 2.0, 30.0


class OpenServices:
    """Wraps the methods of services that are open to strangers."""

    def __init__(
        self,
        receipts: Receipts,
        kind: ServerKind,
        stopping: threading.Event,
        shut: Callable[[str], object],
        metrics: CallMetrics,
    ) -> None:
        self._receipts = receipts
        self._kind = kind
        refusals = Refusals(_REFUSED, stopping, shut)

        def queue(kind: _Kind) -> Queue:
            name, share = kind.value
            threads = _THREADS[kind]
            return Queue(name, _certificate, lambda _: share, threads, refusals, metrics)

        self._queues = {kind: queue(kind) for kind in _Kind}

    def wrapped(self, handler: Any) -> Any:
        """The handler on threads of its own, its raw messages read within bounds."""
        parse, serialise = handler.request_deserializer, handler.response_serializer
        if handler.unary_unary is not None:
            behave = self._answering(handler.unary_unary, parse)
            behave.experimental_thread_pool = self._queues[_Kind.CHECK]  # type: ignore[attr-defined]
            return grpc.stream_unary_rpc_method_handler(behave, None, serialise)
        watches = handler.unary_stream is not None
        kind = _Kind.WATCH if watches else _Kind.REFLECTION
        make = self._watching if watches else self._talking
        behave = make(handler.unary_stream or handler.stream_stream, parse)
        behave.experimental_thread_pool = self._queues[kind]  # type: ignore[attr-defined]
        return grpc.stream_stream_rpc_method_handler(behave, None, serialise)

    def _answering(self, inner: Callable[..., Any], parse: Any) -> Callable[..., Any]:
        def behave(raw: Any, context: Any) -> Any:
            with self._refusing(context):
                return inner(self._messages(raw, parse, context).only(), context)

        return behave

    def _watching(self, inner: Callable[..., Any], parse: Any) -> Callable[..., Any]:
        def behave(raw: Any, context: Any) -> Iterator[Any]:
            with self._refusing(context):
                yield from inner(self._messages(raw, parse, context).only(), context)

        return behave

    def _talking(self, inner: Callable[..., Any], parse: Any) -> Callable[..., Any]:
        def behave(raw: Any, context: Any) -> Iterator[Any]:
            with (
                self._refusing(context),
                self._receipts.waiting(context.cancel, _REFLECTION_SECONDS),
            ):
                yield from inner(self._messages(raw, parse, context), context)

        return behave

    def _messages(self, raw: Any, parse: Any, context: Any) -> Messages:
        return Messages(raw, parse, self._receipts, context.cancel, _FIRST_SECONDS)

    @contextmanager
    def _refusing(self, context: Any) -> Iterator[None]:
        """Refuse what is beyond the certificate's share, and what the block refuses."""
        try:
            if (foreseen := foreseen_refusal()) is not None:
                raise foreseen
            yield
        except Refusal as refusal:
            self._abort(context, refusal)

    def _abort(self, context: Any, refusal: Refusal) -> NoReturn:
        context.abort_with_status(rpc_status.to_status(status_of(refusal, self._kind)))
        raise AssertionError("abort returned")


def _certificate(known: AuthContext) -> str:
    """A name for the caller's certificate, whosever it is."""
    certificate = known.get("x509_pem_cert") or [b""]
    return hashlib.sha256(certificate[0]).hexdigest()[:16]
