"""The dry run: both sides of a matching in one process, on one's own files, with throw-away keys.

It measures linkage quality and leakage before anything is signed. Start at
:func:`padan_client.rehearse.run.run_rehearsal`. May import ``records`` and ``base``.
"""

from __future__ import annotations

from padan_client.rehearse.as_a_run import RehearsedFlow
from padan_client.rehearse.run import Quality, Rehearsal, run_rehearsal
from padan_client.rehearse.schema_file import SchemaFile, load_schema_file

__all__ = [
    "Quality",
    "Rehearsal",
    "RehearsedFlow",
    "SchemaFile",
    "load_schema_file",
    "run_rehearsal",
]
