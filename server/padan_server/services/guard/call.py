"""The call under way: who calls, and what the log may say of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

from padan.v1.resources_pb2 import Handshake
from padan_server.admission.enforcement import EITHER, Admission, Enforcement, Grant
from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import Role
from padan_server.services.guard.turns import Turn

G = TypeVar("G", bound=Admission)

#: The chain of heads of an agreement, or with a flow's id of the flow.
Chain = tuple[str, str]


class CallerGoneError(Exception):
    """Nobody waits for the answer any more."""


def _surely() -> bool:
    """Of a call that asks nobody."""
    return True


@dataclass
class Call:
    """One call. ``facts`` go into its log line: counts, and ids that have been found to exist.

    What a caller merely names is not noted, for it could name anything: a person, say. Hexadecimal
    ids are made by the unit and may be. ``said`` is the caller's handshake, ``chains`` those whose
    heads its answer tells. It is worked on :class:`~padan_server.base.pieces.InPieces`: ``turn``
    is what it has of turns, ``is_awaited`` whether its caller is there, in time.
    """

    method: str
    party: str = ""
    facts: dict[str, str | int] = field(default_factory=dict)
    said: Handshake | None = field(default=None, repr=False)
    chains: Collection[Chain] = ()
    turn: Turn | None = field(default=None, repr=False)
    is_awaited: Callable[[], bool] = field(default=_surely, repr=False)
    _conditions: dict[Hashable, Callable[[], object]] = field(default_factory=dict)

    def rests_on(self, name: Hashable, condition: Callable[[], object]) -> None:
        """Go on only as long as ``condition`` raises nothing."""
        self._conditions[name] = condition

    def check(self) -> None:
        """Raise the refusal of whatever the call rests on and no longer stands.

        The guard asks at every message of a stream, either way; a method that makes its caller wait
        asks meanwhile. For any thread.
        """
        # Spec 30, "What lasts".
        for condition in tuple(self._conditions.values()):
            condition()

    def between(self) -> None:
        """Give others their turn; raise what :meth:`check` does, and where nobody waits."""
        # Spec 30, "Fairness", step 4.
        if self.turn is not None:
            self.turn.pass_on()
        if not self.is_awaited():
            raise CallerGoneError
        self.check()

    def over(self) -> None:
        """Let go of gRPC's own call: whoever remembers this one must not keep that one's stream."""
        self.turn, self.is_awaited = None, _surely

    def waiting(self) -> AbstractContextManager[None]:
        """Without a turn while the block waits."""
        return nullcontext() if self.turn is None else self.turn.aside()

    def admitted(self, admit: Callable[[], G]) -> G:
        """What ``admit`` grants, for as long as it grants the same."""
        grant = admit()

        def same() -> None:
            if admit().key != grant.key:
                raise Refusal(Reason.AGREEMENT_SUPERSEDED, **grant.metadata)

        self.rests_on(grant.key, same)
        agreement, flow = grant.key.agreement, grant.key.flow
        self.note(agreement=agreement, flow=flow)
        self.chains = (agreement, ""), (agreement, flow)
        return grant

    def note(self, **facts: str | int) -> None:
        """Add facts to the log line."""
        self.facts.update(facts)


_current: ContextVar[Call] = ContextVar("padan_call")


def current_call() -> Call:
    """The call that this thread serves; LookupError outside one."""
    return _current.get()


def set_call(call: Call) -> None:
    """Say which call this thread serves; the interceptor's business alone."""
    _current.set(call)


def admitted(
    enforcement: Enforcement,
    agreement_id: str,
    flow_id: str,
    *,
    roles: Collection[Role] = EITHER,
    erasing: bool = False,
    call: Call | None = None,
) -> Grant:
    """What :meth:`.Enforcement.admit` grants the caller, as long as the call lasts.

    Only a thread that does not serve the call itself need name it.
    """
    call = call or current_call()
    asked = call.party, agreement_id, flow_id
    return call.admitted(lambda: enforcement.admit(*asked, roles=roles, erasing=erasing))
