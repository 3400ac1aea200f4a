"""What of a table's folder can be told by agreements: who signed it, and which flow it is of."""

from __future__ import annotations

import re

from padan_linkage.agreement import Agreement, Flow, Mode, SignedAgreement
from padan_linkage.direct.manifest import (
    SIGNATURE_FILE,
    Manifest,
    ManifestError,
    TablePublication,
    check_manifest,
    manifest_statement,
    verify_manifest,
)
from padan_server.admission.agreements import AgreementBook
from padan_server.admission.enforcement import schema_digest
from padan_server.base.clock import Clock
from padan_server.base.damage import DamagedFileError
from padan_server.base.model import FlowKey
from padan_server.direct.published_tables import TableFolder

_TABLE_ID = re.compile(r"[0-9a-f]{32}")


class SignedTables:
    """Reads tables of the flows that ``party`` provides directly."""

    def __init__(self, book: AgreementBook, party: str, clock: Clock) -> None:
        self._book = book
        self._party = party
        self._clock = clock

    def is_in_force(self, flow: FlowKey) -> bool:
        """Whether this very agreement is the one that is held."""
        signed = self._book.get(flow.agreement)
        return signed is not None and signed.digest == flow.digest

    def read(self, folder: TableFolder) -> tuple[FlowKey, TablePublication]:
        """What was signed for a flow of this provider, and may be used today.

        Its rows are not looked at. Raises DamagedFileError for what nobody signed, ManifestError
        for what is of another agreement, flow or time.
        """
        if not _TABLE_ID.fullmatch(folder.path.name):
            raise ManifestError("name", "not a table's")
        found = folder.publication()
        manifest = found.manifest
        signed, agreement = self._agreement_of(manifest)
        self._check_signature(folder, agreement, found)
        flow = self._flow_of(agreement, manifest)
        assert flow.direct is not None
        check_manifest(
            manifest,
            agreement=agreement.id,
            agreement_digest=signed.digest,
            flow=flow.id,
            direct_schema_digest=schema_digest(flow, Mode.DIRECT),
            key_ids=[key.id for key in flow.direct.keys],
            now=self._clock.now(),
        )
        return FlowKey(agreement.id, signed.digest, flow.id), found

    def owner(self, folder: TableFolder) -> FlowKey | None:
        """The flow that a folder with something wrong says it is of; None if it cannot be told."""
        try:
            manifest = folder.publication().manifest
            signed, agreement = self._agreement_of(manifest)
            flow = self._flow_of(agreement, manifest)
        except (DamagedFileError, ManifestError):
            return None
        return FlowKey(agreement.id, signed.digest, flow.id)

    def _agreement_of(self, manifest: Manifest) -> tuple[SignedAgreement, Agreement]:
        signed = self._book.get(manifest.agreement)
        if signed is None or signed.agreement is None:
            raise ManifestError("agreement", "not held")
        if manifest.agreement_digest != signed.digest.hex():
            raise ManifestError("agreement_digest", "another one than is held")
        return signed, signed.agreement

    def _flow_of(self, agreement: Agreement, manifest: Manifest) -> Flow:
        """The flow that a manifest names, if the provider answers it directly."""
        for flow in agreement.flows:
            if flow.id == manifest.flow and flow.provider == self._party:
                if Mode.DIRECT not in flow.modes or flow.direct is None or flow.schema is None:
                    raise ManifestError("flow", "has no direct mode")
                return flow
        raise ManifestError("flow", "not this provider's")

    def _check_signature(
        self, folder: TableFolder, agreement: Agreement, found: TablePublication
    ) -> None:
        statement = manifest_statement(found.document)
        signer = agreement.signer_of(self._party, statement, found.signature)
        try:
            verify_manifest(found.document, found.signature, signer)
        except ManifestError:
            raise folder.altered(SIGNATURE_FILE) from None
