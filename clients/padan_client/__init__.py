"""Client library and command line of Padan.

A requester gives a list and gets codes; a provider publishes a registry without showing it::

    from padan_client import RequesterClient, ProviderClient

    with RequesterClient.open("~/.padan", "kemnaker-bpjskes-2020", "pekerja-jkn") as client:
        result = client.confirm(records)          # result.table, result.quarantine, result.counts
        answer = client.confirm_one(record)       # one record, in real time

``AsyncRequesterClient`` and ``AsyncProviderClient`` are the same for asyncio. Names are imported at
first use, since gRPC and Arrow take a second to load and not every command needs them.

The rooms, from the top: :mod:`.cli`; the clients :mod:`.requester`, :mod:`.provider`,
:mod:`.releases` and :mod:`.aio`, which let :mod:`.protocol` say what to do and :mod:`.transport`
do it; :mod:`.results` (what an officer gets); :mod:`.home` (the agency's folder);
:mod:`.records` (its files); :mod:`.base`. Beside them :mod:`.rehearse` and :mod:`.lint`, which
ask nobody. None imports one above it. Start at :mod:`.requester`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from padan_client.aio import AsyncProviderClient, AsyncRequesterClient
    from padan_client.base.errors import (
        BadInputError,
        MismatchError,
        PadanError,
        RefusedError,
        UnavailableError,
        VerificationError,
    )
    from padan_client.home.folder import Home
    from padan_client.home.identity import Identity, load_identity
    from padan_client.protocol.progress import Progress, Stage
    from padan_client.provider import ProviderClient, PublishResult
    from padan_client.requester import RequesterClient
    from padan_client.results.table import ConfirmResult

_MODULES = {
    "AsyncProviderClient": "aio",
    "AsyncRequesterClient": "aio",
    "BadInputError": "base.errors",
    "ConfirmResult": "results.table",
    "Home": "home.folder",
    "Identity": "home.identity",
    "MismatchError": "base.errors",
    "PadanError": "base.errors",
    "Progress": "protocol.progress",
    "ProviderClient": "provider",
    "PublishResult": "provider",
    "RefusedError": "base.errors",
    "RequesterClient": "requester",
    "Stage": "protocol.progress",
    "UnavailableError": "base.errors",
    "VerificationError": "base.errors",
    "load_identity": "home.identity",
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
