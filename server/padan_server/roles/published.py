"""Whether the label tables that a provider has published, and their seeds, are still whole.

For ``padan-server fsck`` and a provider's scrub. Who signed a table is the serving provider's
business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from padan_linkage.crypto.merkle import leaf_hash
from padan_linkage.direct.manifest import Manifest, ManifestError, TablePublication
from padan_linkage.direct.table import (
    CHUNK_BYTES,
    LabelTable,
    TableError,
    chunk_count,
    split_hashes,
)
from padan_server.base.model import FlowKey
from padan_server.direct.seeds import SeedError, Seeds
from padan_server.roles.inspection import Flaw, FlawKind
from padan_server.store.files.sums import Pace, at_once

_ALTERED = ("bukan yang ditandatangani", "not what was signed")


def table_flaws(
    tables_dir: Path,
    seeds_dir: Path | None,
    pace: Pace = at_once,
    is_served: Callable[[str], bool] = lambda _table: True,
) -> Iterator[Flaw]:
    """What is wrong with tables, against the roots in their manifests, and with their seeds.

    ``is_served``: whether a table is to be looked at; one that is erased meanwhile is no flaw.
    """
    folders = sorted(tables_dir.iterdir()) if tables_dir.is_dir() else []
    for folder in (f for f in folders if f.name[0] != "." and is_served(f.name)):
        try:
            manifest = _whole(folder, pace)
        except (ManifestError, TableError, OSError):
            if not is_served(folder.name):
                continue
            yield Flaw(FlawKind.DAMAGED, f"{tables_dir.name}/{folder.name}", _ALTERED)
            continue
        if seeds_dir is not None and is_served(folder.name):
            yield from _of_seed(seeds_dir, manifest)


def _whole(folder: Path, pace: Pace) -> Manifest:
    found = TablePublication.read(folder)
    manifest = found.manifest
    if manifest.table != folder.name:
        raise ManifestError("table", "the folder has another name")
    hashes = _hashes(LabelTable.open(found.rows, manifest.rows), pace)
    split_hashes(hashes, manifest.rows, bytes.fromhex(manifest.root))
    return manifest


def _hashes(table: LabelTable, pace: Pace) -> bytes:
    found = bytearray()
    for number in range(chunk_count(len(table))):
        pace(CHUNK_BYTES)
        found += leaf_hash(table.chunk(number))
    return bytes(found)


def _of_seed(seeds_dir: Path, manifest: Manifest) -> Iterator[Flaw]:
    digest = bytes.fromhex(manifest.agreement_digest)
    key = FlowKey(manifest.agreement, digest, manifest.flow)
    place = f"{seeds_dir.name}/{key.agreement}/{key.flow}/{manifest.epoch}.seed"
    try:
        given = Seeds(seeds_dir).public_key(key, manifest.epoch)
    except SeedError as e:
        kind = FlawKind.MISSING if str(e) == "missing" else FlawKind.DAMAGED
        yield Flaw(kind, place, (f"tidak dapat dipakai: {e}", f"cannot be used: {e}"))
        return
    if given.hex() != manifest.public_key:
        yield Flaw(FlawKind.DAMAGED, place, ("kuncinya lain", "its key is another"))
