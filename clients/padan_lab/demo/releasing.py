"""The demonstration of a flow that releases: two versions of each line, published and received."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from padan_client.base.language import t
from padan_lab.demo.deployment import Deployment
from padan_lab.demo.release_samples import applicants, more_applicants, reference_lists
from padan_lab.demo.stopwatch import Stopwatch
from padan_linkage.agreement import Flow, FlowKind, ReleaseLine

_COUNT, _EVERYTHING = "jumlah", "(semua)"
#: With fewer rows to count nearly every cell would be small, with many more none.
_ROWS = 30_000
#: How a folded category is written.
_OTHERS = "(lainnya)"


@dataclass(frozen=True)
class Passed:
    """One version that went from publisher to receiver.

    ``wrong``: rows that are not what the publisher's file says; ``small``: counts below the
    agreed minimum that came through. Both are counted from the files alone.
    """

    line: str
    version: int
    publisher: str
    receiver: str
    rows: int
    withheld: int
    sensitive: int
    changes: dict[str, list[str]] | None
    wrong: int
    small: int

    @property
    def verified(self) -> bool:
        """Whether everything received is true and nothing small came through."""
        return not self.wrong and not self.small

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {**self.__dict__, "verified": self.verified}


def release_all(site: Deployment, flow: Flow, seed: int, clock: Stopwatch) -> list[Passed]:
    """Publish and fetch two versions of every line of the flow; the unit runs already."""
    passed = []
    for line in flow.lines:
        for number, table in enumerate(_versions(flow, line, seed), 1):
            text = t(f"{line.id} versi {number}", f"{line.id} version {number}")
            with clock.stage(f"{line.id}-{number}", text):
                passed.append(_pass(site, flow, line, number, table))
    return passed


def _versions(flow: Flow, line: ReleaseLine, seed: int) -> tuple[pa.Table, pa.Table]:
    if flow.kind is FlowKind.AGGREGATE:
        first = applicants(_ROWS, seed)
        return first, more_applicants(first, seed)
    return reference_lists()[line.id]


def _pass(site: Deployment, flow: Flow, line: ReleaseLine, number: int, table: pa.Table) -> Passed:
    source = site.folder / "data" / f"{line.id}-{number}.csv"
    target = site.folder / f"{line.id}-{number}.csv"
    pacsv.write_csv(table, source)
    where = ("-a", site.agreement_id, "-f", flow.id, "--line", line.id)
    counting = flow.kind is FlowKind.AGGREGATE
    distinct = ("--id", "no") if counting else ()
    told = site.run(
        line.publisher, "release", "publish", str(source), *where, *distinct, as_json=True
    )
    got = site.run(line.receiver, "release", "get", *where, "--out", str(target), as_json=True)
    check = _check_counts if counting else _check_list
    wrong, small = check(flow, table, target)
    return Passed(
        line=line.id,
        version=int(got["version"]),
        publisher=line.publisher,
        receiver=line.receiver,
        rows=int(got["rows"]),
        withheld=int(got["withheld"]),
        sensitive=int(told["sensitive"]),
        changes=got["changes"],
        wrong=wrong,
        small=small,
    )


def _check_counts(flow: Flow, table: pa.Table, received: Path) -> tuple[int, int]:
    """Wrong and small counts among those received, counted again from the publisher's rows."""
    shown = _rows(received)
    named = {d: {row[d] for row in shown} - {_EVERYTHING, _OTHERS} for d in flow.dimensions}
    columns = {
        d: [v if v in named[d] else _OTHERS for v in table[d].to_pylist()] for d in flow.dimensions
    }
    counts: dict[tuple[str, ...], Counter[tuple[str, ...]]] = {}
    wrong = small = 0
    for row in (r for r in shown if r[_COUNT]):
        by = tuple(d for d in flow.dimensions if row[d] != _EVERYTHING)
        if by not in counts:
            counts[by] = Counter(zip(*(columns[d] for d in by), strict=True))
        true = counts[by][tuple(row[d] for d in by)] if by else table.num_rows
        wrong += int(row[_COUNT]) != true
        small += int(row[_COUNT]) < (flow.minimum_cell or 1)
    return wrong, small


def _check_list(flow: Flow, table: pa.Table, received: Path) -> tuple[int, int]:
    """Entries that differ between the publisher's file and what was received; none is small."""
    del flow
    mine = {tuple(row.values()) for row in table.to_pylist()}
    theirs = {tuple(row.values()) for row in _rows(received)}
    return len(mine ^ theirs), 0


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
