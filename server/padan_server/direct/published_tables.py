"""The folder that label tables are published into, read back: what is damaged of it is named.

And which of the published tables answer together: one that is missing among them is damage too, or
the table before it would answer in its place.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from padan_linkage.crypto.merkle import leaf_hash
from padan_linkage.direct.manifest import (
    MANIFEST_FILE,
    MAX_MANIFEST_BYTES,
    ROWS_FILE,
    SIGNATURE_FILE,
    FormerManifestError,
    Manifest,
    ManifestError,
    SequenceError,
    TablePublication,
    in_order,
    parse_manifest,
)
from padan_linkage.direct.table import (
    CHUNK_BYTES,
    ROW_BYTES,
    TableError,
    chunk_count,
    split_hashes,
)
from padan_server.base.damage import LATER, DamagedFileError, MissingFileError
from padan_server.base.ordinary import ordinary_file
from padan_server.store.files.sums import Pace, at_once, unreadable

_ALTERED = ("bukan yang ditandatangani", "not what was signed")
#: What helps where nothing can be restored.
_REMEDY = (
    "pulihkan, atau terbitkan basis baru dengan padan publish --mode direct",
    "restore it, or publish a new base with padan publish --mode direct",
)


class FormerTableError(DamagedFileError):
    """A table of a form that this version of Padan has left: it answers nobody any more."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"{table}/{MANIFEST_FILE}",
            "dibuat Padan versi terdahulu dan tidak dipakai lagi; terbitkan basis baru dengan "
            "padan publish --mode direct",
            "made by an earlier Padan and used no more; publish a new base with padan publish "
            "--mode direct",
        )


class TableFolder:
    """One table's folder; ``name`` is what damage, log and refusals call it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = f"{path.parent.name}/{path.name}"

    def publication(self) -> TablePublication:
        """Manifest and signature; DamagedFileError that names the file.

        Who signed, and the rows, are not looked at.
        """
        document = self._content(MANIFEST_FILE, MAX_MANIFEST_BYTES)
        signature = self._content(SIGNATURE_FILE, MAX_MANIFEST_BYTES)
        try:
            manifest = parse_manifest(document)
        except FormerManifestError:
            raise FormerTableError(self.name) from None
        except ManifestError as e:
            if e.later:
                raise DamagedFileError(f"{self.name}/{MANIFEST_FILE}", *LATER) from None
            raise self.altered(MANIFEST_FILE) from None
        return TablePublication(manifest, document, signature, self.path / ROWS_FILE)

    def chunk_hashes(self, manifest: Manifest, pace: Pace = at_once) -> bytes:
        """Hashes of the chunks of its rows; DamagedFileError if they are not the manifest's."""
        found = bytearray()
        try:
            with ordinary_file(self.path / ROWS_FILE) as file:
                if os.fstat(file.fileno()).st_size != manifest.rows * ROW_BYTES:
                    raise self.altered(ROWS_FILE)
                for _ in range(chunk_count(manifest.rows)):
                    pace(CHUNK_BYTES)
                    found += leaf_hash(file.read(CHUNK_BYTES))
            split_hashes(bytes(found), manifest.rows, bytes.fromhex(manifest.root))
        except DamagedFileError:
            raise
        except OSError as e:
            raise self.unread(e, ROWS_FILE) from None
        except TableError:
            raise self.altered(ROWS_FILE) from None
        return bytes(found)

    def altered(self, file: str) -> DamagedFileError:
        """A file of it is not what was signed."""
        return DamagedFileError(f"{self.name}/{file}", *_ALTERED)

    def missing(self) -> MissingFileError:
        """It is not there, and has to answer."""
        problem = f"hilang; {_REMEDY[0]}", f"missing; {_REMEDY[1]}"
        return MissingFileError(self.name, *problem)

    def unread(self, error: OSError, file: str) -> OSError:
        """A file of it cannot be read; or the folder itself is gone."""
        if not self.path.exists():
            return self.missing()
        return unreadable(f"{self.name}/{file}", error)

    def _content(self, file: str, most: int) -> bytes:
        try:
            with ordinary_file(self.path / file) as opened:
                return opened.read(most + 1)
        except OSError as e:
            raise self.unread(e, file) from None


class TablesFolder:
    """The folder of all tables."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        """The tables that lie in it; a publisher's drafts begin with a dot. Raises OSError."""
        return sorted(p.name for p in self.path.iterdir() if p.name[0] != ".")

    def table(self, table_id: str) -> TableFolder:
        """One table's folder, whether it is there or not."""
        return TableFolder(self.path / table_id)

    def answering(
        self, published: Collection[Manifest], now: datetime, ended: Collection[str] = ()
    ) -> list[Manifest]:
        """Of what was published for a flow, the newest base and its deltas, oldest first.

        ``ended``: ids of tables of which it is known that their time is over. Raises
        DamagedFileError where a table that the order needs is not among them.
        """
        # Spec 60, "What stands".
        try:
            chain = in_order(published, now)
        except SequenceError as e:
            raise self._before(e.delta) from None
        known = {m.table for m in published}
        for delta in (m for m in published if m.base is not None and now < m.expires_at):
            lost = delta.base not in known and delta.base not in ended
            if lost and (not chain or _age(delta) > _age(chain[0])):
                raise self._before(delta)
        return chain

    def unread(self, error: OSError) -> OSError:
        """It cannot be listed."""
        return unreadable(self.path.name, error)

    def _before(self, delta: Manifest) -> DamagedFileError:
        """What a delta follows on is missing."""
        number = delta.sequence
        problem = (
            f"tabel sebelum delta {number} ini hilang; {_REMEDY[0]}",
            f"the table before this delta {number} is missing; {_REMEDY[1]}",
        )
        return MissingFileError(self.table(delta.table).name, *problem)


def _age(manifest: Manifest) -> tuple[int, str]:
    return manifest.epoch, manifest.created
