"""What a check of an agreement reports: findings with a stable code, in two languages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from padan_linkage.crypto.software import software

#: Longer than any sentence that we write.
_LONGEST = 1000
#: Findings in one message; a file of a megabyte can have tens of thousands.
_MOST_TOLD = 100


class Severity(StrEnum):
    """An error keeps an agreement from being signed; a warning wants a second look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing wrong with an agreement.

    ``code`` is stable, for programs; ``where`` is the place in the file, such as
    ``flow[asn-status].quota``; ``id_text`` and ``en_text`` say what is wrong and what to do.
    """

    severity: Severity
    code: str
    where: str
    id_text: str
    en_text: str

    def __post_init__(self) -> None:
        """What a file is quoted with must not order a terminal about, nor fill a screen."""
        for name in ("where", "id_text", "en_text"):
            text: str = getattr(self, name)
            if not text.isprintable() or len(text) > _LONGEST:
                object.__setattr__(self, name, _quoted(text))


def _quoted(text: str) -> str:
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)


def error(code: str, where: str, id_text: str, en_text: str) -> Finding:
    """A finding that must be mended."""
    return Finding(Severity.ERROR, code, where, id_text, en_text)


def of_a_later_version(where: str, id_what: str, en_what: str) -> Finding:
    """That a file, so called, is of a form that a later version of Padan brought in."""
    return error(
        "format-later",
        where,
        f"{id_what} dibuat untuk Padan yang lebih baru; versi ini, {software()}, tidak membacanya. "
        "Pakai versi itu atau yang lebih baru.",
        f"{en_what} was made for a newer Padan; this version, {software()}, does not read it. Use "
        "that version or a newer one.",
    )


def warning(code: str, where: str, id_text: str, en_text: str) -> Finding:
    """A finding to think about."""
    return Finding(Severity.WARNING, code, where, id_text, en_text)


class AgreementError(Exception):
    """An agreement cannot be relied on; ``findings`` has every reason, at least one."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = tuple(findings)
        super().__init__("\n".join(f"{f.where}: {f.id_text}" for f in self._told()))

    def english(self) -> str:
        """The reasons in English, one a line."""
        return "\n".join(f"{f.where}: {f.en_text}" for f in self._told())

    def _told(self) -> tuple[Finding, ...]:
        """Those that a message has room for."""
        return self.findings[:_MOST_TOLD]
