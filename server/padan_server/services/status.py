"""The one place that turns a refusal into a ``google.rpc.Status`` (AIP-193)."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from padan_server.base.errors import Reason, Refusal

DOMAIN = "padan"

_PERMISSION_DENIED = {Reason.CALLER_UNKNOWN, Reason.ROLE_NOT_PERMITTED}
_NOT_FOUND = {
    Reason.AGREEMENT_NOT_FOUND,
    Reason.FLOW_NOT_FOUND,
    Reason.DATASET_NOT_FOUND,
    Reason.RUN_NOT_FOUND,
    Reason.LIST_NOT_FOUND,
    Reason.TABLE_NOT_FOUND,
    Reason.RELEASE_NOT_FOUND,
}
_INVALID_ARGUMENT = {
    Reason.CONTRIBUTION_INVALID,
    Reason.TABLES_INVALID,
    Reason.ROWS_MALFORMED,
    Reason.FIELD_INVALID,
    Reason.PAGE_TOKEN_INVALID,
    Reason.DEADLINE_REQUIRED,
    Reason.ELEMENTS_INVALID,
}
_OTHERS = {
    Reason.QUOTA_DAY_EXCEEDED: code_pb2.RESOURCE_EXHAUSTED,
    Reason.STORAGE_FULL: code_pb2.RESOURCE_EXHAUSTED,
    Reason.STORAGE_SHARE_EXCEEDED: code_pb2.RESOURCE_EXHAUSTED,
    Reason.TOO_MANY_CALLS: code_pb2.RESOURCE_EXHAUSTED,
    Reason.EVALUATIONS_EXHAUSTED: code_pb2.RESOURCE_EXHAUSTED,
    Reason.CONTRIBUTION_EXISTS: code_pb2.ALREADY_EXISTS,
    Reason.REQUEST_ID_REUSED: code_pb2.ALREADY_EXISTS,
    Reason.OFFSET_OUT_OF_ORDER: code_pb2.ABORTED,
    Reason.RELEASE_LIMIT_EXCEEDED: code_pb2.RESOURCE_EXHAUSTED,
    Reason.CHUNK_CORRUPT: code_pb2.DATA_LOSS,
    Reason.RELEASE_CORRUPT: code_pb2.DATA_LOSS,
    Reason.TABLE_DIGEST_MISMATCH: code_pb2.DATA_LOSS,
    Reason.SHUTTING_DOWN: code_pb2.UNAVAILABLE,
    Reason.INTERNAL: code_pb2.INTERNAL,
    Reason.RUN_WORKER_FAILED: code_pb2.INTERNAL,
}
#: Seconds after which the same call may be tried again, where that is safe and can help.
_RETRY_SECONDS = {
    Reason.STORAGE_FULL: 60,
    Reason.TOO_MANY_CALLS: 1,
    Reason.SHUTTING_DOWN: 1,
    Reason.CHUNK_CORRUPT: 0,
    Reason.RELEASE_CORRUPT: 0,
    Reason.OFFSET_OUT_OF_ORDER: 0,
}
_GRPC_CODES = {code.value[0]: code for code in grpc.StatusCode}


def code_of(reason: Reason) -> int:
    """The ``google.rpc.Code`` that ``error_reason.proto`` gives the reason."""
    if reason in _PERMISSION_DENIED:
        return int(code_pb2.PERMISSION_DENIED)
    if reason in _NOT_FOUND:
        return int(code_pb2.NOT_FOUND)
    if reason in _INVALID_ARGUMENT:
        return int(code_pb2.INVALID_ARGUMENT)
    return int(_OTHERS.get(reason, code_pb2.FAILED_PRECONDITION))


def grpc_code(reason: Reason) -> grpc.StatusCode:
    """The same as grpc names it."""
    return _GRPC_CODES[code_of(reason)]


def status_of(refusal: Refusal) -> Any:
    """The ``google.rpc.Status``: ErrorInfo first, then the message in both languages."""
    status = status_pb2.Status(
        code=code_of(refusal.reason), message=f"{refusal.indonesian} / {refusal.english}"
    )
    details: list[Any] = [
        error_details_pb2.ErrorInfo(
            reason=refusal.reason.value, domain=DOMAIN, metadata=refusal.metadata
        ),
        error_details_pb2.LocalizedMessage(locale="id-ID", message=refusal.indonesian),
        error_details_pb2.LocalizedMessage(locale="en", message=refusal.english),
    ]
    if refusal.violations:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=v.field, description=v.description
                    )
                    for v in refusal.violations
                ]
            )
        )
    if refusal.reason in _RETRY_SECONDS:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromSeconds(_RETRY_SECONDS[refusal.reason])
        details.append(retry)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status
