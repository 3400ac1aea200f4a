"""Where a client stands: one flow of one signed agreement, seen by one of its sides."""

from __future__ import annotations

from dataclasses import dataclass

from padan_linkage.agreement import Agreement, Flow


@dataclass(frozen=True)
class FlowPlace:
    """One flow of one verified agreement, seen by ``party``; ``digest`` is the agreement's."""

    agreement: Agreement
    digest: bytes
    flow: Flow
    party: str

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
    def peer(self) -> str:
        """The other party of the flow."""
        return self.flow.requester if self.party == self.flow.provider else self.flow.provider
