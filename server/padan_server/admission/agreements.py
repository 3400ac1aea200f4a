"""The agreements that a server holds: read from a folder, only the fully signed ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from pathlib import Path

import structlog

from padan_linkage.agreement import Agreement, AgreementFolder, SignedAgreement
from padan_server.base.errors import Reason, Refusal
from padan_server.store.port import StoreFaultError

_log = structlog.get_logger(__name__)


class AgreementBook:
    """The signed agreements of a folder, as last read; ``reload`` reads again.

    A file with problems is logged and left out; it never stops the others. What a reload finds
    holds for every call that begins after it. ``names_this_server``: whether an agreement names
    this server's key; one that names another is served, and logged, because no client will call.
    ``before``: told of all that are signed, before any of them is served.
    """

    def __init__(
        self,
        folder: Path,
        names_this_server: Callable[[Agreement], bool],
        before: Callable[[Collection[SignedAgreement]], object] = len,
    ) -> None:
        self._folder = AgreementFolder(folder)
        self._names_this_server = names_this_server
        self._before = before
        self._lock = threading.Lock()
        self._signed: dict[str, SignedAgreement] = {}
        self._told: set[tuple[str, bytes, str]] = set()
        self.reload()

    def reload(self) -> None:
        """Look at the folder again. Keeps what it had if the folder cannot be read.

        What is served is looked at first: nothing else in the folder delays a withdrawal.
        """
        try:
            self._end_withdrawn()
            loaded = self._folder.load()
        except OSError as e:
            _log.error("agreements_unreadable", error=e.strerror)
            return
        with self._lock:
            for signed in loaded:
                self._tell(signed)
            whole = {s.id: s for s in loaded if s.agreement is not None}
            try:
                self._before(whole.values())
            except StoreFaultError as e:
                # Serve none that is new; the next time it may do.
                _log.error("agreements_waiting", error=str(e))
                whole = {i: s for i, s in whole.items() if i in self._signed}
            self._signed = whole

    def _end_withdrawn(self) -> None:
        with self._lock:
            found = self._folder.load_some(self._signed)
            left = {signed.id for signed in found if signed.agreement is not None}
            self._signed = {i: signed for i, signed in self._signed.items() if i in left}

    def get(self, agreement_id: str) -> SignedAgreement | None:
        """A fully signed agreement, or None."""
        return self._signed.get(agreement_id)

    def of_party(self, agreement_id: str, party: str) -> tuple[SignedAgreement, Agreement]:
        """An agreement as one of its parties may see it; an outsider cannot tell that it exists."""
        signed = self.get(agreement_id)
        agreement = signed.agreement if signed else None
        if signed is None or agreement is None or party not in {p.id for p in agreement.parties}:
            raise Refusal(Reason.AGREEMENT_NOT_FOUND, agreement=agreement_id)
        return signed, agreement

    def all(self) -> list[SignedAgreement]:
        """Every fully signed agreement."""
        return list(self._signed.values())

    def ids_of(self, party: str) -> list[str]:
        """Ids of the agreements that ``party`` is a party to, sorted."""
        return sorted(
            s.id
            for s in self._signed.values()
            if s.agreement and party in {p.id for p in s.agreement.parties}
        )

    def _tell(self, signed: SignedAgreement) -> None:
        """Log what is wrong with a file, once for each version of the file."""
        findings = [(p.code, p.where) for p in signed.problems] or [("loaded", "")]
        for code, where in findings:
            key = (signed.id, signed.digest, code + where)
            if key in self._told:
                continue
            self._told.add(key)
            if signed.agreement is None:
                _log.warning("agreement_refused", agreement=signed.id, problem=code, where=where)
            else:
                _log.info("agreement_loaded", agreement=signed.id, digest=signed.digest.hex())
                if not self._names_this_server(signed.agreement):
                    _log.warning("agreement_names_another_server", agreement=signed.id)
