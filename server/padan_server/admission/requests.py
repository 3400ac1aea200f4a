"""Requests that name themselves (AIP-155): a retry finds the answer of the first try."""

from __future__ import annotations

import hmac
from datetime import datetime

from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import AnsweredRequest, RequestKey
from padan_server.store.port import Transaction


def replayed(tx: Transaction, key: RequestKey | None) -> str | None:
    """The resource that answered this very request before; None if it is new.

    Raises a refusal if the id came before with another request.
    """
    found = tx.requests.find(key) if key else None
    if key is None or found is None:
        return None
    digest, resource = found
    if not hmac.compare_digest(digest, key.digest):
        raise Refusal(Reason.REQUEST_ID_REUSED)
    return resource


def remember(tx: Transaction, key: RequestKey | None, resource: str, now: datetime) -> None:
    """Keep the resource that answers ``key``, in the transaction that makes it."""
    if key:
        tx.requests.remember(AnsweredRequest(key, resource, now))
