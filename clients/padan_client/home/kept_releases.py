"""The releases that this home has published or received, and the one on its way out.

Folders: ``<agreement>/<flow>/<line>/<first half of the agreement's digest>/<version>``, each with
manifest, signature and content, sealed under the identity; ``pending`` beside them holds a release
that the unit may or may not have, sealed to its receiver, so that the same bytes can be sent again.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from padan_client.base.errors import BadInputError, VerificationError
from padan_client.base.files import ensure_private_folder, read_plain, sync, write_private
from padan_client.base.language import t
from padan_client.base.ownership import lies
from padan_client.base.place import FlowPlace
from padan_client.home.identity import Identity, Randomness
from padan_client.home.protection.home_format import made_by_newer
from padan_client.home.sealed_file import Purpose, SealedFileError, SealedFiles
from padan_linkage.direct.manifest import ManifestError
from padan_linkage.release.manifest import Release, parse_release

_MANIFEST, _SIGNATURE, _CONTENT = "manifest.sealed", "signature.sealed", "content.sealed"
_PARTS = (_MANIFEST, _SIGNATURE, _CONTENT)
_SEALED, _REQUEST = "sealed.bin", "request-id"
_PENDING = "pending"


@dataclass(frozen=True, repr=False)
class KeptRelease:
    """One release on this disk."""

    release: Release
    signature: bytes
    content: bytes


@dataclass(frozen=True, repr=False)
class PendingRelease:
    """A release on its way out."""

    kept: KeptRelease
    sealed: bytes
    request_id: str


class KeptReleases:
    """Releases under a home folder."""

    def __init__(self, folder: Path, identity: Identity, randomness: Randomness) -> None:
        self._folder = folder
        self._files = SealedFiles(Purpose.RELEASE, identity, randomness)

    def newest(self, place: FlowPlace, line: str) -> KeptRelease | None:
        """The highest version under the agreement as it stands; None where there is none."""
        versions = _versions(self._of(place, line))
        return self._read(self._of(place, line) / str(versions[-1])) if versions else None

    def get(self, place: FlowPlace, line: str, version: int) -> KeptRelease | None:
        """One version, None where it is not here."""
        folder = self._of(place, line) / str(version)
        return self._read(folder) if lies(folder) else None

    def before(self, place: FlowPlace, line: str) -> KeptRelease | None:
        """The last release under any wording of the agreement: what readers know already."""
        lines = self._of(place, line).parent
        found = [
            self._read(folder / str(versions[-1]))
            for folder in (sorted(lines.iterdir()) if lies(lines) else [])
            if (versions := _versions(folder))
        ]
        return max(found, key=lambda k: k.release.created, default=None)

    def keep(self, place: FlowPlace, line: str, kept: KeptRelease) -> None:
        """Keep a verified release, durably; the same one again is harmless."""
        target = self._of(place, line) / str(kept.release.version)
        if not lies(target):
            self._write(target, kept, {})

    def hold(self, place: FlowPlace, line: str, pending: PendingRelease) -> None:
        """Keep what is about to be sent, durably."""
        extra = {_SEALED: pending.sealed, _REQUEST: pending.request_id.encode()}
        self._write(self._of(place, line) / _PENDING, pending.kept, extra)

    def held(self, place: FlowPlace, line: str) -> PendingRelease | None:
        """What was about to be sent."""
        folder = self._of(place, line) / _PENDING
        if not lies(folder):
            return None
        sealed, request_id = read_plain(folder / _SEALED), read_plain(folder / _REQUEST)
        return PendingRelease(self._read(folder), sealed, request_id.decode())

    def arrived(self, place: FlowPlace, line: str) -> KeptRelease | None:
        """A release that has arrived while this home's process died over :meth:`sent`."""
        folder = self._of(place, line) / _PENDING
        if not lies(folder) or all(lies(folder / name) for name in (_SEALED, _REQUEST)):
            return None
        kept = self._read(folder)
        self.sent(place, line)
        return kept

    def sent(self, place: FlowPlace, line: str) -> None:
        """What was about to be sent has arrived."""
        folder = self._of(place, line) / _PENDING
        version = self._read(folder).release.version
        for name in (_SEALED, _REQUEST):
            (folder / name).unlink(missing_ok=True)
        sync(folder)
        folder.rename(folder.with_name(str(version)))
        sync(folder.parent)

    def drop(self, place: FlowPlace, line: str) -> None:
        """What was about to be sent never will be."""
        shutil.rmtree(self._of(place, line) / _PENDING, ignore_errors=True)

    def _of(self, place: FlowPlace, line: str) -> Path:
        half = place.digest.hex()[:32]
        return self._folder / place.agreement.id / place.flow.id / line / half

    def _write(self, target: Path, kept: KeptRelease, extra: dict[str, bytes]) -> None:
        draft = target.with_name(f".{target.name}.tmp")
        shutil.rmtree(draft, ignore_errors=True)
        ensure_private_folder(draft)
        parts = (kept.release.document(), kept.signature, kept.content)
        for name, content in zip(_PARTS, parts, strict=True):
            self._files.write(draft / name, _context(draft / name), content)
        for name, content in extra.items():
            write_private(draft / name, content)
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
        sync(target.parent)

    def _read(self, folder: Path) -> KeptRelease:
        try:
            manifest, signature, content = (
                self._files.read(folder / name, _context(folder / name)) for name in _PARTS
            )
            release = parse_release(manifest)
        except (BadInputError, SealedFileError, ManifestError) as error:
            if isinstance(error, ManifestError) and error.later:
                raise made_by_newer(folder) from None
            raise _damaged(folder) from None
        if hashlib.sha256(content).hexdigest() != release.content_sha256:
            raise _damaged(folder)
        return KeptRelease(release, signature, content)


def _context(path: Path) -> bytes:
    """Agreement, flow, line, half of the digest and file name: a folder's own name changes."""
    return b"padan/v1 release\x00" + "/".join((*path.parts[-6:-2], path.name)).encode()


def _versions(folder: Path) -> list[int]:
    names = [path.name for path in folder.iterdir()] if lies(folder) else []
    return sorted(int(name) for name in names if re.fullmatch(r"[1-9][0-9]*", name))


def _damaged(folder: Path) -> VerificationError:
    return VerificationError(
        t(
            f"Salinan rilis di {folder} rusak. Pulihkan dari cadangan.",
            f"The copy of a release in {folder} is damaged. Restore it from a backup.",
        )
    )
