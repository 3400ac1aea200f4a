"""A sentence of advice in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Remark:
    """One sentence, Indonesian and English. It names columns and counts, never a value."""

    id_text: str
    en_text: str
