"""What the answers should be, worked out from the generated tables without the code under test.

Only the normaliser is shared with it: SESUAI means equal after normalising.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from padan_lab.generate import Demo
from padan_linkage.agreement import Flow
from padan_linkage.normalise import normalise, sound_values

Codes = frozenset[str]


def true_codes(flow: Flow, demo: Demo) -> list[Codes]:
    """The codes of every candidate, none where it is not in the registry."""
    columns = {name: demo.registry[name].to_pylist() for name in flow.registry}
    of_row = [
        frozenset(
            mapping[columns[name][row]]
            for name, mapping in flow.registry.items()
            if columns[name][row]
        )
        for row in range(demo.registry.num_rows)
    ]
    rows = demo.truth["registry_row"].to_pylist()
    return [frozenset() if row is None else of_row[row] for row in rows]


def given_codes(flow: Flow, table: pa.Table) -> list[Codes]:
    """The codes that each row of a result says, of all groups; none where it found nobody."""
    groups = dict.fromkeys(code.group for code in flow.codes)
    names = ["kode" if group == "status" else f"jawaban_{group}" for group in groups]
    return [
        frozenset(code for name in names for code in row[name].split("; ") if code)
        if row["hasil"] == "ditemukan"
        else frozenset()
        for row in table.select(["hasil", *names]).to_pylist()
    ]


@dataclass(frozen=True)
class FoundPeople:
    """``right``: found with exactly their codes; ``found``: found at all; ``listed``: in truth."""

    right: int
    found: int
    listed: int

    @property
    def precision(self) -> float:
        """Right among the found."""
        return self.right / self.found

    @property
    def recall(self) -> float:
        """Right among those who are in the registry."""
        return self.right / self.listed


def score(flow: Flow, demo: Demo, table: pa.Table) -> FoundPeople:
    """Compare a result table with the truth."""
    pairs = list(zip(true_codes(flow, demo), given_codes(flow, table), strict=True))
    return FoundPeople(
        right=sum(bool(true) and true == given for true, given in pairs),
        found=sum(bool(given) for _, given in pairs),
        listed=sum(bool(true) for true, _ in pairs),
    )


def true_check(flow: Flow, pass_id: str, name: str, mine: str, theirs: str) -> str:
    """What ``periksa_<name>`` should say of two normal values, the answer coming from a pass."""
    p = flow.schema.get_pass(pass_id)
    if name not in {*p.exact, *p.confirm}:
        return "TIDAK DIPERIKSA"
    if not theirs:
        return "KOSONG"
    if not mine:
        return "TIDAK DIPERIKSA"
    return "SESUAI" if mine == theirs else "BERBEDA"


def normal_values(flow: Flow, table: pa.Table) -> dict[str, list[str]]:
    """The confirmed fields of a table, normalised; a doubtful value is none."""
    return {
        name: sound_values(normalise(flow.schema.kind(name), table[name]).values).to_pylist()
        for name in flow.confirm
    }
