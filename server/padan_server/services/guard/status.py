"""The one place that turns a refusal into a ``google.rpc.Status`` (AIP-193)."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from padan.v1.reason_texts import WORDINGS, ServerKind, worded
from padan_server.base.errors import Reason, Refusal

DOMAIN = "padan"


def grpc_code(reason: Reason) -> grpc.StatusCode:
    """The status code that always comes with the reason."""
    return grpc.StatusCode[WORDINGS[reason].status]


def status_of(refusal: Refusal, server: ServerKind) -> Any:
    """The ``google.rpc.Status``: ErrorInfo first, then the message in both languages."""
    indonesian, english = _said(refusal, server)
    status = status_pb2.Status(
        code=grpc_code(refusal.reason).value[0], message=f"{indonesian} / {english}"
    )
    details: list[Any] = [
        error_details_pb2.ErrorInfo(
            reason=refusal.reason.value, domain=DOMAIN, metadata=refusal.metadata
        ),
        error_details_pb2.LocalizedMessage(locale="id-ID", message=indonesian),
        error_details_pb2.LocalizedMessage(locale="en", message=english),
    ]
    if refusal.violations:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=v.field, description=v.english
                    )
                    for v in refusal.violations
                ]
            )
        )
    seconds = WORDINGS[refusal.reason].retry_seconds
    if seconds is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromSeconds(seconds)
        details.append(retry)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def _said(refusal: Refusal, server: ServerKind) -> tuple[str, str]:
    """The sentence in both languages; beside the name of a field stands what is wrong with it."""
    texts = WORDINGS[refusal.reason].texts
    if not refusal.violations:
        return worded(texts, server, refusal.metadata)
    indonesian = "; ".join(f"{v.field}: {v.indonesian}" for v in refusal.violations)
    english = "; ".join(f"{v.field}: {v.english}" for v in refusal.violations)
    return (
        worded(texts, server, {"field": indonesian})[0],
        worded(texts, server, {"field": english})[1],
    )
