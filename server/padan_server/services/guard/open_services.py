"""Health and reflection: open to every certificate of the authority, on threads of their own.

Whoever may call them need be no party. So none of them touches a thread that serves a party, and
one certificate may have only so many under way. Spec: ``proto/spec/30-unit-mode.md``, "Transport".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import Enum
from typing import Any, NoReturn

import grpc
from grpc_status import rpc_status

from padan.v1.reason_texts import ServerKind
from padan_server.base.errors import Refusal
from padan_server.services.guard.call import UnderWay
from padan_server.services.guard.receipts import Messages, Receipts
from padan_server.services.guard.status import status_of


class _Kind(Enum):
    """A kind of call: how many of it one certificate may have under way."""

    CHECK = 16
    WATCH = 5
    REFLECTION = 4


#: Threads for what is answered at once, and for what lasts.
_QUICK, _LASTING = 64, 32
#: Seconds that the message of a call may take, and that a stream of reflection may last.
_FIRST_SECONDS, _REFLECTION_SECONDS = 2.0, 30.0


class OpenServices:
    """Wraps the methods of services that are open to strangers."""

    def __init__(self, receipts: Receipts, kind: ServerKind) -> None:
        self._receipts = receipts
        self._kind = kind
        self._quick = ThreadPoolExecutor(_QUICK, thread_name_prefix="open")
        self._lasting = ThreadPoolExecutor(_LASTING, thread_name_prefix="lasting")
        self._under_way = UnderWay()

    def wrapped(self, handler: Any) -> Any:
        """The handler on threads of its own, its raw messages read within bounds."""
        parse, serialise = handler.request_deserializer, handler.response_serializer
        if handler.unary_unary is not None:
            behave = self._answering(handler.unary_unary, parse)
            return grpc.stream_unary_rpc_method_handler(behave, None, serialise)
        make = grpc.stream_stream_rpc_method_handler
        if handler.unary_stream is not None:
            return make(self._watching(handler.unary_stream, parse), None, serialise)
        return make(self._talking(handler.stream_stream, parse), None, serialise)

    def _answering(self, inner: Callable[..., Any], parse: Any) -> Callable[..., Any]:
        def behave(raw: Any, context: Any) -> Any:
            with self._counted(context, _Kind.CHECK):
                return inner(self._messages(raw, parse, context).only(), context)

        behave.experimental_thread_pool = self._quick  # type: ignore[attr-defined]
        return behave

    def _watching(self, inner: Callable[..., Any], parse: Any) -> Callable[..., Any]:
        def behave(raw: Any, context: Any) -> Iterator[Any]:
            with self._counted(context, _Kind.WATCH):
                yield from inner(self._messages(raw, parse, context).only(), context)

        behave.experimental_thread_pool = self._lasting  # type: ignore[attr-defined]
        return behave

    def _talking(self, inner: Callable[..., Any], parse: Any) -> Callable[..., Any]:
        def behave(raw: Any, context: Any) -> Iterator[Any]:
            with (
                self._counted(context, _Kind.REFLECTION),
                self._receipts.waiting(context.cancel, _REFLECTION_SECONDS),
            ):
                yield from inner(self._messages(raw, parse, context), context)

        behave.experimental_thread_pool = self._lasting  # type: ignore[attr-defined]
        return behave

    def _messages(self, raw: Any, parse: Any, context: Any) -> Messages:
        return Messages(raw, parse, self._receipts, context.cancel, _FIRST_SECONDS)

    @contextmanager
    def _counted(self, context: Any, kind: _Kind) -> Iterator[None]:
        certificate = context.auth_context().get("x509_pem_cert") or [b""]
        account = hashlib.sha256(certificate[0]).digest(), kind
        try:
            self._under_way.begin(account, kind.value)
            try:
                yield
            finally:
                self._under_way.end(account)
        except Refusal as refusal:
            self._abort(context, refusal)

    def _abort(self, context: Any, refusal: Refusal) -> NoReturn:
        context.abort_with_status(rpc_status.to_status(status_of(refusal, self._kind)))
        raise AssertionError("abort returned")
