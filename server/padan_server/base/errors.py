"""Refusals: what a server says when it will not do what it was asked.

Domain code raises :class:`Refusal`; ``services/status.py`` alone turns it into a
``google.rpc.Status``. No message or metadata ever shows a value, token, key or sealed code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Names of ``padan.v1.ErrorReason`` without their prefix; a test keeps the two equal."""

    CALLER_UNKNOWN = "CALLER_UNKNOWN"
    AGREEMENT_NOT_FOUND = "AGREEMENT_NOT_FOUND"
    FLOW_NOT_FOUND = "FLOW_NOT_FOUND"
    ROLE_NOT_PERMITTED = "ROLE_NOT_PERMITTED"
    MODE_NOT_PERMITTED = "MODE_NOT_PERMITTED"
    AGREEMENT_NOT_STARTED = "AGREEMENT_NOT_STARTED"
    AGREEMENT_EXPIRED = "AGREEMENT_EXPIRED"
    AGREEMENT_SUSPENDED = "AGREEMENT_SUSPENDED"
    AGREEMENT_SUPERSEDED = "AGREEMENT_SUPERSEDED"
    QUOTA_DAY_EXCEEDED = "QUOTA_DAY_EXCEEDED"
    QUOTA_LIST_EXCEEDED = "QUOTA_LIST_EXCEEDED"
    BATCH_TOO_SMALL = "BATCH_TOO_SMALL"
    SCHEMA_MISMATCH = "SCHEMA_MISMATCH"
    NORMALISER_MISMATCH = "NORMALISER_MISMATCH"
    KEY_CHECK_MISMATCH = "KEY_CHECK_MISMATCH"
    EPOCH_MISMATCH = "EPOCH_MISMATCH"
    CONTRIBUTION_INVALID = "CONTRIBUTION_INVALID"
    CONTRIBUTION_EXISTS = "CONTRIBUTION_EXISTS"
    DATASET_NOT_FOUND = "DATASET_NOT_FOUND"
    DATASET_STATE_INVALID = "DATASET_STATE_INVALID"
    REGISTRY_NOT_PUBLISHED = "REGISTRY_NOT_PUBLISHED"
    TABLES_INVALID = "TABLES_INVALID"
    OFFSET_OUT_OF_ORDER = "OFFSET_OUT_OF_ORDER"
    CHUNK_CORRUPT = "CHUNK_CORRUPT"
    TABLE_DIGEST_MISMATCH = "TABLE_DIGEST_MISMATCH"
    ROWS_MALFORMED = "ROWS_MALFORMED"
    TABLE_INCOMPLETE = "TABLE_INCOMPLETE"
    STORAGE_SHARE_EXCEEDED = "STORAGE_SHARE_EXCEEDED"
    RUN_NOT_FOUND = "RUN_NOT_FOUND"
    RUN_NOT_SUCCEEDED = "RUN_NOT_SUCCEEDED"
    RUN_WORKER_FAILED = "RUN_WORKER_FAILED"
    FIELD_INVALID = "FIELD_INVALID"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"  # noqa: S105 - a reason, not a password
    DEADLINE_REQUIRED = "DEADLINE_REQUIRED"
    STORAGE_FULL = "STORAGE_FULL"
    SHUTTING_DOWN = "SHUTTING_DOWN"
    INTERNAL = "INTERNAL"
    TOO_MANY_CALLS = "TOO_MANY_CALLS"
    LIST_NOT_FOUND = "LIST_NOT_FOUND"
    ELEMENTS_INVALID = "ELEMENTS_INVALID"
    CHUNK_NOT_COMMITTED = "CHUNK_NOT_COMMITTED"
    EVALUATIONS_EXHAUSTED = "EVALUATIONS_EXHAUSTED"
    TABLE_NOT_FOUND = "TABLE_NOT_FOUND"
    TABLE_EXPIRED = "TABLE_EXPIRED"
    RELEASE_NOT_FOUND = "RELEASE_NOT_FOUND"
    RELEASE_OUT_OF_ORDER = "RELEASE_OUT_OF_ORDER"
    RELEASE_LIMIT_EXCEEDED = "RELEASE_LIMIT_EXCEEDED"
    RELEASE_CORRUPT = "RELEASE_CORRUPT"


@dataclass(frozen=True)
class Violation:
    """One field that is missing or out of range, by its path in the request."""

    field: str
    description: str


class Refusal(Exception):
    """A call that is refused, with its reason and what to do, in two languages.

    ``metadata`` goes into ``ErrorInfo.metadata``; refusals that rest on the agreement carry
    ``agreement``, ``flow`` and ``article`` there.
    """

    def __init__(
        self,
        reason: Reason,
        indonesian: str,
        english: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
    ) -> None:
        super().__init__(f"{indonesian} / {english}")
        self.reason = reason
        self.indonesian = indonesian
        self.english = english
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)


def field_invalid(field: str, indonesian: str, english: str) -> Refusal:
    """The refusal of one field of a request."""
    return Refusal(
        Reason.FIELD_INVALID,
        f"Isian {field}: {indonesian}",
        f"Field {field}: {english}",
        metadata={"field": field},
        violations=[Violation(field, english)],
    )


def storage_full() -> Refusal:
    """The refusal of a write for which the disk has no room."""
    return Refusal(
        Reason.STORAGE_FULL,
        "Ruang simpan server penuh; yang sudah dikonfirmasi tetap aman. Coba lagi nanti.",
        "The server's disk is full; nothing acknowledged was lost. Try again later.",
    )


def shutting_down() -> Refusal:
    """The refusal of a call while the server stops."""
    return Refusal(
        Reason.SHUTTING_DOWN,
        "Server sedang dimatikan; ulangi permintaan sebentar lagi.",
        "The server is shutting down; repeat the call in a moment.",
    )
