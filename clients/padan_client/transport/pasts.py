"""What a server says of its past and its software, compared with what this home knows of it.

It comes with every answer. A server that has gone back, shows another past or speaks another
protocol is refused: what it was told to stop may be going on there. Spec
``proto/spec/30-unit-mode.md``, "Handshake" and "Heads".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from google.protobuf.message import DecodeError

from padan.v1 import resources_pb2 as pb
from padan.v1.reason_texts import Reason, ServerKind
from padan_client.base.errors import MismatchError, PadanError, VerificationError
from padan_client.base.reasons import about, refusal
from padan_client.base.version import software
from padan_client.home.protection.known_heads import GivenHeads, KnownHeads, KnownServerPast
from padan_linkage.crypto.heads import CHAIN_NAME, MOST_EVENTS, STORE_BYTES, Head, chain_name
from padan_linkage.crypto.software import PROTOCOL, shown

#: As gRPC takes it: binary where the key ends in «-bin».
Metadata: TypeAlias = tuple[tuple[str, str | bytes], ...]

_METADATA = "padan-handshake-bin"
_DIGEST_BYTES = 32

#: The call that tells a server's past and changes nothing.
PAST = "AgreementService.GetAgreement"
#: Calls whose answers must tell the heads of the agreement, and of the flow.
_OF_AGREEMENT = frozenset(
    f"AgreementService.{name}Agreement" for name in ("Get", "Suspend", "Resume")
)
_OF_FLOW = frozenset(
    {
        "ConfirmationService.ConfirmRecords",
        "DatasetService.CommitDataset",
        "DirectService.CreateBlindedList",
        "RunService.CreateRun",
    }
)
#: Asked many times a second: what moves then is written when a second has passed, or at the end.
_FREQUENT = frozenset({"ConfirmationService.ConfirmRecords"})


class ServerPastError(VerificationError):
    """A server's past is not the one that this home has seen."""


@dataclass(frozen=True, repr=False, eq=False)
class Sent:
    """What was known when a call was sent: an answer may not be behind it.

    ``compared``: whether the past of ``instance`` had been compared.
    """

    past: KnownServerPast
    instance: bytes
    metadata: Metadata
    compared: bool = False

    def stands_for(self, compared: bytes | None) -> bool:
        """Whether it is what is sent where that instance was compared, None for none."""
        return (self.instance, self.compared) == (compared or b"", compared is not None)

    @property
    def known(self) -> Mapping[str, Head]:
        """The heads that were known, by name."""
        return self.past.heads


_NOTHING = KnownServerPast()


class Pasts:
    """The pasts of one agreement's servers, as a link sees them; for many threads.

    Without ``heads`` nothing is compared and nothing kept: software and protocol alone count.
    ``seen`` has what each server told last.
    """

    #: Times that a home asks anew to catch up with a server, forty events or more each.
    MOST_ROUNDS: ClassVar[int] = 100_000

    def __init__(
        self, heads: KnownHeads | GivenHeads | None = None, agreement: str = "", flow: str = ""
    ) -> None:
        self._heads = heads
        self.agreement = agreement
        self._flow = flow
        self.seen: dict[ServerKind, KnownServerPast] = {}
        self._before: dict[ServerKind, Sent] = {}
        self._certain: dict[ServerKind, tuple[str, Sent, bytes]] = {}
        self._compared: dict[ServerKind, bytes] = {}

    def unseen(self, sent: Sent, method: str) -> bool:
        """Whether the server's past is to be asked for before this call, which may change things.

        A refusal after a change would be untrue: it has been made.
        """
        return self._heads is not None and not sent.compared and method != PAST

    def restarted(self, server: ServerKind, refused: PadanError) -> bool:
        """Whether a call was refused because another process answers than the one compared.

        Its past is to be asked for before the call is repeated.
        """
        # Spec 30, "Handshake", step 3.
        if refused.reason != Reason.SERVER_RESTARTED:
            return False
        self._compared.pop(server, None)
        return True

    def before(self, server: ServerKind) -> Sent:
        """What to send with a call to ``server``. Raises BadInputError for an unreadable file."""
        past = self._heads.of(server) if self._heads else _NOTHING
        instance = self._compared.get(server)
        before = self._before.get(server)
        if before is not None and before.past is past and before.stands_for(instance):
            return before
        heads = [
            pb.Head(name=h.name, store=h.store, generation=h.generation, digest=h.digest)
            for h in past.heads.values()
        ]
        compared, name = instance is not None, instance or b""
        said = pb.Handshake(version=software(), protocol=PROTOCOL, heads=heads, instance=name)
        metadata = ((_METADATA, said.SerializeToString()),)
        made = self._before[server] = Sent(past, name, metadata, compared)
        return made

    def after(self, server: ServerKind, method: str, sent: Sent, trailing: Iterable[Any]) -> bool:
        """Compare what came with an answer; False if the server has more to tell before it is sure.

        Raises ServerPastError, and MismatchError for another protocol.
        """
        value = _value(trailing)
        if value and self._certain.get(server) == (method, sent, value):
            return True  # the same answer to the same question: nothing has happened
        # Spec 30, "Handshake", step 2.
        told = _told(server, value)
        if told.protocol != PROTOCOL:
            raise _other_protocol(server, told.version)
        heads = [_head(server, each) for each in told.heads]
        self.seen[server] = KnownServerPast(told.version, {head.name: head for head in heads})
        if self._heads is None:
            return True
        self._require_told(server, method, sent, heads)
        reached, certain = {}, True
        steps_left = sum(len(each.steps) for each in told.heads)
        for head, each in zip(heads, told.heads, strict=True):
            if not self._is_ours(head.name):
                continue
            known = sent.known.get(head.name) or _first_sight(head, sent.past)
            now = self._seen_from(server).reached(known, head, each.steps, more=steps_left > 0)
            certain = certain and now.generation == head.generation
            if now != sent.known.get(head.name):
                reached[head.name] = now
        self._keep(server, method, told.version, reached)
        self._compared[server] = told.instance
        if certain and not reached:
            self._certain[server] = method, sent, value
        return certain

    def flush(self) -> None:
        """Write what waits."""
        if self._heads is not None:
            self._heads.flush()

    def _keep(
        self, server: ServerKind, method: str, software_there: str, moved: Mapping[str, Head]
    ) -> None:
        assert self._heads is not None
        if moved or self._heads.of(server).software != software_there:
            seen = KnownServerPast(software_there, moved)
            self._heads.keep(server, seen, at_once=method not in _FREQUENT)

    def _seen_from(self, server: ServerKind) -> _SeenFrom:
        where = f" --flow {self._flow}" if server is ServerKind.PROVIDER else ""
        return _SeenFrom(server, f"padan agreement accept-restore {self.agreement}{where}")

    def _is_ours(self, name: str) -> bool:
        own = chain_name(self.agreement)
        return name == own or name.startswith(f"{own}/flows/")

    def _require_told(
        self, server: ServerKind, method: str, sent: Sent, heads: Sequence[Head]
    ) -> None:
        """A server that leaves out what it told before hides it."""
        wanted = set()
        if method in _OF_AGREEMENT:
            wanted = {chain_name(self.agreement)}
        elif method in _OF_FLOW:
            wanted = {chain_name(self.agreement), chain_name(self.agreement, self._flow)}
        missing = (wanted & sent.known.keys()) - {head.name for head in heads}
        if missing:
            known = sent.known[min(missing)]
            raise _hidden(server, known)


def _value(trailing: Iterable[Any]) -> bytes:
    """The handshake as it came; empty where there is none."""
    return next((v for k, v in trailing if k == _METADATA and isinstance(v, bytes)), b"")


def _told(server: ServerKind, value: bytes) -> pb.Handshake:
    if not value:
        raise _other_protocol(server, "")
    try:
        return _parse(value)
    except DecodeError:
        raise _no_handshake(server) from None


def _parse(value: bytes) -> pb.Handshake:
    return pb.Handshake.FromString(value)


def _head(server: ServerKind, given: pb.Head) -> Head:
    well_formed = (
        len(given.store) == STORE_BYTES
        and len(given.digest) == _DIGEST_BYTES
        and 0 <= given.generation <= MOST_EVENTS
        and re.fullmatch(CHAIN_NAME, given.name) is not None
        and all(len(step) == _DIGEST_BYTES for step in given.steps)
    )
    if not well_formed:
        raise _no_handshake(server)
    return Head(given.name, given.store, given.generation, given.digest)


def _first_sight(head: Head, past: KnownServerPast) -> Head:
    """What a chain that was never seen is compared with: its server's store, if that is known.

    A server has one store, so a new chain of another is no first sight.
    """
    if head.store in past.stores or not past.heads:
        return head
    return past.heads[min(past.heads)]


@dataclass(frozen=True)
class _SeenFrom:
    """A server's past as an agreement and flow see it; ``accept``: the command that accepts it."""

    server: ServerKind
    accept: str

    def reached(self, known: Head, head: Head, steps: Sequence[bytes], *, more: bool) -> Head:
        """How far the way from what is known to what was told can be followed.

        ``more``: the answer had steps of this or of another chain, so the rest may come with the
        next.
        """
        # Spec 30, "Heads", step 3.
        if head.store != known.store:
            raise self._other_store(known, head)
        if head.generation < known.generation:
            raise self._behind(known, head)
        left = head.generation - known.generation
        reached = known.followed_by(steps[:left])
        if len(steps) > left or (left and not more):
            raise self._another_past(known)
        if reached.generation == head.generation and reached != head:
            raise self._another_past(known)
        return reached

    def _behind(self, known: Head, head: Head) -> ServerPastError:
        return self._gone_back(
            f"{{Server}} mundur: pada {known.name} di sini sudah terlihat kejadian ke-"
            f"{known.generation}, sekarang ia baru sampai ke-{head.generation}.",
            f"{{Server}} has gone back: event {known.generation} of {known.name} was seen here, "
            f"and now it has come to {head.generation}.",
        )

    def _another_past(self, known: Head) -> ServerPastError:
        return self._gone_back(
            "{Server} menunjukkan riwayat lain daripada yang terlihat di sini sampai kejadian "
            f"ke-{known.generation} pada {known.name}.",
            f"{{Server}} shows another past than the one seen here up to event {known.generation} "
            f"of {known.name}.",
        )

    def _gone_back(self, indonesian: str, english: str) -> ServerPastError:
        """What was seen, what may be the matter, and what to do."""
        advice = (text.format(accept=self.accept) for text in _RESTORED)
        said = (f"{seen} {do}" for seen, do in zip((indonesian, english), advice, strict=True))
        return ServerPastError(about(self.server, *said))

    def _other_store(self, known: Head, head: Head) -> ServerPastError:
        return ServerPastError(
            about(
                self.server,
                f"{{Server}} memulai riwayat baru (basis data {head.store.hex()[:8]}, semula "
                f"{known.store.hex()[:8]}): yang terlihat di sini, juga penangguhan, mungkin tidak "
                "diketahui lagi di sana. Tanyakan kepada {operator} apa yang hilang. Bila ia telah "
                "menyatakan pemulihan atau kehilangan itu, perjanjian ditangguhkan di sana sampai "
                f"semua pihak mengakhirinya; terima lalu dengan {self.accept}, yang memeriksanya.",
                f"{{Server}} began a new past (store {head.store.hex()[:8]}, before "
                f"{known.store.hex()[:8]}): what was seen here, suspensions too, may not be known "
                "there any more. Ask {operator} what was lost. If the restore or the loss has been "
                "declared, the agreement is suspended there until all parties end that; accept it "
                f"then by {self.accept}, which looks whether it was.",
            )
        )


def _hidden(server: ServerKind, known: Head) -> ServerPastError:
    return ServerPastError(
        about(
            server,
            f"{{Server}} tidak lagi mengatakan sampai mana {known.name} (di sini terlihat "
            f"kejadian ke-{known.generation}). Tidak ada yang dilanjutkan; tanyakan kepada "
            "{operator}.",
            f"{{Server}} no longer says how far {known.name} has come (event {known.generation} "
            "was seen here). Nothing goes on; ask {operator}.",
        )
    )


#: What may be the matter with a server that went back, and what to do.
_RESTORED = (
    "Mungkin ia dipulihkan dari cadangan: penangguhan dan kuota dapat kembali ke keadaan lama, "
    "jadi tidak ada yang dilanjutkan. Minta {{operator}} menyatakan pemulihan itu (padan-server "
    "accept restore), lalu terima: {accept}.",
    "It may have been restored from a backup: suspensions and quotas may be what they were, so "
    "nothing goes on. Ask {{operator}} to declare the restore (padan-server accept restore), then "
    "accept it: {accept}.",
)


def _no_handshake(server: ServerKind) -> VerificationError:
    return VerificationError(
        about(
            server,
            "Jabat tangan {server} tidak terbaca. Periksa bahwa alamat itu benar alamat {server}.",
            "The handshake of {server} cannot be read. Check that the address is that of {server}.",
        )
    )


def _other_protocol(server: ServerKind, there: str) -> MismatchError:
    """As the server itself refuses; ``there`` is empty where it is too old to say what it is."""
    served_by = shown(there) if there else about(server, "yang lebih lama", "an older one")
    fields = {"version": software(), "served_by": served_by}
    made = refusal(Reason.PROTOCOL_MISMATCH, fields, server)
    assert isinstance(made, MismatchError)
    return made
