"""What a refusal says to the user of the client: ``proto/reasons.toml``, in one language."""

from __future__ import annotations

from collections.abc import Mapping

from padan.v1.reason_texts import WORDINGS, Reason, ServerKind, worded
from padan_client.base.errors import MismatchError, RefusedError
from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.base.place import FlowPlace

_MISMATCHES = frozenset(
    {
        Reason.SCHEMA_MISMATCH,
        Reason.NORMALISER_MISMATCH,
        Reason.KEY_CHECK_MISMATCH,
        Reason.EPOCH_MISMATCH,
        Reason.PROTOCOL_MISMATCH,
    }
)
#: What in a refusal is a count, and not a name of digits.
_COUNTS = frozenset({"limit", "used", "committed_rows"})


def refused(
    reason: str, place: FlowPlace, server: ServerKind = ServerKind.UNIT, **fields: str
) -> RefusedError:
    """The refusal that ``server`` would answer with in the flow, foreseen or told by its state."""
    named = {"agreement": place.agreement.id, "flow": place.flow.id, **fields}
    return refusal(reason, named, server)


def refusal(
    reason: str, metadata: Mapping[str, str], server: ServerKind = ServerKind.UNIT
) -> RefusedError:
    """The error of a refusal with that ``reason``, which may be one unknown to this client."""
    kind = MismatchError if reason in _MISMATCHES else RefusedError
    return kind(explain(reason, metadata, server), reason, metadata)


def explain(reason: str, metadata: Mapping[str, str], server: ServerKind = ServerKind.UNIT) -> str:
    """The sentence for ``reason``, naming agreement, flow and article where they are known."""
    wording = WORDINGS.get(reason)
    if wording is None:
        return about(
            server,
            f"{{Server}} menolak dengan alasan yang tidak dikenal klien ini ({reason}). "
            "Perbarui Padan.",
            f"{{Server}} refused for a reason unknown to this client ({reason}). Update Padan.",
        )
    counts = {k: number(int(metadata[k])) for k in _COUNTS if metadata.get(k, "").isdecimal()}
    text = t(*worded(wording.texts, server, {**metadata, **counts}))
    place = " / ".join(metadata[k] for k in ("agreement", "flow") if k in metadata)
    return f"{text} [{place}: {reason}]" if place else f"{text} [{reason}]"


def about(server: ServerKind, indonesian: str, english: str) -> str:
    """A text that calls the server ``{server}``, at the beginning of a sentence ``{Server}``."""
    return t(*worded((indonesian, english), server, {}))
