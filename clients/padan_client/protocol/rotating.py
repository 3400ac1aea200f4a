"""Opens or joins the next key epoch of a flow. Spec ``proto/spec/20-keys.md``, "Steps"."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from padan_client.base.effects import Steps, work
from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.home.epochs import Contributions
from padan_client.home.folder import Home
from padan_client.protocol.contributions import contribute, fetch_contributions
from padan_client.protocol.session import check_agreement
from padan_linkage.crypto.epochs import contribution_statement

Consent = Callable[[int], None]


@dataclass(frozen=True)
class Rotation:
    """The epoch that this side has joined; ``waiting_for`` is the party still missing, or ""."""

    epoch: int
    waiting_for: str


def rotate(
    home: Home, agreement: str, flow: str, now: datetime, consent: Consent = lambda _: None
) -> Steps[Rotation]:
    """Join the epoch that the other side opened, or open the next one.

    ``consent`` is called with the number of an epoch to be opened while the key of the one before
    is still here, and raises if it is not to be.
    The private key is on disk before the public one is told to anybody, so a crash repeats
    harmlessly. While the other side has not joined, the same epoch is reported again.
    """
    place = home.place(agreement, flow)
    yield from check_agreement(place, home.patience)
    contributions = yield from fetch_contributions(place, home.patience)
    epoch = _next(place, contributions, home.epochs.begun(place))
    before = home.epochs.record(place, epoch - 1)
    if not contributions.keys.get(epoch) and before is not None and before.destroyed is None:
        consent(epoch)
    public_key = yield from work(lambda: _own_key(home, place, contributions, epoch, now))
    # Spec 20, step 2.
    statement = contribution_statement(place.digest, flow, epoch, place.party, public_key)
    mine = home.identity.holding(place.at(epoch).own_keys)
    yield from contribute(place, epoch, public_key, mine.sign(statement), home.patience)
    after = yield from fetch_contributions(place, home.patience)
    joined = after.keys.get(epoch, {})
    return Rotation(epoch, "" if place.peer in joined else place.peer)


def _next(place: FlowPlace, contributions: Contributions, begun: int) -> int:
    """The newest epoch while a side is missing from it, otherwise the one after it.

    Never one that has ``begun`` here, or came before it: a unit that was restored has forgotten it.
    """
    newest = contributions.newest()
    joined = contributions.keys.get(newest, {})
    whole = place.party in joined and place.peer in joined
    # Spec 20, step 1.
    return max(newest + 1 if whole or newest == 0 else newest, begun + 1)


def _own_key(
    home: Home, place: FlowPlace, contributions: Contributions, epoch: int, now: datetime
) -> bytes:
    """This side's public key of the epoch, new unless there is one already."""
    told = contributions.keys.get(epoch, {}).get(place.party)
    record = home.epochs.record(place, epoch)
    if told is not None and (record is None or base64.b64decode(record.public_key) != told):
        raise BadInputError(
            t(
                f"Instansi ini sudah memberi kontribusi untuk epok {epoch}, tetapi kuncinya tidak "
                f"ada di folder ini. Pulihkan folder epochs dari cadangan; bila hilang, minta "
                f"{place.peer} bergabung dahulu, lalu jalankan padan keys rotate lagi untuk "
                f"membuka epok berikutnya.",
                f"This agency has contributed to epoch {epoch}, but the key is not in this home "
                f"folder. Restore the epochs folder from a backup; if it is lost, ask "
                f"{place.peer} to join first, then run padan keys rotate again to open the next "
                f"epoch.",
            )
        )
    return base64.b64decode(home.epochs.create(place, epoch, now).public_key)
