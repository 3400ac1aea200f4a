"""A text file as UTF-8 bytes without a mark: UTF-8 as it stands, UTF-16 turned into it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from padan_client.base.errors import BadInputError
from padan_client.base.language import system_reason, t

_BLOCK = 1 << 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_head(path: Path, size: int) -> bytes:
    """The file's first bytes, some of which say something. Raises BadInputError."""
    try:
        with path.open("rb") as file:
            head = file.read(size)
    except OSError as e:
        raise BadInputError(
            t(
                f"Berkas {path.name} tidak dapat dibuka: {system_reason(e)}.",
                f"The file {path.name} cannot be opened: {system_reason(e)}.",
            )
        ) from e
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise BadInputError(t(f"Berkas {path.name} kosong.", f"The file {path.name} is empty."))
    return head


@dataclass(frozen=True)
class Text:
    """One file; ``marked``: it begins with UTF-16's byte order mark, else it is UTF-8."""

    path: Path
    marked: bool

    @classmethod
    def of(cls, path: Path, head: bytes) -> Text:
        """By the file's first bytes. Raises BadInputError for UTF-16 that does not say which."""
        if head.startswith(_UTF16):
            return cls(path, marked=True)
        if head.count(0) > len(head) // 4:
            raise BadInputError(
                t(
                    f"Berkas {path.name} memakai UTF-16. Simpan sebagai «CSV UTF-8».",
                    f"The file {path.name} is in UTF-16. Save it as «CSV UTF-8».",
                )
            )
        return cls(path, marked=False)

    def head(self, size: int) -> str:
        """The text at its beginning. Raises BadInputError where that is no UTF-16."""
        with self.open() as stream:
            try:
                content: bytes = stream.read(size)
            except UnicodeDecodeError as e:
                raise self._no_text(LineCount(), e) from None
        return content.decode("utf-8", errors="ignore")

    def open(self, offset: int = 0) -> Any:
        """A stream of its bytes, as Arrow reads it; ``offset`` counts those of UTF-8."""
        file = pa.OSFile(str(self.path))
        if self.marked:
            file = pa.transcoding_input_stream(file, "utf-16", "utf-8")
        elif file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            file.seek(0)
        while offset:
            offset -= len(file.read(min(offset, _BLOCK)))
        return file

    def blocks(self) -> Iterator[bytes]:
        """All its bytes. Raises BadInputError that names the line where they are no text."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        lines = LineCount()
        with self.open() as file:
            try:
                while block := file.read(_BLOCK):
                    decoder.decode(block)
                    lines.feed(block)
                    yield block
                decoder.decode(b"", final=True)
            except UnicodeDecodeError as e:
                raise self._no_text(lines, e) from None  # the cause would show the bytes

    def _no_text(self, lines: LineCount, e: UnicodeDecodeError) -> BadInputError:
        if self.marked:
            return BadInputError(
                t(
                    f"Berkas {self.path.name} bukan UTF-16 yang utuh. Simpan sebagai «CSV UTF-8».",
                    f"The file {self.path.name} is no whole UTF-16. Save it as «CSV UTF-8».",
                )
            )
        lines.feed(e.object[: e.start])
        return BadInputError(
            t(
                f"Berkas {self.path.name}, baris teks {lines.breaks + 1}: bukan UTF-8 (mungkin "
                "Windows-1252 atau Latin-1). Simpan sebagai «CSV UTF-8».",
                f"The file {self.path.name}, text line {lines.breaks + 1}: not UTF-8 (perhaps "
                "Windows-1252 or Latin-1). Save it as «CSV UTF-8».",
            )
        )


class LineCount:
    """Counts the lines of a text, however they end (LF, CR LF or CR), without reading a cell."""

    def __init__(self) -> None:
        self.breaks = 0
        self._last = b"\n"

    def feed(self, block: bytes) -> None:
        """Count on."""
        if not block:
            return
        both = block.count(b"\r\n") + (self._last == b"\r" and block[:1] == b"\n")
        self.breaks += block.count(b"\n") + block.count(b"\r") - both
        self._last = block[-1:]

    @property
    def lines(self) -> int:
        """How many so far, an unended last one too."""
        return self.breaks + (self._last not in {b"\n", b"\r"})
