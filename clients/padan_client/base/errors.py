"""Errors that reach a user of the client. No message ever shows a record's value."""

from __future__ import annotations

from collections.abc import Mapping


class PadanError(Exception):
    """Base of all errors that the client raises on purpose; ``exit_code`` is the CLI's.

    ``reason``: a stable name of the cause, where spec 50 has one; else empty.
    """

    exit_code = 1

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class BadInputError(PadanError):
    """A file, row or field cannot be used; the message says which, why and what to do."""

    exit_code = 3


class RefusedError(PadanError):
    """The server refused; ``reason`` is an ErrorReason name without its prefix."""

    exit_code = 4

    def __init__(
        self, message: str, reason: str = "", metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, reason)
        self.metadata = dict(metadata or {})


class MismatchError(RefusedError):
    """Key, schema, normaliser version or epoch differ between the two sides."""

    exit_code = 5


class UnavailableError(PadanError):
    """The server cannot be reached, or did not answer in time; nothing acknowledged was lost.

    ``silent_seconds``: how long it was waited for in vain, 0 where it failed at once.
    """

    exit_code = 6

    def __init__(self, message: str, reason: str = "", silent_seconds: float = 0.0) -> None:
        super().__init__(message, reason)
        self.silent_seconds = silent_seconds


class BusyError(UnavailableError):
    """The server has too much to do just now, and says in how many seconds to ask again."""

    def __init__(self, message: str, reason: str, retry_seconds: float) -> None:
        super().__init__(message, reason)
        self.retry_seconds = retry_seconds


class VerificationError(PadanError):
    """A signature, seal or digest does not verify: do not go on."""

    exit_code = 7
