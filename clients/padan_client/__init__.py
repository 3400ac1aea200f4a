"""Client library and command line of Padan.

A requester gives a list and gets codes; a provider publishes a registry without showing it::

    from padan_client import RequesterClient, ProviderClient

    with RequesterClient.open("~/.padan", "kemnaker-bpjskes-2020", "pekerja-jkn") as client:
        result = client.confirm(records)          # result.table, result.quarantine, result.counts
        answer = client.confirm_one(record)       # one record, in real time

``AsyncRequesterClient`` and ``AsyncProviderClient`` are the same for asyncio. Names are imported at
first use, since gRPC and Arrow take a second to load and not every command needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from padan_client.aio import AsyncProviderClient, AsyncRequesterClient
    from padan_client.core.progress import Progress, Stage
    from padan_client.errors import (
        BadInputError,
        MismatchError,
        PadanError,
        RefusedError,
        UnavailableError,
        VerificationError,
    )
    from padan_client.home import Home
    from padan_client.identity import Identity, load_identity
    from padan_client.provider import ProviderClient, PublishResult
    from padan_client.requester import RequesterClient
    from padan_client.results import ConfirmResult

_MODULES = {
    "AsyncProviderClient": "aio",
    "AsyncRequesterClient": "aio",
    "BadInputError": "errors",
    "ConfirmResult": "results",
    "Home": "home",
    "Identity": "identity",
    "MismatchError": "errors",
    "PadanError": "errors",
    "Progress": "core.progress",
    "ProviderClient": "provider",
    "PublishResult": "provider",
    "RefusedError": "errors",
    "RequesterClient": "requester",
    "Stage": "core.progress",
    "UnavailableError": "errors",
    "VerificationError": "errors",
    "load_identity": "identity",
}

__all__ = [
    "AsyncProviderClient",
    "AsyncRequesterClient",
    "BadInputError",
    "ConfirmResult",
    "Home",
    "Identity",
    "MismatchError",
    "PadanError",
    "Progress",
    "ProviderClient",
    "PublishResult",
    "RefusedError",
    "RequesterClient",
    "Stage",
    "UnavailableError",
    "VerificationError",
    "load_identity",
]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
