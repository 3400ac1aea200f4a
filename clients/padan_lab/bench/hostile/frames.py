"""Frames of HTTP/2 as bytes (RFC 9113), for those who keep to none of its rules."""

from __future__ import annotations

import struct
from enum import IntEnum

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
END_STREAM, ACK, END_HEADERS = 1, 1, 4
_CANCEL = struct.pack(">I", 8)


class FrameKind(IntEnum):
    """Kinds of frames that peers send."""

    DATA = 0
    HEADERS = 1
    RESET = 3
    SETTINGS = 4
    PING = 6
    CONTINUATION = 9


def frame(kind: FrameKind, stream: int = 0, payload: bytes = b"", flags: int = 0) -> bytes:
    """One frame."""
    head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags])
    return head + struct.pack(">I", stream) + payload


def opening() -> bytes:
    """What a connection begins with."""
    return PREFACE + frame(FrameKind.SETTINGS) + frame(FrameKind.SETTINGS, flags=ACK)


def field_line(name: bytes, value: bytes) -> bytes:
    """A header, literally and never indexed (RFC 7541, 6.2.2); both are shorter than 127 bytes."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def call_headers(method: str, seconds: int = 60) -> bytes:
    """The headers of a call."""
    lines = {
        b":method": b"POST",
        b":scheme": b"https",
        b":path": method.encode(),
        b":authority": b"localhost",
        b"te": b"trailers",
        b"content-type": b"application/grpc",
        b"grpc-timeout": b"%dS" % seconds,
    }
    return b"".join(field_line(name, value) for name, value in lines.items())


def opened(stream: int, headers: bytes, flags: int = END_HEADERS) -> bytes:
    """A stream is opened."""
    return frame(FrameKind.HEADERS, stream, headers, flags)


def reset(stream: int) -> bytes:
    """And given up."""
    return frame(FrameKind.RESET, stream, _CANCEL)


def message(stream: int, content: bytes) -> bytes:
    """The one message of a call, of less than 16 KiB."""
    prefixed = b"\x00" + struct.pack(">I", len(content)) + content
    return frame(FrameKind.DATA, stream, prefixed, END_STREAM)
