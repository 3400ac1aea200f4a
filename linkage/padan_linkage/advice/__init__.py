"""Advice: which schema suits two files, and why.

Start at :func:`suggest`; :mod:`.direct` has the keys of direct mode. May import ``agreement`` (its
rules object before a party does), ``edition`` (the errors of files), ``direct``, ``crypto``,
``normalise``, ``answering`` and ``schema``.
"""

from __future__ import annotations

from padan_linkage.advice.fields import FieldChoice, LeftOut
from padan_linkage.advice.groups import joined_columns
from padan_linkage.advice.passes import PassChoice, Size
from padan_linkage.advice.remarks import Remark
from padan_linkage.advice.suggest import NoAdviceError, Suggestion, Wishes, suggest

__all__ = [
    "FieldChoice",
    "LeftOut",
    "NoAdviceError",
    "PassChoice",
    "Remark",
    "Size",
    "Suggestion",
    "Wishes",
    "joined_columns",
    "suggest",
]
