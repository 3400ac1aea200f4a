"""The blocks of a PEM file (RFC 7468), however an editor has saved it.

A byte order mark, UTF-16, line ends of any system and blanks around lines change nothing of what a
file says, so it is read; it is written as OpenSSL and gRPC want it.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from padan_linkage.crypto.tls_faults import TlsFault, TlsFileError

#: No certificate chain or list of authorities is larger.
_MOST_BYTES = 1 << 20
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,60})-----(.*?)-----END \1-----", re.DOTALL)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, repr=False)
class PemBlock:
    """What stands between BEGIN and END: ``label``, headers of old keys, and the DER bytes."""

    label: str
    headers: tuple[str, ...]
    der: bytes

    @property
    def encrypted(self) -> bool:
        """Whether a passphrase protects it."""
        return self.label.startswith("ENCRYPTED ") or any("ENCRYPTED" in h for h in self.headers)

    def pem(self) -> bytes:
        """The block as a file of its own."""
        lines = base64.encodebytes(self.der).replace(b"\n", b"")
        body = b"\n".join(lines[i : i + 64] for i in range(0, len(lines), 64))
        name = self.label.encode()
        return b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (name, body, name)


@dataclass(frozen=True, repr=False)
class PemFile:
    """A file of PEM blocks, and the setting that names it, for messages."""

    field: str
    path: Path
    blocks: tuple[PemBlock, ...]

    @classmethod
    def read(cls, field: str, path: Path) -> Self:
        """The blocks in ``path``, one at least. Raises TlsFileError that says what is there."""
        content = _content(field, path)
        text = _text(content)
        blocks = tuple(_block(field, path, *found.groups()) for found in _BLOCK.finditer(text))
        if text.count("-----BEGIN ") > len(blocks):
            raise TlsFileError(TlsFault.PEM_CUT_OFF, field, path)
        if not blocks:
            # A DER SEQUENCE with a long length, as certificates, keys and PKCS#12 all begin.
            binary = re.match(rb"\x30[\x80-\x84]", content) is not None
            fault = TlsFault.FILE_BINARY if binary else TlsFault.FILE_NOT_PEM
            raise TlsFileError(fault, field, path)
        return cls(field, path, blocks)

    def error(self, fault: TlsFault, **facts: str | int | tuple[str, str]) -> TlsFileError:
        """An error about this file."""
        return TlsFileError(fault, self.field, self.path, **facts)


def _content(field: str, path: Path) -> bytes:
    try:
        # A pipe that nobody writes to would hold up the process for good.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise TlsFileError(TlsFault.FILE_MISSING, field, path) from None
    except OSError as e:
        raise TlsFileError(
            TlsFault.FILE_UNREADABLE, field, path, system=os.strerror(e.errno or 0)
        ) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise TlsFileError(TlsFault.FILE_NOT_PLAIN, field, path)
    with os.fdopen(descriptor, "rb") as f:
        content = f.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise TlsFileError(TlsFault.FILE_TOO_LARGE, field, path, most=_MOST_BYTES)
    if not content.strip():
        raise TlsFileError(TlsFault.FILE_EMPTY, field, path)
    return content


def _text(content: bytes) -> str:
    """The text; bytes that are none are no part of a block either."""
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "ascii")
    return content.decode(encoding, errors="replace")


def _block(field: str, path: Path, label: str, body: str) -> PemBlock:
    lines = [line.strip() for line in body.splitlines()]
    headers = tuple(line for line in lines if ":" in line)
    try:
        der = base64.b64decode("".join(line for line in lines if ":" not in line), validate=True)
    except (binascii.Error, ValueError):
        raise TlsFileError(
            TlsFault.PEM_DAMAGED, field, path, kind=("base64 yang utuh", "whole base64")
        ) from None
    return PemBlock(label, headers, der)
