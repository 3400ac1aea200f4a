"""Rules for rows with few fields: what no pass or key is for can be called neither found nor not.

A row with an identifying number and nothing else, or one field more, has to be answered by some
pass of unit mode and some key of direct mode: one that asks for no more than the row has, and is
not for rows without it (``without``). Spec 40, "Lint".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from padan_linkage.agreement.findings import Finding, warning
from padan_linkage.agreement.group_sizes import STRONG_KINDS
from padan_linkage.agreement.model import Agreement, Mode
from padan_linkage.agreement.rules.structure import Rule, confirmations
from padan_linkage.direct.schema import DirectKey
from padan_linkage.schema import Pass, Schema


@dataclass(frozen=True)
class _Ways:
    """How rows of a list may be answered in one mode."""

    where: str
    schema: Schema
    ways: Sequence[Pass | DirectKey]

    def numbers(self) -> list[str]:
        """The identifying numbers that some way asks for, in the schema's order."""
        asked = {name for way in self.ways for name in way.named}
        strong = (f.name for f in self.schema.fields if f.kind in STRONG_KINDS)
        return [name for name in strong if name in asked]

    def unanswered(self, number: str) -> list[tuple[str, ...]]:
        """Rows with the number, or it and one field more, that no way finds for sure."""
        others = [f.name for f in self.schema.fields if f.name != number]
        rows: list[tuple[str, ...]] = [(number,), *((number, other) for other in others)]
        return [row for row in rows if not any(_finds(way, set(row)) for way in self.ways)]


def _finds(way: Pass | DirectKey, given: set[str]) -> bool:
    """Whether rows with these fields are found wherever they agree."""
    if not given.isdisjoint(way.without):
        return False
    if isinstance(way, Pass):
        return {*way.named, *(n for s in way.similar for n in s.fields)} <= given
    return any({part.partition(":")[0] for part in one} <= given for one in way.ways)


def vouched(a: Agreement) -> Iterator[Finding]:
    """Some pass, and some key, is for a number alone and for it with any one field."""
    for where, f in confirmations(a):
        if f.schema is None:
            continue
        asked: list[_Ways] = []
        if Mode.UNIT in f.modes:
            asked.append(_Ways(f"{where}.schema.passes", f.schema, f.schema.passes))
        if Mode.DIRECT in f.modes and f.direct is not None:
            asked.append(_Ways(f"{where}.direct.keys", f.schema, f.direct.keys))
        for ways in asked:
            yield from _unvouched(ways)


def _unvouched(ways: _Ways) -> Iterator[Finding]:
    for number in ways.numbers():
        rows = ways.unanswered(number)
        if not rows:
            continue
        named = "; ".join(" + ".join(row) for row in rows)
        yield warning(
            "found-never",
            ways.where,
            f"Baris yang hanya memuat {named} selalu belum dapat dipastikan: tidak ada yang "
            f'mencarinya. Tambahkan exact = ["{number}"] dengan without = ruas yang '
            "memastikan nomor itu di tempat lain.",
            f"Rows with {named} alone are always undecided: nothing looks for them. Add exact = "
            f'["{number}"], without = the fields that confirm this number elsewhere.',
        )


FEW_FIELDS: tuple[Rule, ...] = (vouched,)
