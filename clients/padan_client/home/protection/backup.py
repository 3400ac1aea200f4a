"""A home in one file, sealed: what a machine that is lost leaves to the next one.

    head (JSON, one line) ‖ piece*          piece = u32(length) ‖ nonce (12) ‖ AES-256-GCM

The key is scrypt of a passphrase (:mod:`.locked`), under which lies a key of this file alone. Every
piece is bound to the head, to its number and to being the last or not, so nothing can be left out,
moved or added. In the pieces is a stream of entries, each a line of JSON with path, mode and size
before a file's bytes; the first tells whose home it is and when it was. Spec
``proto/spec/20-keys.md``, "Backup and restore".
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import from_json

from padan_client.base.errors import BadInputError, VerificationError
from padan_client.base.files import filled_whole, write_private
from padan_client.base.language import t
from padan_client.home.protection.home_format import made_by_newer
from padan_client.home.protection.locked import lock, unlock
from padan_linkage.crypto.software import FormatAge, format_age

Randomness = Callable[[int], bytes]

_FORMAT = "padan backup 1"
_PIECE, _LENGTH_BYTES, _NONCE_BYTES, _KEY_BYTES = 1 << 20, 4, 12, 32
_MOST_HEAD, _MOST_ENTRY = 1 << 16, 1 << 16
_TAG_BYTES = 16


@dataclass(frozen=True)
class BackupNote:
    """Whose home a backup is of, when it was made, and how many files it has."""

    party: str
    sign_key: str
    exchange_key: str
    created: str
    files: int


def kept_files(home: Path) -> list[Path]:
    """What a backup of ``home`` has, by path; links and what is left out are none of it."""
    found = (p for p in sorted(home.rglob("*")) if p.is_file() and not p.is_symlink())
    return [p for p in found if not _left_out(p.relative_to(home))]


def backed_up(
    home: Path, note: BackupNote, passphrase: str, randomness: Randomness
) -> Iterator[bytes]:
    """The parts of a backup file of ``home``, in order."""
    own_key = randomness(_KEY_BYTES)
    secret = {"key": base64.b64encode(own_key).decode("ascii")}
    box = lock(secret, passphrase, _context(note.party), randomness)
    head = json.dumps({"format": _FORMAT, "party": note.party, "locked": box}).encode() + b"\n"
    yield head
    yield from _sealed(_entries(home, note), own_key, head, randomness)


def party_of(file: Path) -> str:
    """The party whose backup it says it is. Raises BadInputError where it is no backup."""
    with file.open("rb") as content:
        return str(_head(content.readline(_MOST_HEAD), file)["party"])


def restore(file: Path, home: Path, passphrase: str | None) -> BackupNote:
    """Fill ``home``, which is missing or empty, from a backup; whole or not at all.

    Raises BadInputError for a passphrase that does not open it or a home that is not empty,
    VerificationError where the file was altered or cut.
    """
    with file.open("rb") as content, filled_whole(home):
        line = content.readline(_MOST_HEAD)
        head = _head(line, file)
        secret = unlock(head["locked"], passphrase, _context(str(head["party"])))
        try:
            key = base64.b64decode(secret["key"], validate=True)
            stream = _Stream(_opened(content.read, key, line))
            note = BackupNote(**_entry(stream))
            for _ in range(note.files):
                _restore_file(stream, home)
            if stream.read(1):
                raise ValueError
        except (InvalidTag, KeyError, TypeError, ValueError):
            raise _spoilt(file) from None
    return note


def _left_out(path: Path) -> bool:
    """Locks and drafts of a moment, tables that the provider offers again, publications under way.

    A publication that went on from here on two machines could seal two registries under one key
    and nonce; it starts anew, which costs nothing. A list that was charged goes on.
    """
    folder = path.parts[:2]
    return (
        path.name.endswith((".lock", ".tmp"))
        or (folder == ("direct", "tables") and path.name in {"rows.bin", "rows.part"})
        or (folder[0] == "jobs" and folder[-1].startswith("publish"))
    )


def _entries(home: Path, note: BackupNote) -> Iterator[bytes]:
    files = kept_files(home)
    yield _line({**vars(note), "files": len(files)})
    for path in files:
        held = path.stat()
        name = path.relative_to(home).as_posix()
        yield _line({"path": name, "mode": held.st_mode & 0o755, "size": held.st_size})
        with path.open("rb") as content:
            left = held.st_size
            while part := content.read(min(left, _PIECE)):
                left -= len(part)
                yield part
        if left:
            raise BadInputError(
                t(
                    f"{path} berubah selama pencadangan. Ulangi bila tidak ada yang memakainya.",
                    f"{path} changed while it was backed up. Repeat when nobody uses it.",
                )
            )


def _sealed(
    parts: Iterator[bytes], key: bytes, head: bytes, randomness: Randomness
) -> Iterator[bytes]:
    cipher, waiting, number = AESGCM(key), bytearray(), 0

    def piece(text: bytes, *, last: bool) -> bytes:
        nonce = randomness(_NONCE_BYTES)
        sealed = nonce + cipher.encrypt(nonce, text, _place(head, number, last=last))
        return len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed

    for part in parts:
        waiting += part
        while len(waiting) > _PIECE:
            yield piece(bytes(waiting[:_PIECE]), last=False)
            del waiting[:_PIECE]
            number += 1
    yield piece(bytes(waiting), last=True)


def _opened(read: Callable[[int], bytes], key: bytes, head: bytes) -> Iterator[bytes]:
    cipher, number = AESGCM(key), 0
    sealed = _next(read)
    while sealed:
        following = _next(read)
        place = _place(head, number, last=not following)
        yield cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
        sealed, number = following, number + 1


def _next(read: Callable[[int], bytes]) -> bytes:
    """The next sealed piece, empty at the end. Raises ValueError for one that cannot be."""
    length = read(_LENGTH_BYTES)
    if not length:
        return b""
    size = int.from_bytes(length, "big")
    if len(length) < _LENGTH_BYTES or not _NONCE_BYTES < size <= _PIECE + _NONCE_BYTES + _TAG_BYTES:
        raise ValueError
    return read(size)


class _Stream:
    """Bytes that come in pieces, read by number or by line."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._waiting = pieces, bytearray()

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes, fewer at the end."""
        while len(self._waiting) < size and (piece := next(self._pieces, b"")):
            self._waiting += piece
        taken = bytes(self._waiting[:size])
        del self._waiting[:size]
        return taken

    def line(self) -> bytes:
        """The next line. Raises ValueError where there is none."""
        while b"\n" not in self._waiting:
            piece = next(self._pieces, b"")
            if not piece or len(self._waiting) > _MOST_ENTRY:
                raise ValueError
            self._waiting += piece
        return self.read(self._waiting.index(b"\n") + 1)


def _restore_file(stream: _Stream, home: Path) -> None:
    entry = _entry(stream)
    name = PurePosixPath(entry["path"])
    if name.is_absolute() or ".." in name.parts or not name.parts:
        raise ValueError
    target = home.joinpath(*name.parts)
    write_private(target, _content(stream, entry["size"]))
    if entry["mode"] & 0o044:
        target.chmod(0o644)


def _content(stream: _Stream, size: int) -> Iterator[bytes]:
    while size:
        part = stream.read(min(size, _PIECE))
        if not part:
            raise ValueError
        size -= len(part)
        yield part


def _entry(stream: _Stream) -> dict[str, Any]:
    found = from_json(stream.line())
    if not isinstance(found, dict):
        raise TypeError
    return found


def _line(entry: Mapping[str, object]) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def _head(line: bytes, file: Path) -> dict[str, Any]:
    try:
        head = from_json(line)
        age = format_age(head["format"], _FORMAT)
        if age is FormatAge.LATER:
            raise made_by_newer(file)
        if age is FormatAge.PRESENT and "locked" in head:
            return {"party": head["party"], **head}
    except (KeyError, TypeError, ValueError, RecursionError):
        pass
    raise BadInputError(
        t(
            f"{file} bukan cadangan folder Padan. Pakai berkas dari padan home backup.",
            f"{file} is no backup of a Padan home. Use a file that padan home backup made.",
        )
    )


def _place(head: bytes, number: int, *, last: bool) -> bytes:
    return hashlib.sha256(head).digest() + f"/{number}/{'last' if last else 'more'}".encode()


def _context(party: str) -> bytes:
    return b"padan/v1 backup\x00" + party.encode()


def _spoilt(file: Path) -> VerificationError:
    return VerificationError(
        t(
            f"Cadangan {file} diubah atau terpotong; tidak ada yang dipulihkan. Pakai salinan "
            "lain.",
            f"The backup {file} was altered or cut; nothing was restored. Use another copy.",
        )
    )
