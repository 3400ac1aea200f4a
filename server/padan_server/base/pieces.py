"""Work in pieces: what a long call does to leave others their turn, and to be stopped."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class InPieces(Protocol):
    """One call's work, as whoever does it sees it. For the call's own thread, which holds no lock.

    A lock that is held where a turn is waited for stops whoever has the turn and wants the lock.
    """

    def between(self) -> None:
        """One piece is done: others have their turn. Raises what ends the call."""
        ...

    def waiting(self) -> AbstractContextManager[None]:
        """While the block waits, for the disk say, others have their turn."""
        ...


class _InOnePiece:
    """Work that takes nobody's turn."""

    def between(self) -> None:
        """Go on."""

    def waiting(self) -> AbstractContextManager[None]:
        """Wait."""
        return nullcontext()


#: Of what no call does: a thread of the server's own, say.
IN_ONE_PIECE = _InOnePiece()
