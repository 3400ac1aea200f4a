"""What stands written after a play: quotas, records, files. Compared with an undisturbed one's."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass

from errands import rows_of
from scene import Scene

_QUERIES = {
    "unit": {
        "used": "SELECT sum(used) FROM quota_days WHERE flow = 'asn-status'",
        "releases charged": "SELECT sum(used) FROM quota_days WHERE flow <> 'asn-status'",
        "runs": "SELECT state, count(*) FROM runs GROUP BY state",
        "datasets": "SELECT owner, state, count(*) FROM datasets GROUP BY owner, state",
        "joined": "SELECT party, epoch FROM contributions ORDER BY party, epoch",
        "suspensions": "SELECT party FROM suspensions",
        "releases": "SELECT line, version, erased FROM releases",
    },
    "provider": {
        "elements used": "SELECT sum(used) FROM quota_days",
        "keys": "SELECT sum(used) FROM evaluation_keys",
        "lists": "SELECT count(*), sum(element_count), sum(evaluated_count) FROM blinded_lists",
        "tables": "SELECT count(*), count(destroy_time) FROM label_tables",
    },
}
_ID = re.compile(r"[0-9a-f]{16,64}")
#: What says nothing: locks that a dead process held, what stores and the ledger keep while they are
#: open, what is made again when it is missing, the registry before the last (which the next update
#: erases), and whole releases that nobody recorded.
_PASSING = re.compile(
    r"(^|/)(\.?lock|[^/]*\.lock|client\.toml|questions-\d+\.journal)$|\.sqlite-(wal|shm|count|sums)$"
    r"|/directory/|^homes/bkn/unit/registries/|^unit-data/aside/[0-9-]+\.release\."
)


@dataclass(frozen=True)
class Books:
    """``said``: what the databases say. ``used``: records charged to the flow. ``files``: names
    without ids, how many of each. ``results``: digests of what was handed out.
    """

    said: dict[str, object]
    used: int
    files: Counter[str]
    results: dict[str, str]

    @classmethod
    def of(cls, scene: Scene) -> Books:
        """Those of a scene in which nothing runs."""
        said = {
            f"{server}: {name}": rows_of(scene, server, query)
            for server, queries in _QUERIES.items()
            for name, query in queries.items()
        }
        used = said.pop("unit: used")
        paths = [path for path in scene.state.rglob("*") if path.is_file()]
        names = [path.relative_to(scene.state).as_posix() for path in paths]
        files = Counter(_ID.sub("*", name) for name in names if not _PASSING.search(name))
        results = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(scene.out(".").glob("positions*"))
        }
        return cls(said, used[0][0] or 0 if used else 0, files, results)

    def differences(self, wanted: Books, *, ahead: int) -> list[str]:
        """How these are not the wanted ones; ``ahead``: records that may be charged too much."""
        found = [
            f"{name}: {self.said[name]}, not {value}"
            for name, value in wanted.said.items()
            if self.said[name] != value
        ]
        if not 0 <= self.used - wanted.used <= ahead:
            found.append(f"charged: {self.used}, not {wanted.used}")
        found += [
            f"too many files: {n} x {name}" for name, n in (self.files - wanted.files).items()
        ]
        found += [f"missing files: {n} x {name}" for name, n in (wanted.files - self.files).items()]
        if self.results != wanted.results:
            found.append("results differ")
        return found
