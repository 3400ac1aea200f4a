"""Lint a schema file, or every schema of an agreement, for weak hardening."""

from __future__ import annotations

import codecs
from dataclasses import replace
from pathlib import Path

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.rehearse.schema_file import load_schema_file
from padan_linkage.agreement import (
    Agreement,
    AgreementError,
    Finding,
    Severity,
    load_agreement,
    pass_findings,
    read_bounded,
    read_toml,
    schema_findings,
)

#: Where neither the command nor the file says how large the registry is: a large district's.
DEFAULT_ROWS = 1_000_000


def lint_file(path: Path, rows: int | None) -> tuple[list[Finding], int | None]:
    """Findings about ``path``, errors first, and the size that they are for.

    ``rows`` overrules what the file says. An agreement names a size for each flow, and the size
    given back is None unless ``rows`` overrules them all. Raises BadInputError.
    """
    if _is_agreement(path):
        found, size = list(pass_findings(_resized(_agreement(path), rows))), rows
    else:
        file = load_schema_file(path)
        size = rows or file.rows or DEFAULT_ROWS
        found = schema_findings(file.schema, size, measured=file.values)
    return sorted(found, key=lambda f: f.severity is not Severity.ERROR), size


def _is_agreement(path: Path) -> bool:
    """Whether the file has the tables of an agreement; a file that cannot be read has not."""
    try:
        return "flow" in read_toml(read_bounded(path).removeprefix(codecs.BOM_UTF8))
    except (OSError, ValueError):
        return False


def _agreement(path: Path) -> Agreement:
    try:
        return load_agreement(read_bounded(path))
    except AgreementError as e:
        raise BadInputError(t(str(e), e.english())) from e


def _resized(agreement: Agreement, rows: int | None) -> Agreement:
    """The agreement as if every registry had ``rows`` rows and no list more."""
    if rows is None:
        return agreement
    flows = tuple(replace(f, expected_records=rows, quota=None) for f in agreement.flows)
    return agreement.model_copy(update={"flows": flows})
