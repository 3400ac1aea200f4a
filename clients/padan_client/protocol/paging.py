"""Lists that a server gives page by page."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from padan.v1.reason_texts import ServerKind
from padan_client.base.effects import Patience, Steps, call
from padan_client.base.errors import VerificationError
from padan_client.base.reasons import about

#: Longer lists are not believed: epochs of a day each for two decades.
_MOST = 8192


def listed(
    method: str,
    request: Any,
    answer: type[Message],
    items: str,
    patience: Patience,
    *,
    limit: int | None = None,
    most: int = _MOST,
    peer: ServerKind = ServerKind.UNIT,
) -> Steps[list[Any]]:
    """What the pages hold in their field ``items``, all of it or the first ``limit``.

    Raises VerificationError for a whole list that does not end: a page without items that another
    is said to follow, or more than ``most``. With ``limit`` such a page is the end.
    """
    found: list[Any] = []
    while True:
        page: Any = yield from call(method, request, answer, patience, peer)
        given = getattr(page, items)
        found += given
        enough = limit is not None and (not given or len(found) >= limit)
        if enough or not page.next_page_token:
            return found[:limit]
        if not given or len(found) > most:
            raise VerificationError(
                about(
                    peer,
                    "Daftar dari {server} tidak berujung.",
                    "The list that {server} gives has no end.",
                )
            )
        request.page_token = page.next_page_token
