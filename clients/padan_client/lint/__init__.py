"""``padan lint-data``: what is wrong with a file, before it is used for anything.

Start at :func:`.run.lint`. A file of any length streams through in one pass and constant memory;
nothing of it is changed, and no value of it is shown, logged or written anywhere. May import
``records`` and ``base``.
"""

from __future__ import annotations

from padan_client.lint.columns import CheckedColumn, fields_of_file, fields_of_schema
from padan_client.lint.report import LintReport
from padan_client.lint.run import lint

__all__ = ["CheckedColumn", "LintReport", "fields_of_file", "fields_of_schema", "lint"]
