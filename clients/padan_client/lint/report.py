"""What the linter found, counted: no value, no row of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from padan_client.lint.texts import EXPECTED, Verdict, advice_text, problem_text, severity
from padan_linkage.schema import Kind


@dataclass(frozen=True)
class DataFinding:
    """``count`` of ``of`` values of a field show ``code``."""

    field: str
    kind: Kind
    column: str
    code: str
    count: int
    of: int

    @property
    def share(self) -> float:
        """Share of the values that could show it."""
        return self.count / self.of if self.of else 0.0

    @property
    def expected(self) -> float | None:
        """The share measured in real Indonesian files, if it was measured."""
        return EXPECTED.get((self.kind, self.code), EXPECTED.get((None, self.code)))

    @property
    def verdict(self) -> Verdict:
        """How the share compares with the usual one."""
        return Verdict.of(self.share, self.expected)

    @property
    def severity(self) -> str:
        """``ditolak``, ``periksa`` or ``catatan``."""
        return severity(self.code)

    @property
    def text(self) -> str:
        """What it is, in the reader's language."""
        return problem_text(self.code, self.kind)

    @property
    def advice(self) -> str:
        """What to do about it."""
        return advice_text(self.code)


@dataclass(frozen=True)
class ColumnCount:
    """Of ``rows`` values of a field ``filled`` say something; ``troubled`` need work."""

    field: str
    kind: Kind
    column: str
    filled: int
    troubled: int


@dataclass(frozen=True)
class LintReport:
    """The whole result of a pass over a file.

    ``quarantined``: rows with a note, of which there are ``notes``.
    """

    file: str
    rows: int
    columns: tuple[ColumnCount, ...]
    findings: tuple[DataFinding, ...]
    absent: tuple[str, ...]
    quarantined: int
    notes: int

    def worst_first(self) -> list[ColumnCount]:
        """Columns by the share of their values that need work."""
        return sorted(self.columns, key=lambda c: -c.troubled / max(1, c.filled))

    def as_json(self) -> dict[str, object]:
        """The keys that scripts rely on."""
        return {
            "file": self.file,
            "rows": self.rows,
            "quarantined": self.quarantined,
            "notes": self.notes,
            "absent_fields": list(self.absent),
            "columns": [dict(self._column(c)) for c in self.worst_first()],
            "findings": [
                {
                    "field": f.field, "column": f.column, "code": f.code, "severity": f.severity,
                    "count": f.count, "of": f.of, "share": round(f.share, 6),
                    "expected": f.expected, "verdict": f.verdict.value, "text": f.text,
                    "advice": f.advice,
                }
                for f in self.findings
            ],
        }  # fmt: skip

    def _column(self, c: ColumnCount) -> Iterator[tuple[str, object]]:
        yield from (("field", c.field), ("kind", c.kind.value), ("column", c.column))
        yield from (("filled", c.filled), ("empty", self.rows - c.filled), ("troubled", c.troubled))
