"""Refusals: what a server says when it will not do what it was asked.

Domain code raises :class:`Refusal` with a reason and the fields of its sentence;
``services/guard/status.py`` alone turns it into a ``google.rpc.Status``, worded from
``proto/reasons.toml``. No message or metadata ever shows a value, token, key or sealed code.
"""

from __future__ import annotations

from dataclasses import dataclass

from padan.v1.reason_texts import WORDINGS, Reason

__all__ = ["Reason", "Refusal", "Violation", "field_invalid"]


@dataclass(frozen=True)
class Violation:
    """One field that is missing or out of range, by its path in the request."""

    field: str
    indonesian: str
    english: str


class Refusal(Exception):
    """A call that is refused. ``fields`` become the text of ``ErrorInfo.metadata``.

    A refusal that rests on the agreement carries ``agreement``, ``flow`` and ``article``. Raises
    TypeError for a field that ``proto/reasons.toml`` does not give the reason.
    """

    def __init__(self, reason: Reason, /, *violations: Violation, **fields: str | int) -> None:
        unknown = fields.keys() - set(WORDINGS[reason].metadata)
        if unknown:
            raise TypeError(f"{reason} carries no {', '.join(sorted(unknown))}")
        super().__init__(reason.value)
        self.reason = reason
        self.metadata = {name: str(value) for name, value in fields.items()}
        self.violations = violations


def field_invalid(field: str, indonesian: str, english: str) -> Refusal:
    """The refusal of one field of a request."""
    return Refusal(Reason.FIELD_INVALID, Violation(field, indonesian, english), field=field)
