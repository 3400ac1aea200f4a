"""Whether the label tables that a provider has published, and their seeds, are still whole.

For ``padan-server fsck``. Who signed a table is the serving provider's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from padan_linkage.direct.manifest import Manifest, ManifestError, TablePublication
from padan_linkage.direct.table import LabelTable, TableError, split_hashes
from padan_server.base.model import FlowKey
from padan_server.direct.seeds import SeedError, Seeds
from padan_server.roles.inspection import Flaw, FlawKind

_ALTERED = ("bukan yang ditandatangani", "not what was signed")


def table_flaws(tables_dir: Path, seeds_dir: Path | None) -> Iterator[Flaw]:
    """What is wrong with tables, against the roots in their manifests, and with their seeds."""
    folders = sorted(tables_dir.iterdir()) if tables_dir.is_dir() else []
    for folder in (f for f in folders if f.name[0] != "."):
        try:
            manifest = _whole(folder)
        except (ManifestError, TableError, OSError):
            yield Flaw(FlawKind.DAMAGED, f"{tables_dir.name}/{folder.name}", _ALTERED)
            continue
        if seeds_dir is not None:
            yield from _of_seed(seeds_dir, manifest)


def _whole(folder: Path) -> Manifest:
    found = TablePublication.read(folder)
    manifest = found.manifest
    if manifest.table != folder.name:
        raise ManifestError("table", "the folder has another name")
    hashes = LabelTable.open(found.rows, manifest.rows).chunk_hashes()
    split_hashes(hashes, manifest.rows, bytes.fromhex(manifest.root))
    return manifest


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
