"""Where a client stands: one flow of one signed agreement, seen by one of its sides."""

from __future__ import annotations

from dataclasses import dataclass, replace

from padan_linkage.agreement import Agreement, Flow, PublicKeys


@dataclass(frozen=True)
class FlowPlace:
    """One flow of one verified agreement, seen by ``party``; ``digest`` is the agreement's.

    ``successors`` are the signed agreements here that replace it, whenever their terms begin.
    """

    agreement: Agreement
    digest: bytes
    flow: Flow
    party: str
    successors: tuple[Agreement, ...] = ()

    @property
    def name(self) -> str:
        """Resource name ``agreements/{agreement}/flows/{flow}``."""
        return f"agreements/{self.agreement.id}/flows/{self.flow.id}"

    @property
    def article(self) -> str:
        """The article that the flow rests on."""
        return self.agreement.article_of(self.flow)

    @property
    def party_names(self) -> dict[str, str]:
        """What people call the parties."""
        return {p.id: p.known_as for p in self.agreement.parties}

    @property
    def own_keys(self) -> PublicKeys:
        """The public keys that this side signs with now."""
        return self.agreement.party(self.party).keys

    def at(self, epoch: int) -> FlowPlace:
        """The same with the keys that the parties have in an epoch of unit mode."""
        return replace(self, agreement=self.agreement.at(self.flow.id, epoch))

    @property
    def peer(self) -> str:
        """The other party of the flow."""
        return self.flow.requester if self.party == self.flow.provider else self.flow.provider
