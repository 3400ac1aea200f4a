"""Key epochs: the unit relays the parties' signed contributions and can make no key of them."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from padan_linkage.crypto.epochs import contribution_statement
from padan_linkage.crypto.signatures import SignatureError, verify
from padan_server.admission.enforcement import Grant
from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import Contribution
from padan_server.store.port import Store

#: How many numbers an epoch may leave out.
MOST_AHEAD = 1000


class Epochs:
    """Takes and lists contributions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def contribute(
        self, grant: Grant, epoch: int, public_key: bytes, signature: bytes
    ) -> Contribution:
        """Keep the caller's contribution; the same one again is harmless, another is refused."""
        # Spec 20, step 3.
        _verify(grant, epoch, public_key, signature)
        with self._store.write() as tx:
            of_epoch = tx.agreements.contributions(grant.key, epoch=epoch)
            mine = next((c for c in of_epoch if c.party == grant.party), None)
            if mine is not None:
                return _same(grant, mine, public_key)
            known = tx.agreements.contributions(grant.key, limit=2)
            if not _may_be_next(grant, epoch, known):
                raise Refusal(Reason.CONTRIBUTION_INVALID, **grant.metadata)
            made = Contribution(grant.key, epoch, grant.party, public_key, signature, grant.now)
            tx.agreements.add_contribution(made)
        return made

    def page(self, grant: Grant, *, skip: int, limit: int) -> list[Contribution]:
        """Contributions of the flow, newest epoch first, then by party."""
        with self._store.read() as tx:
            return tx.agreements.contributions(grant.key, skip=skip, limit=limit)


def _may_be_next(grant: Grant, epoch: int, known: Sequence[Contribution]) -> bool:
    """Whether the caller, who has not contributed to ``epoch``, may do so now.

    ``known`` are the newest contributions, both of the newest epoch among them. A party opens no
    second epoch before the other has answered to the first; it may leave out numbers, which a
    restored store has forgotten, and pass by one that the other opened.
    """
    # Spec 30, "Epochs".
    newest = max((c.epoch for c in known), default=0)
    joined = {c.party for c in known if c.epoch == newest}
    whole = joined >= {grant.flow.provider, grant.flow.requester}
    if epoch == newest:
        return newest > 0
    return newest < epoch <= newest + MOST_AHEAD and (whole or grant.party not in joined)


def _verify(grant: Grant, epoch: int, public_key: bytes, signature: bytes) -> None:
    signer = grant.agreement.at(grant.flow.id, epoch).party(grant.party).sign_key_bytes
    statement = contribution_statement(
        grant.key.digest, grant.key.flow, epoch, grant.party, public_key
    )
    try:
        verify(signer, statement, signature)
    except SignatureError:
        raise Refusal(Reason.CONTRIBUTION_INVALID, **grant.metadata) from None


def _same(grant: Grant, mine: Contribution, public_key: bytes) -> Contribution:
    if hmac.compare_digest(mine.public_key, public_key):
        return mine
    raise Refusal(Reason.CONTRIBUTION_EXISTS, **grant.metadata)
