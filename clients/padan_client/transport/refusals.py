"""One place that turns a gRPC error into a :class:`PadanError` with words for the user.

The server's free text is never shown: only the reason, looked up here, and a few metadata values
of a known form (spec ``proto/spec/50-errors.md``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from padan.v1.reason_texts import Reason, ServerKind
from padan_client.base.effects import DeadlineError
from padan_client.base.errors import (
    BusyError,
    PadanError,
    RefusedError,
    UnavailableError,
)
from padan_client.base.reasons import about, explain, refusal

_DETAILS_KEY = "grpc-status-details-bin"
#: The same call may succeed in a moment, without a change.
_PASSING = frozenset(
    {
        Reason.SHUTTING_DOWN,
        Reason.STORE_BUSY,
        Reason.TOO_MANY_CALLS,
        Reason.CALL_RATE_EXCEEDED,
        Reason.SERVER_EXHAUSTED,
    }
)
#: Seconds until the next attempt, whatever a server says.
_SOONEST, _LATEST = 0.05, 60.0
#: A connection or a server that gave way under the call.
_BROKEN = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
    }
)
#: No connection, or none in time.
_UNANSWERED = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
_SAFE_VALUE = re.compile(r"[\w .,:()/+\-]{1,80}")


def from_rpc_error(
    error: grpc.RpcError, server: ServerKind = ServerKind.UNIT, silent_seconds: float = 0.0
) -> PadanError:
    """The client's error for a failed call to ``server``, sync or asyncio.

    ``silent_seconds``: how long nothing had come or gone when it failed.
    """
    trailing = tuple(error.trailing_metadata() or ())
    reason, metadata = error_info(trailing)
    if not reason:
        return _from_code(error.code(), server, silent_seconds)
    if reason not in _PASSING:
        return refusal(reason, metadata, server)
    text, seconds = explain(reason, metadata, server), _retry_seconds(trailing)
    return UnavailableError(text) if seconds is None else BusyError(text, reason, seconds)


def error_info(trailing: Iterable[Any]) -> tuple[str, dict[str, str]]:
    """Reason and clean metadata of the padan ErrorInfo, ``("", {})`` where there is none."""
    for info in _details(trailing, error_details_pb2.ErrorInfo):
        if info.domain == "padan":
            return _clean_reason(info.reason), _clean(info.metadata)
    return "", {}


def _retry_seconds(trailing: Iterable[Any]) -> float | None:
    """The delay of the RetryInfo, within bounds; None where there is none."""
    for info in _details(trailing, error_details_pb2.RetryInfo):
        delay = info.retry_delay
        told = float(delay.seconds + delay.nanos / 1e9)
        return min(max(told, _SOONEST), _LATEST)
    return None


def _details(trailing: Iterable[Any], kind: Any) -> Iterator[Any]:
    """The details of one kind in the ``google.rpc.Status`` that came with an error."""
    for key, value in trailing:
        if key != _DETAILS_KEY or not isinstance(value, bytes):
            continue
        try:
            status = status_pb2.Status.FromString(value)
        except DecodeError:
            continue
        for packed in status.details:
            detail = kind()
            try:
                unpacked = packed.Unpack(detail)
            except DecodeError:
                continue
            if unpacked:
                yield detail


def _clean_reason(reason: str) -> str:
    return reason if re.fullmatch(r"[A-Z_]{1,60}", reason) else "UNKNOWN"


def _clean(metadata: Mapping[str, str]) -> dict[str, str]:
    """Drop what does not look like an identifier, article or number: it is a stranger's text."""
    return {
        key: value
        for key, value in metadata.items()
        if re.fullmatch(r"[a-z_]{1,40}", key) and _SAFE_VALUE.fullmatch(value)
    }


def is_lost(error: grpc.RpcError) -> bool:
    """Whether the call did not get through: its cause is to be looked for, not read in gRPC's text.

    A server's own refusal has a reason, also where it stops.
    """
    # Spec 30, "Patience", step 4.
    if error.code() not in _UNANSWERED:
        return False
    return not error_info(tuple(error.trailing_metadata() or ()))[0]


def _from_code(code: grpc.StatusCode, server: ServerKind, silent_seconds: float) -> PadanError:
    """Errors that gRPC itself makes: no connection, no certificate, too late, too large."""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineError(
            about(
                server,
                "{Server} tidak menjawab dalam batas waktu. Tidak ada yang sudah diterimanya "
                "hilang; ulangi perintah yang sama untuk melanjutkan.",
                "{Server} did not answer in time. Nothing it acknowledged is lost; repeat the same "
                "command to go on.",
            ),
            silent_seconds=silent_seconds,
        )
    if code in _BROKEN:
        return UnavailableError(
            about(
                server,
                f"Panggilan ke {{server}} terputus ({code.name}). Ulangi perintah yang sama untuk "
                "melanjutkan.",
                f"The call to {{server}} broke off ({code.name}). Repeat the same command to go "
                "on.",
            )
        )
    return RefusedError(
        about(
            server,
            f"{{Server}} menolak tanpa alasan Padan ({code.name}). Periksa bahwa alamat itu benar "
            "alamat {server}.",
            f"{{Server}} refused without a Padan reason ({code.name}). Check that the address is "
            "that of {server}.",
        ),
        code.name,
    )
