"""Takes in the answers of one pass, message by message, and believes none before it is checked.

Spec ``proto/spec/30-unit-mode.md``, "Answers". A message is taken whole or not at all, so a broken
stream goes on at :attr:`PassCollector.next_row`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan.v1 import confirmation_service_pb2, resources_pb2, run_service_pb2
from padan_client.base.errors import VerificationError
from padan_client.base.language import t
from padan_linkage.answering.answers import PassAnswers, PassCounts
from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    MATCHED,
    NOT_MATCHED,
    UNDECIDED,
)
from padan_linkage.crypto.epochs import EXCHANGE_KEY_BYTES
from padan_linkage.crypto.sealing import SEAL_ID_BYTES
from padan_linkage.schema import SEALED_CODE_BYTES, Pass


@dataclass(frozen=True)
class SealKey:
    """Public half of how a registry's codes are sealed."""

    seal_id: bytes
    encapsulated_key: bytes


class PassCollector:
    """Collects the answers to ``row_count`` rows of pass ``p``."""

    def __init__(self, p: Pass, row_count: int) -> None:
        self._pass = p
        self._count = row_count
        self._pieces: list[PassAnswers] = []
        self._at_head = True
        self.next_row = 0
        self._seal: SealKey | None = None

    @property
    def complete(self) -> bool:
        """Whether every row has its answer."""
        return self.next_row == self._count

    def begin_stream(self) -> None:
        """A stream starts (again): its first message may bring the seal alone."""
        self._at_head = True

    def take(self, message: run_service_pb2.StreamResultsResponse) -> None:
        """Take one message of the stream.

        Raises VerificationError where the message breaks the protocol.
        """
        sealed = message.HasField("seal")
        if not message.rows.row_count and not (sealed and self._at_head):
            raise broken(self._pass.id, "row_count")  # such a stream could go on for ever
        self._at_head = False
        if sealed:
            self.take_seal(message.seal)
        if message.rows.row_count:
            self.take_rows(message.rows)

    def take_all(self, response: confirmation_service_pb2.ConfirmRecordsResponse) -> None:
        """Take the one response of a real-time call."""
        self.take_seal(response.seal)
        self.take_rows(response.rows)
        self.require_complete()

    def take_seal(self, seal: resources_pb2.Seal) -> None:
        """Take the seal; a stream that goes on repeats it unchanged."""
        given = SealKey(seal.seal_id, seal.encapsulated_key)
        sizes = (len(given.seal_id), len(given.encapsulated_key))
        if sizes != (SEAL_ID_BYTES, EXCHANGE_KEY_BYTES) or self._seal not in {None, given}:
            raise broken(self._pass.id, "seal")
        self._seal = given

    def take_rows(self, rows: resources_pb2.MatchedRows) -> None:
        """Take one piece of the answers: right pass, next rows, columns of the right length."""
        if self._seal is None:
            raise broken(self._pass.id, "seal")
        if rows.pass_id != self._pass.id:
            raise broken(self._pass.id, "pass_id")
        if rows.row_offset != self.next_row or not 0 < rows.row_count <= (
            self._count - self.next_row
        ):
            raise broken(self._pass.id, "row_offset, row_count")
        self._pieces.append(self._piece(rows))
        self.next_row += rows.row_count

    def require_complete(self) -> None:
        """Raise VerificationError if the stream ended before the last row."""
        if not self.complete:
            raise broken(self._pass.id, "row_count")

    @property
    def seal(self) -> SealKey:
        """What opens the codes. Raises VerificationError if the answer came without."""
        if self._seal is None:
            raise broken(self._pass.id, "seal")
        return self._seal

    def answers(self) -> PassAnswers:
        """The whole answer. Raises VerificationError if rows are missing."""
        self.require_complete()
        return PassAnswers.joined(self._pieces)

    def _piece(self, rows: resources_pb2.MatchedRows) -> PassAnswers:
        """The answers of a message, every column of the right length, with values that can be."""
        outcome = np.frombuffer(rows.outcomes, np.uint8)
        if (
            len(outcome) != rows.row_count
            or not np.isin(outcome, (NOT_MATCHED, MATCHED, AMBIGUOUS, UNDECIDED)).all()
        ):
            raise broken(self._pass.id, "outcomes")
        matched = int((outcome == MATCHED).sum())

        def column(name: str, width: int) -> NDArray[np.uint8]:
            packed = np.frombuffer(getattr(rows, name), np.uint8)
            if len(packed) != matched * width:
                raise broken(self._pass.id, name)
            return packed.reshape(matched, width)

        sealed = column("sealed_codes", SEALED_CODE_BYTES)
        confirmations = column("confirmations", math.ceil(len(self._pass.confirm) / 8))
        return PassAnswers(self._pass.id, outcome, sealed, confirmations)


def pass_counts(message: resources_pb2.PassCounts) -> PassCounts:
    """How the unit says that a pass answered; figures for a reader, nothing rests on them."""
    return PassCounts(
        pass_id=message.pass_id,
        requester_rows=message.requester_rows,
        provider_rows=message.provider_rows,
        matched_rows=message.matched_rows,
        ambiguous_rows=message.ambiguous_rows,
        undecided_rows=message.undecided_rows,
    )


def broken(pass_id: str, field: str) -> VerificationError:
    """The unit's answer is not what the protocol allows; says where, never what."""
    return VerificationError(
        t(
            f"Jawaban unit pemadanan tidak sah (jalur {pass_id}, {field}). Tidak ada kode yang "
            "diterima dari jawaban ini; hubungi operator unit.",
            f"The linkage unit's answer is invalid (pass {pass_id}, {field}). No code was taken "
            "from it; ask the unit's operator.",
        )
    )
