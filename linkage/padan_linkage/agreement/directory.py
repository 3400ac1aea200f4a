"""The agreements in a folder: ``<id>.toml``, and beside it signatures and changes of keys.

A signature is ``<id>.toml.<party>.sig``, a change ``<id>.toml.<party>.<number>.keys``. Whatever is
wrong with one file is reported with it and does not stop the others. Spec 40, "Folder".
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from padan_linkage.agreement.bounded_toml import MAX_DOCUMENT_BYTES
from padan_linkage.agreement.document import (
    agreement_digest,
    parse_signature,
    verify_signatures,
)
from padan_linkage.agreement.findings import AgreementError, Finding, error
from padan_linkage.agreement.key_changes import SUFFIX, SignedKeyChange, with_key_changes
from padan_linkage.agreement.model import Agreement
from padan_linkage.agreement.standing import Standing, replaces, standing_of

_SIGNATURE = ".sig"
#: What may be otherwise at the next look though the file is the same.
_PASSING = frozenset({"file-unreadable", "file-defect"})


@dataclass(frozen=True)
class SignedAgreement:
    """One file of the folder. ``agreement`` is None exactly when there are ``problems``.

    Its parties have the keys that they have now, after every key change beside the file.

    ``successors`` are the loaded agreements that replace it, whenever their terms begin.
    """

    id: str
    document: bytes
    signatures: dict[str, bytes]
    agreement: Agreement | None
    problems: tuple[Finding, ...] = ()
    successors: tuple[Agreement, ...] = ()

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the document."""
        return agreement_digest(self.document)

    def standing(self, now: datetime, suspended_by: Collection[str] = ()) -> Standing:
        """Where the agreement stands at ``now``, with its successors taken into account.

        Raises ValueError if it was not loaded.
        """
        if self.agreement is None:
            raise ValueError(f"agreement {self.id} was not loaded")
        return standing_of(self.agreement, now, suspended_by, self.successors)

    def in_few_bytes(self) -> SignedAgreement:
        """The same of a file with problems, which is known by its digest and served to nobody."""
        small = replace(self, document=b"", signatures={})
        vars(small)["digest"] = self.digest
        return small


class AgreementFolder:
    """A folder that is looked at again and again: what has not changed is not read again.

    A file is known by what the file system says of it and of those beside it. It is read once more
    after that was first seen: a change in the same tick of the file system's clock is over then.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._seen: dict[str, _Stamp] = {}
        self._kept: dict[str, SignedAgreement] = {}

    def load(self) -> list[SignedAgreement]:
        """Every ``*.toml``, by name; raises OSError if the folder cannot be read."""
        found = _listed(p.name for p in self._path.iterdir())
        for known in (self._seen, self._kept):
            for name in known.keys() - found.keys():
                del known[name]
        return with_successors(
            [
                self._look(name, beside)
                for name, beside in sorted(found.items())
                if not (self._path / name).is_dir()
            ]
        )

    def load_some(self, ids: Iterable[str]) -> list[SignedAgreement]:
        """Those of ``ids`` alone, as they are now and without their successors."""
        found = _listed(p.name for p in self._path.iterdir())
        names = [f"{each}.toml" for each in ids]
        return [self._look(name, found[name], first=True) for name in names if name in found]

    def _look(self, name: str, beside: Sequence[str], *, first: bool = False) -> SignedAgreement:
        stamp = _stamp(self._path, (name, *beside))
        same = stamp is not None and self._seen.get(name) == stamp
        if same and name in self._kept:
            return self._kept[name]
        signed = _load(self._path / name, beside)
        if first:  # the same look sees it once more
            return signed
        self._kept.pop(name, None)
        if same and not _PASSING & {p.code for p in signed.problems}:
            self._kept[name] = signed if signed.agreement else signed.in_few_bytes()
        if stamp is not None:
            self._seen[name] = stamp
        return signed


#: Of a file and those beside it: name, device, inode, size, and when content and status changed.
_Stamp = tuple[tuple[str, int, int, int, int, int], ...]


def _stamp(folder: Path, names: Sequence[str]) -> _Stamp | None:
    """What the file system says of files; None where it says nothing of one."""
    try:
        told = [(name, (folder / name).stat()) for name in names]
    except OSError:
        return None
    return tuple(
        (name, s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for name, s in told
    )


def load_directory(path: Path) -> list[SignedAgreement]:
    """Every ``*.toml`` of the folder, by name; raises OSError if the folder cannot be read."""
    return AgreementFolder(path).load()


def _listed(names: Iterable[str]) -> dict[str, list[str]]:
    """Names of agreement files, each with those of the files beside it, in order."""
    ordered = sorted(names)
    found: dict[str, list[str]] = {n: [] for n in ordered if Path(n).suffix == ".toml"}
    for name in ordered:
        if name.endswith((_SIGNATURE, SUFFIX)):
            end = name.find(".toml.")
            while end >= 0:
                found.get(name[: end + len(".toml")], []).append(name)
                end = name.find(".toml.", end + 1)
    return found


def with_successors(loaded: list[SignedAgreement]) -> list[SignedAgreement]:
    """The same list, each with those of the others that replace it."""
    present = [s.agreement for s in loaded if s.agreement is not None]
    return [
        replace(s, successors=tuple(n for n in present if replaces(n, s.agreement, s.digest)))
        if s.agreement
        else s
        for s in loaded
    ]


def load_signed(path: Path) -> SignedAgreement:
    """One agreement file with the signatures beside it; problems are reported, never raised."""
    try:
        names = [p.name for p in path.parent.iterdir()]
    except OSError:
        names = []
    return _load(path, _listed({*names, path.name}).get(path.name, []))


def _load(path: Path, beside: Sequence[str]) -> SignedAgreement:
    try:
        document = read_bounded(path)
    except OSError as e:
        return SignedAgreement(path.stem, b"", {}, None, (_unreadable(path.name, e),))
    try:
        return _loaded(path, document, [path.with_name(name) for name in beside])
    except Exception as e:  # noqa: BLE001 - whatever a file may do to us, the others are served
        return SignedAgreement(path.stem, document, {}, None, (_defect(e),))


def _loaded(path: Path, document: bytes, beside: Sequence[Path]) -> SignedAgreement:
    signatures, problems = _signatures_of(path, beside)
    agreement: Agreement | None = None
    try:
        agreement = verify_signatures(document, signatures)
        agreement = with_key_changes(
            agreement, agreement_digest(document), _changes_of(path, beside)
        )
    except AgreementError as e:
        problems += [f for f in e.findings if f.where not in {p.where for p in problems}]
    if agreement and agreement.id != path.stem:
        problems.append(
            error(
                "file-name",
                "id",
                f"Nama berkas harus {agreement.id}.toml, sama dengan id perjanjian.",
                f"The file must be called {agreement.id}.toml, like the agreement's id.",
            )
        )
    if problems:
        agreement = None
    return SignedAgreement(path.stem, document, signatures, agreement, tuple(problems))


def read_bounded(path: Path) -> bytes:
    """The bytes of a file, one more than a document may have at most. Raises OSError.

    Nothing else than a file is opened: a pipe would never end.
    """
    if not path.is_file():
        kind = errno.EISDIR if path.is_dir() else errno.EINVAL if path.exists() else errno.ENOENT
        raise OSError(kind, os.strerror(kind))
    with path.open("rb") as f:
        return f.read(MAX_DOCUMENT_BYTES + 1)


def _signatures_of(path: Path, beside: Sequence[Path]) -> tuple[dict[str, bytes], list[Finding]]:
    found: dict[str, bytes] = {}
    problems: list[Finding] = []
    for file in (each for each in beside if each.name.endswith(_SIGNATURE)):
        party = file.name[len(path.name) + 1 : -len(_SIGNATURE)]
        try:
            found[party] = parse_signature(read_bounded(file).decode("ascii"))
        except OSError as e:
            problems.append(_unreadable(f"signature[{party}]", e))
        except ValueError:
            problems.append(
                error(
                    "signature-malformed",
                    f"signature[{party}]",
                    "Berkas tanda tangan harus satu baris base64 dari 64 bita.",
                    "A signature file must be one line of base64 of 64 bytes.",
                )
            )
    return found, problems


def _changes_of(path: Path, beside: Sequence[Path]) -> list[SignedKeyChange]:
    """The key changes beside an agreement. Raises AgreementError."""
    found = []
    for file in (each for each in beside if each.name.endswith(SUFFIX)):
        try:
            signed = SignedKeyChange.read(read_bounded(file))
        except OSError as e:
            raise AgreementError([_unreadable(file.name, e)]) from None
        if file.name != path.name + signed.name:
            raise AgreementError(
                [
                    error(
                        "key-change-name",
                        file.name,
                        f"Berkas pergantian kunci harus bernama {path.name}{signed.name}.",
                        f"The key change must be called {path.name}{signed.name}.",
                    )
                ]
            )
        found.append(signed)
    return found


def _defect(e: Exception) -> Finding:
    kind = type(e).__name__
    return error(
        "file-defect",
        "file",
        f"Berkas ini membuat pembacanya gagal ({kind}); keluarkan dari folder dan laporkan.",
        f"Reading this file failed by a defect ({kind}); take it out of the folder and report it.",
    )


def _unreadable(where: str, e: OSError) -> Finding:
    return error(
        "file-unreadable",
        where,
        f"Berkas tidak terbaca: {e.strerror}.",
        f"Cannot read the file: {e.strerror}.",
    )
