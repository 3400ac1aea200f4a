"""The call under way: who calls, and what the log may say of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Hashable
from contextvars import ContextVar
from dataclasses import dataclass, field

from padan_server.admission.enforcement import EITHER, Admission, Enforcement, Grant
from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import Role


@dataclass
class Call:
    """One call. ``facts`` go into its log line: counts, and ids that have been found to exist.

    What a caller merely names is not noted, for it could name anything: a person, say. Hexadecimal
    ids are made by the unit and may be.
    """

    method: str
    party: str = ""
    facts: dict[str, str | int] = field(default_factory=dict)

    def note(self, **facts: str | int) -> None:
        """Add facts to the log line."""
        self.facts.update(facts)

    def note_grant(self, grant: Admission) -> None:
        """Add the agreement and flow of an admitted call."""
        self.note(agreement=grant.key.agreement, flow=grant.key.flow)


class UnderWay:
    """Calls under way by account, so that nobody takes every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[Hashable] = Counter()

    def begin(self, account: Hashable, share: int) -> None:
        """Count a call, or refuse it where the account has ``share`` of them."""
        # Spec 30, "Transport", step 5.
        with self._lock:
            if self._calls[account] >= share:
                raise Refusal(Reason.TOO_MANY_CALLS, limit=share)
            self._calls[account] += 1

    def end(self, account: Hashable) -> None:
        """Uncount a call; an account without any is forgotten."""
        with self._lock:
            self._calls[account] -= 1
            if not self._calls[account]:
                del self._calls[account]


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
    """What :meth:`.Enforcement.admit` grants the caller, in the call's log line too.

    Only a thread that does not serve the call itself need name it.
    """
    call = call or current_call()
    grant = enforcement.admit(call.party, agreement_id, flow_id, roles=roles, erasing=erasing)
    call.note_grant(grant)
    return grant
