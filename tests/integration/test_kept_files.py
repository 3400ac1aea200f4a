"""Every kind of file that a home or a server keeps is known here, and is under a format number.

Whoever adds a kind adds a line, and whoever changes the form of one counts up the number that it is
under: ``HOME_FORMAT`` of homes, the newest migration of data directories.
"""

from __future__ import annotations

import re

from agency import people, registry_table, small_passes

from padan_client import ProviderClient, RequesterClient

#: By home: what lies there after a registry, a list and a question, by pattern.
HOME = (
    r"format\.json",
    r"identity\.json",
    r"[a-z]+\.public\.json",
    r"client\.toml",
    r"\.lock",
    r"epochs/.+/\d+\.(json|key)",
    r"heads/(unit|provider/[a-z0-9-]+)/[a-z0-9-]+\.json(\.lock)?",
    r"jobs/.+\.(job|lock)",
    r"lists/.+\.(sealed|lock)",
    r"registries/.+\.cover",
    r"unit/registries/.+\.sealed",
)
DATA = (
    r"mark\.json",
    r"lock",
    r"page-token\.key",
    r"unit\.sqlite(-wal|-shm|-count|-sums)?",
    r"datasets/[0-9a-f]{32}/(calibrations|sums)\.json",
    r"runs/[0-9a-f]{32}/(sums\.json|[a-z]+/(sums\.json|[a-z_]+\.npy))",
    r"datasets/[0-9a-f]{32}/[a-z]+/[a-z_]+\.(npy|sums|json)",
    r"datasets/[0-9a-f]{32}/[a-z]+/directory/(directory\.json|[a-z]+\.npy)",
    r"meters/.+",
    r"questions-\d+\.journal",
)


def unknown(folder, kinds):
    """Files of no known kind, by path."""
    names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    return sorted(n for n in names if not any(re.fullmatch(kind, n) for kind in kinds))


def test_nothing_is_kept_that_no_format_number_counts(make_pair):
    pair, persons = make_pair(edit=small_passes), people(40, seed=5)
    with ProviderClient(pair.provider, *pair.names) as client:
        client.publish(registry_table(persons), id_column="id", status_column="status")
    with RequesterClient(pair.requester, *pair.names) as client:
        client.confirm(persons[:20])
        client.confirm_one(persons[0])
    assert unknown(pair.unit.house.data_dir, DATA) == []
    for home in (pair.provider, pair.requester):
        assert unknown(home.folder, HOME) == []
    (pair.provider.folder / "new-kind.bin").touch()
    assert unknown(pair.provider.folder, HOME) == ["new-kind.bin"]
