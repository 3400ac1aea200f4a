"""The requester's copies of label tables: downloaded once, verified chunk by chunk, kept.

A table's folder holds its manifest, its signature, the hashes of its chunks and its rows; rows that
are still on their way are in ``rows.part``. What a provider signed is kept beside them for good:
were it to give another requester another key for the same epoch, these manifests prove it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from padan_client.base.errors import BadInputError, VerificationError
from padan_client.base.files import ensure_private_folder, read_plain, sync, write_private
from padan_client.base.language import t
from padan_client.base.ownership import lies, require_plain
from padan_client.base.place import FlowPlace
from padan_linkage.direct.labelling.lookup import SourceTable
from padan_linkage.direct.manifest import (
    MANIFEST_FILE,
    ROWS_FILE,
    SIGNATURE_FILE,
    FormerManifestError,
    Manifest,
    ManifestError,
    TablePublication,
    contradiction,
)
from padan_linkage.direct.table import (
    CHUNK_BYTES,
    LabelTable,
    TableError,
    split_hashes,
    verify_chunk,
)

_PART = "rows.part"
_CONTRADICTIONS = "contradictions"


@dataclass(frozen=True, repr=False)
class Offered:
    """A table that the provider lists, its manifest verified, its chunk hashes fit the root."""

    manifest: Manifest
    document: bytes
    signature: bytes
    leaves: list[bytes]

    def __repr__(self) -> str:
        return f"Offered({self.manifest.table!r})"


class _Seen(BaseModel):
    """What this requester has been shown of a flow: it never goes back."""

    #: A home of form 1 also names the one key of each epoch here: of tables that are of no use now.
    model_config = ConfigDict(extra="ignore")

    epoch: int = 0
    created: str = ""
    table: str = ""
    sequence: int = 0


class TableCache:
    """The tables of one flow of one agreement."""

    def __init__(self, folder: Path, place: FlowPlace) -> None:
        digest = place.digest.hex()[:16]
        self._folder = folder / place.agreement.id / digest / place.flow.id

    def accept(self, tables: list[Offered]) -> None:
        """Note what is offered now, a base and its deltas, and keep what was signed.

        Raises VerificationError where the provider goes back: to an older table than it has shown,
        or to fewer deltas; and where it signed what cannot be true beside a manifest that is kept
        here, as other public keys for an epoch, which keeps both.
        """
        for table in tables:
            self._require_consistent(table)
        base, last = tables[0].manifest, tables[-1].manifest
        seen = self._seen()
        newest = (seen.epoch, seen.created, seen.sequence if seen.table == base.table else 0)
        if (base.epoch, base.created, last.sequence) < newest:
            raise _gone_back()
        for table in tables:
            self._keep(table)
        now = _Seen(
            epoch=base.epoch, created=base.created, table=base.table, sequence=last.sequence
        )
        if now != seen:
            write_private(self._folder / "seen.json", now.model_dump_json(indent=1).encode())

    def _require_consistent(self, offered: Offered) -> None:
        # Spec 60, "One table for everybody".
        for kept in self.signed():
            if field := contradiction(kept.manifest, offered.manifest):
                names = kept.manifest.table[:8], offered.manifest.table[:8]
                folder = self._folder / _CONTRADICTIONS / "-".join([field, *names])
                for name, one in (("kept", kept), ("offered", offered)):
                    write_private(folder / f"{name}.json", one.document)
                    write_private(folder / f"{name}.sig", one.signature)
                raise _contradicts(field, folder)

    def _keep(self, offered: Offered) -> None:
        """Keep what was signed, the signature last: what has one is whole."""
        folder = ensure_private_folder(self._table(offered.manifest.table))
        if not lies(folder / SIGNATURE_FILE):
            write_private(folder / MANIFEST_FILE, offered.document)
            write_private(folder / SIGNATURE_FILE, offered.signature)

    def signed(self) -> Iterator[TablePublication]:
        """Every manifest that was ever taken, with its signature; their rows may be gone.

        Without those of a form that this version has left. Raises BadInputError for one that cannot
        be read: it is evidence, and is not left out on a guess.
        """
        for path in sorted(self._folder.glob(f"*/{SIGNATURE_FILE}")):
            try:
                yield TablePublication.read(path.parent)
            except FormerManifestError:
                continue
            except ManifestError:
                raise _unreadable(path.parent) from None

    def has(self, manifest: Manifest) -> bool:
        """Whether all rows of the table are here."""
        return lies(self._table(manifest.table) / ROWS_FILE)

    def opened(self, manifest: Manifest) -> SourceTable:
        """The table, mapped; all of it is read, for a label that is damaged is a person not found.

        Raises VerificationError if its file is not as it was signed; its good chunks are kept, and
        the same command fetches the others.
        """
        path = self._table(manifest.table) / ROWS_FILE
        try:
            require_plain(path)
            rows = LabelTable.open(path, manifest.rows)
            split_hashes(rows.chunk_hashes(), manifest.rows, bytes.fromhex(manifest.root))
        except (OSError, TableError):
            with suppress(FileNotFoundError):
                path.replace(path.with_name(_PART))
            raise _spoilt(manifest) from None
        return SourceTable(rows, manifest.table_id)

    def arriving(self, offered: Offered) -> Arriving:
        """The table's file to be filled, from the chunks that an earlier process left."""
        self._keep(offered)
        return Arriving(offered, self._table(offered.manifest.table))

    def manifests(self) -> list[Manifest]:
        """The manifests of the tables that are here whole."""
        return [table.manifest for table in self.signed() if self.has(table.manifest)]

    def current(self) -> set[str]:
        """The ids of the newest base and its deltas."""
        base = self._seen().table
        return {m.table for m in self.manifests() if base in {m.table, m.base}}

    def keep_only(self, wanted: Iterable[str]) -> None:
        """Remove the rows of all other tables; their signed manifests stay."""
        named = set(wanted)
        for folder in self._folder.glob("*/"):
            if folder.name not in named:
                (folder / ROWS_FILE).unlink(missing_ok=True)
                (folder / _PART).unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove everything of this flow."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _table(self, table: str) -> Path:
        return self._folder / table

    def _seen(self) -> _Seen:
        path = self._folder / "seen.json"
        if not lies(path):
            return _Seen()
        try:
            return _Seen.model_validate(from_json(read_plain(path)))
        except (ValueError, ValidationError):
            raise BadInputError(
                t(
                    f"Berkas {path} rusak. Hapus untuk mengunduh tabel lagi.",
                    f"The file {path} is damaged. Delete it to download the table again.",
                )
            ) from None


class Arriving:
    """A table on its way; use as a context manager. Chunks are taken in order and verified."""

    def __init__(self, offered: Offered, folder: Path) -> None:
        self._offered = offered
        self._folder = folder
        path = folder / _PART
        path.touch(mode=0o600)
        self._file = path.open("r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise _busy() from None
        #: Number of the next chunk.
        self.next_chunk = 0

    def __enter__(self) -> Self:
        self._resume()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def chunks(self) -> int:
        """Chunks of the whole table."""
        return len(self._offered.leaves)

    def take(self, chunk: int, data: bytes) -> None:
        """Take the next chunk. Raises VerificationError if it is another one or not as signed."""
        if chunk != self.next_chunk or chunk >= self.chunks:
            raise _spoilt(self._offered.manifest)
        try:
            # Spec 60, step 6: every chunk.
            verify_chunk(self._offered.leaves, self._offered.manifest.rows, chunk, data)
        except TableError:
            raise _spoilt(self._offered.manifest) from None
        self._file.write(data)
        self.next_chunk += 1

    def finish(self) -> None:
        """All chunks are here: the table can be used."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        (self._folder / _PART).replace(self._folder / ROWS_FILE)
        sync(self._folder)

    def _resume(self) -> None:
        """Keep the chunks that are here and right."""
        rows = self._offered.manifest.rows
        for chunk in range(self.chunks):
            data = self._file.read(CHUNK_BYTES)
            try:
                verify_chunk(self._offered.leaves, rows, chunk, data)
            except TableError:
                break
            self.next_chunk = chunk + 1
        self._file.seek(self.next_chunk * CHUNK_BYTES)
        self._file.truncate()


def _busy() -> BadInputError:
    return BadInputError(
        t(
            "Tabel itu sedang diunduh proses lain. Tunggu sampai selesai.",
            "Another process is downloading the table. Wait for it to end.",
        )
    )


def _unreadable(folder: Path) -> BadInputError:
    return BadInputError(
        t(
            f"Manifes tabel di {folder} tidak terbaca; isinya bukti dari apa yang pernah "
            "diterbitkan penyedia. Pulihkan dari cadangan, atau pindahkan folder itu dari sini: "
            "tabelnya lalu diunduh lagi.",
            f"The manifest of the table in {folder} cannot be read; it is evidence of what the "
            "provider once published. Restore it from a backup, or move the folder elsewhere: its "
            "table is downloaded again then.",
        )
    )


def _spoilt(manifest: Manifest) -> VerificationError:
    return VerificationError(
        t(
            f"Tabel {manifest.table} bukan yang ditandatangani penyedia, atau salinannya di sini "
            "rusak. Tidak ada kode yang diterima; hubungi penyedia.",
            f"Table {manifest.table} is not the one that the provider signed, or its copy here is "
            "damaged. No code was taken; ask the provider.",
        )
    )


def _contradicts(field: str, folder: Path) -> VerificationError:
    return VerificationError(
        t(
            f"Penyedia menandatangani dua tabel yang tidak mungkin sama-sama benar ({field}): ada "
            "yang menerima tabel lain. Tidak ada yang ditanyakan. Kedua naskah dan tanda tangannya "
            f"disimpan di {folder}; tunjukkan kepada pejabat penghubung kedua pihak.",
            f"The provider signed two tables that cannot both be true ({field}): somebody was "
            f"served another table. Nothing was asked. Both documents and signatures are in "
            f"{folder}; show them to the liaison officers of both sides.",
        )
    )


def _gone_back() -> VerificationError:
    return VerificationError(
        t(
            "Penyedia menawarkan tabel yang lebih lama daripada yang pernah ditunjukkannya. Jangan "
            "lanjutkan; hubungi penyedia.",
            "The provider offers an older table than it has shown before. Do not go on; ask the "
            "provider.",
        )
    )
