"""Page tokens: where a list goes on, bound to the request that began it (AIP-158)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.ordinary import lies_ordinary, open_ordinary, read_ordinary

Entry = TypeVar("Entry")

_TAG_BYTES = 16
_CURSOR_BYTES = 8
_SECRET_BYTES = 32
DEFAULT_SIZE = 50
MAX_SIZE = 1000

#: The cursor of a first page.
FIRST = 2**62


def is_secret(path: Path) -> bool:
    """Whether a file holds a secret for page tokens."""
    return lies_ordinary(path) and path.stat().st_size == _SECRET_BYTES


class PageTokens:
    """Makes and checks page tokens under a secret of this server."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def at(cls, path: Path) -> PageTokens:
        """Tokens under the secret kept in ``path``, made at the first start.

        One that is no secret is made anew: what went out under it is refused as a page token.
        """
        if not is_secret(path):
            fresh = path.with_suffix(".new")
            descriptor = open_ordinary(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_SECRET_BYTES))
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(path)
        return cls(read_ordinary(path))

    def page(
        self,
        scope: str,
        request: Any,
        fetch: Callable[[int, int], Sequence[Entry]],
        *,
        place: Callable[[Entry], int] | None = None,
        fitting: Callable[[Sequence[Entry]], int] = len,
    ) -> tuple[Sequence[Entry], str]:
        """The entries that ``request`` asks for, and the token of the page after; empty at the end.

        ``fetch(cursor, limit)`` gives the list's entries from a cursor on: those before a ``place``
        that each entry has, or else those after so many. ``fitting`` says how many entries of a
        page its message has room for, one at least. Raises Refusal.
        """
        size = page_size(request.page_size)
        cursor = self.read(scope, request.page_token, FIRST if place else 0)
        found = fetch(cursor, size + 1)
        shown = found[:size]
        shown = shown[: fitting(shown)]
        if len(found) == len(shown):
            return shown, ""
        return shown, self.make(scope, place(shown[-1]) if place else cursor + len(shown))

    def make(self, scope: str, cursor: int) -> str:
        """The token that goes on at ``cursor`` in the list that ``scope`` names."""
        place = cursor.to_bytes(_CURSOR_BYTES, "big")
        return base64.urlsafe_b64encode(place + self._tag(scope, place)).decode("ascii")

    def read(self, scope: str, token: str, first: int = FIRST) -> int:
        """The cursor of ``token``; ``first`` if it is empty. Refuses another request's token."""
        if not token:
            return first
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        place, tag = raw[:_CURSOR_BYTES], raw[_CURSOR_BYTES:]
        if not hmac.compare_digest(tag, self._tag(scope, place)):
            raise Refusal(Reason.PAGE_TOKEN_INVALID)
        return int.from_bytes(place, "big")

    def _tag(self, scope: str, place: bytes) -> bytes:
        message = scope.encode() + b"\x00" + place
        return hmac.digest(self._secret, message, hashlib.sha256)[:_TAG_BYTES]


def page_size(wanted: int) -> int:
    """The number of entries to return: 0 means the default, too many are cut."""
    if wanted < 0:
        raise field_invalid("page_size", "tidak boleh negatif", "must not be negative")
    return min(wanted or DEFAULT_SIZE, MAX_SIZE)
