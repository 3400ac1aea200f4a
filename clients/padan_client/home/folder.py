"""An agency's home folder: settings, keys, agreements, epochs, pending jobs.

The local signed agreements are what the client trusts. What the unit shows is compared with them,
never taken for them.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from padan_client.base.effects import Patience
from padan_client.base.errors import BadInputError, VerificationError
from padan_client.base.language import system_reason, t
from padan_client.base.place import FlowPlace
from padan_client.home.config import ClientConfig, load_config
from padan_client.home.epochs import EpochStore
from padan_client.home.identity import Identity, Randomness, load_identity
from padan_client.home.jobs import JobStore
from padan_client.home.protection.home_format import keep_format
from padan_client.home.protection.home_lock import HomeLock
from padan_linkage.agreement import Agreement, Flow, Mode, SignedAgreement, load_directory

if TYPE_CHECKING:
    from padan_client.home.accepted_levels import AcceptedLevels
    from padan_client.home.cover.cover_book import CoverBook
    from padan_client.home.cover.list_cover import ListCover
    from padan_client.home.kept_registries import KeptRegistries
    from padan_client.home.protection.known_heads import KnownHeads
    from padan_client.home.seeds import SeedStore


@dataclass(frozen=True, repr=False)
class Home:
    """Everything that one agency's client has locally. ``randomness(n)`` gives n secret bytes."""

    folder: Path
    config: ClientConfig
    identity: Identity
    epochs: EpochStore
    jobs: JobStore
    patience: Patience
    randomness: Randomness
    lock: HomeLock

    def __repr__(self) -> str:
        return f"Home({str(self.folder)!r}, party={self.identity.party!r})"

    @classmethod
    def open(
        cls,
        folder: Path | str,
        *,
        passphrase: str | None = None,
        randomness: Randomness = os.urandom,
        jitter: Callable[[], float] = random.random,
    ) -> Self:
        """Load settings and keys of ``folder``; ``passphrase`` where the identity is encrypted.

        Raises BadInputError that names the file and what to do.
        """
        folder = Path(folder).expanduser()
        identity = load_identity(folder, passphrase=passphrase)
        config = load_config(folder)
        if config.party != identity.party:
            raise BadInputError(
                t(
                    f"client.toml menyebut pihak {config.party}, tetapi kunci di folder itu milik "
                    f"{identity.party}.",
                    f"client.toml names party {config.party}, but the keys in the folder belong "
                    f"to {identity.party}.",
                )
            )
        keep_format(folder)
        return cls(
            folder=folder,
            config=config,
            identity=identity,
            epochs=EpochStore(folder / "epochs", identity, randomness),
            jobs=JobStore(folder / "jobs", identity, randomness),
            patience=config.timeouts.patience(jitter),
            randomness=randomness,
            lock=HomeLock(folder),
        )

    def cover_book(self) -> CoverBook:
        """What deltas need to know of published registries."""
        # Here, so that commands about keys need not wait for the encoder's compiler.
        from padan_client.home.cover.cover_book import CoverBook

        return CoverBook(self.folder / "registries", self.identity, self.randomness)

    def list_cover(self) -> ListCover:
        """The cover people of lists, epoch by epoch."""
        from padan_client.home.cover.list_cover import ListCover

        return ListCover(self.folder / "lists", self.identity, self.randomness)

    def accepted_levels(self) -> AcceptedLevels:
        """The error levels that this agency signed."""
        from padan_client.home.accepted_levels import AcceptedLevels

        return AcceptedLevels(self.folder / "levels")

    def known_heads(self, agreement_id: str, flow_id: str = "") -> KnownHeads:
        """How far the unit, and the server of a flow's provider, had come when last seen here.

        Raises what :meth:`signed_agreement` raises where there is a ``flow_id``.
        """
        from padan_client.home.protection.known_heads import KnownHeads, ProviderServer

        if not flow_id:
            return KnownHeads(self.folder, agreement_id)
        agreement = self.signed_agreement(agreement_id).agreement
        assert agreement is not None
        party = next((flow.provider for flow in agreement.flows if flow.id == flow_id), "")
        server = ProviderServer(party, alone=agreement.direct_providers == (party,))
        return KnownHeads(self.folder, agreement_id, server if party else None)

    def seeds(self) -> SeedStore:
        """The provider's key seeds of direct mode."""
        from padan_client.home.seeds import SeedStore

        return SeedStore(self.folder / self.config.seeds_dir, self.randomness)

    def kept_registries(self, mode: Mode) -> KeptRegistries:
        """What deltas need to know of the registries that were published in this mode."""
        from padan_client.home.kept_registries import KeptRegistries

        folder = self.folder / mode.value / "registries"
        return KeptRegistries(folder, self.identity, self.randomness)

    def agreements(self) -> list[SignedAgreement]:
        """The agreements in the folder, good ones and bad. Raises BadInputError without one."""
        folder = self.folder / self.config.agreements
        try:
            return load_directory(folder)
        except OSError as error:
            raise BadInputError(
                t(
                    f"Folder perjanjian {folder} tidak dapat dibaca ({system_reason(error)}).",
                    f"The agreements folder {folder} cannot be read ({system_reason(error)}).",
                )
            ) from None

    def signed_agreement(self, agreement_id: str) -> SignedAgreement:
        """The agreement, signed by all its parties over its exact bytes.

        Raises BadInputError if it is not in the folder, VerificationError if a signature is missing
        or wrong or the file does not load.
        """
        found = next((a for a in self.agreements() if a.id == agreement_id), None)
        if found is None:
            raise self._no_agreement(agreement_id)
        if found.agreement is None or found.problems:
            problems = "; ".join(t(p.id_text, p.en_text) for p in found.problems)
            raise VerificationError(
                t(
                    f"Perjanjian {agreement_id} tidak dapat dipakai: {problems}",
                    f"Agreement {agreement_id} cannot be used: {problems}",
                )
            )
        return found

    def _no_agreement(self, named: str) -> BadInputError:
        """That there is none of that id, and whether a file or a flow was named instead."""
        folder = self.folder / self.config.agreements
        told = t(
            f"Perjanjian {named} tidak ada di {folder}.",
            f"There is no agreement {named} in {folder}.",
        )
        of_flow = sorted(
            a.id
            for a in self.agreements()
            if a.agreement and any(f.id == named for f in a.agreement.flows)
        )
        meant = [Path(named).stem] if named.endswith(".toml") else of_flow
        if meant:
            told += t(
                f" Yang diminta id perjanjian: {', '.join(meant)}.",
                f" What is wanted is the agreement's id: {', '.join(meant)}.",
            )
        return BadInputError(told)

    def place(self, agreement_id: str, flow_id: str) -> FlowPlace:
        """One flow of a signed agreement, from this agency's side.

        Raises BadInputError if there is no such flow, if this agency is not one of its sides, or if
        the local keys are not those in the agreement.
        """
        signed = self.signed_agreement(agreement_id)
        agreement = signed.agreement
        assert agreement is not None
        flow = _flow_of(agreement, flow_id)
        party = self.identity.party
        if party not in {flow.provider, flow.requester}:
            raise BadInputError(
                t(
                    f"{party} bukan penyedia maupun peminta pada alur {flow_id}.",
                    f"{party} is neither provider nor requester of flow {flow_id}.",
                )
            )
        try:
            self.identity.holding(agreement.party(party).keys)
        except VerificationError:
            raise VerificationError(
                t(
                    f"Kunci instansi di sini lain dari kunci {party} pada perjanjian "
                    f"{agreement_id}. Pakai folder kunci yang benar, atau ubah perjanjian bersama.",
                    f"The keys here are not those of {party} in agreement {agreement_id}. Use the "
                    "right home folder, or amend the agreement together.",
                )
            ) from None
        return FlowPlace(agreement, signed.digest, flow, party, signed.successors)

    def served_directly(self, agreement_id: str, flow_id: str) -> Flow:
        """The flow, which its provider's server answers.

        Raises BadInputError if there is no such flow or it has no direct mode.
        """
        agreement = self.signed_agreement(agreement_id).agreement
        assert agreement is not None
        flow = _flow_of(agreement, flow_id)
        if Mode.DIRECT in flow.modes:
            return flow
        direct = [f.id for f in agreement.flows if Mode.DIRECT in f.modes]
        those, them = (", ".join(direct) or word for word in ("tidak ada", "none"))
        raise BadInputError(
            t(
                f"Alur {flow_id} tidak bermode langsung, jadi tidak ada server penyedianya. Yang "
                f"bermode langsung: {those}. Tanpa --flow yang dituju unit.",
                f"Flow {flow_id} has no direct mode, so there is no server of its provider. With "
                f"direct mode: {them}. Without --flow, the unit is meant.",
            )
        )


def _flow_of(agreement: Agreement, flow_id: str) -> Flow:
    flow = next((f for f in agreement.flows if f.id == flow_id), None)
    if flow is not None:
        return flow
    known = ", ".join(f.id for f in agreement.flows)
    raise BadInputError(
        t(
            f"Perjanjian {agreement.id} tidak memiliki alur «{flow_id}». Yang ada: {known}.",
            f"Agreement {agreement.id} has no flow «{flow_id}». It has: {known}.",
        )
    )
