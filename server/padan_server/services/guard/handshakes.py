"""What both ends of a call say of themselves: their software, and how far the past has come.

It travels in metadata, so that every call has it and no message need. A caller that says nothing
(somebody's own stubs) is served; one that speaks another protocol is not. Spec:
``proto/spec/30-unit-mode.md``, "Handshake" and "Heads".
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

import structlog
from google.protobuf.message import DecodeError

from padan.v1 import resources_pb2 as pb
from padan_linkage.crypto.heads import Head
from padan_linkage.crypto.software import PROTOCOL, software
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.log import Seldom
from padan_server.services.guard.call import Call, Chain
from padan_server.store.port import Store

_log = structlog.get_logger(__name__)

#: The key of the metadata, both ways.
METADATA = "padan-handshake-bin"
#: Bytes of a handshake. gRPC lets metadata have 8 KiB, in base64 (four bytes for three), and a
#: call has more than this in it: 16 heads of the longest names leave room for 40 steps and more.
_MOST_BYTES = 5 * 1024
#: Steps of an answer, and the bytes of one: a hash, its tag and its length.
_STEPS, _STEP_BYTES = 100, 34
#: What the lengths of heads grow by when there are steps in them.
_LENGTHS_BYTES = 32
_INSTANCE_BYTES = 16
#: The call that tells the past and changes nothing.
_PAST = "/padan.v1.AgreementService/GetAgreement"
_MADE_BY = re.compile(r"[A-Za-z0-9 .()+-]{0,60}")


def said(metadata: Iterable[tuple[str, str | bytes]] | None) -> pb.Handshake | None:
    """What the caller says of itself; None if it says nothing.

    Raises the refusal of one that speaks another protocol, and of what is no handshake.
    """
    for key, value in metadata or ():
        if key == METADATA and isinstance(value, bytes):
            return _checked(value)
    return None


def made_by(field: str, given: str) -> str:
    """The version that a caller says it runs, which goes into refusals: a short plain text."""
    if not _MADE_BY.fullmatch(given):
        raise field_invalid(field, "versi, paling banyak 60 aksara", "a version of 60 at most")
    return given


def _checked(value: bytes) -> pb.Handshake:
    try:
        handshake = pb.Handshake.FromString(value)
    except DecodeError:
        raise field_invalid(METADATA, "bukan pesan Handshake", "no message Handshake") from None
    version = made_by(f"{METADATA}.version", handshake.version)
    if handshake.protocol != PROTOCOL:
        raise Refusal(Reason.PROTOCOL_MISMATCH, version=version, served_by=software())
    return handshake


class Heads:
    """Tells the heads of what a call named, and what leads to them from those the caller knows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._instance = secrets.token_bytes(_INSTANCE_BYTES)
        self._seldom = Seldom()

    def require_compared(self, call: Call) -> None:
        """Refuse a caller that has compared the past of an earlier process of this server.

        That process may have known more: this one's directory may be a restored one.
        """
        # Spec 30, "Handshake", step 3.
        compared = call.said.instance if call.said else b""
        if compared not in {b"", self._instance} and call.method != _PAST:
            raise Refusal(Reason.SERVER_RESTARTED)

    def answer(self, call: Call) -> bytes:
        """The handshake that goes with an answer."""
        # Spec 30, "Heads", step 2.
        known = {head.name: head for head in call.said.heads} if call.said else {}
        told = pb.Handshake(version=software(), protocol=PROTOCOL, instance=self._instance)
        heads = {chain: self._store.head(*chain) for chain in call.chains}
        told.heads.extend(map(_shown, heads.values()))
        room = min(_STEPS, (_MOST_BYTES - _LENGTHS_BYTES - told.ByteSize()) // _STEP_BYTES)
        for mine, (chain, head) in zip(told.heads, heads.items(), strict=True):
            if head.name in known:
                steps = self._steps(call, chain, head, known[head.name], room)
                mine.steps.extend(steps)
                room -= len(steps)
        return told.SerializeToString()

    def _steps(
        self, call: Call, chain: Chain, head: Head, known: pb.Head, room: int
    ) -> list[bytes]:
        """What leads from a head that the caller knows to the present one, as far as there is room.

        Nothing where it knows what is not of the past: that is told to the operator.
        """
        there = known.generation, known.digest
        if known.store != head.store or there == (head.generation, head.digest):
            return []
        with self._store.read() as tx:
            then = tx.heads.at(*chain, known.generation)
            if then is not None and then.digest == known.digest:
                wanted = min(room, head.generation - known.generation)
                return tx.heads.steps(*chain, known.generation, wanted)
        # Spec 30, "Heads", step 4.
        untold = self._seldom.untold(f"{call.party} {head.name}")
        if untold is not None:
            _log.error(
                "head_unknown",
                party=call.party,
                head=head.name,
                generation=head.generation,
                known=known.generation,
                consequence="the caller refuses this server",
                remedy="if this directory was restored: padan-server accept restore --data-dir DIR",
            )
        return []


def _shown(head: Head) -> pb.Head:
    return pb.Head(name=head.name, store=head.store, generation=head.generation, digest=head.digest)
