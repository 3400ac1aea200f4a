"""Which flow is demonstrated: of an example agreement, or of an agreement's file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_linkage.agreement import (
    EXAMPLE_IDS,
    AgreementError,
    Flow,
    FlowKind,
    Mode,
    Risk,
    example,
    load_agreement,
)

_NEEDED = {
    "unit": {Mode.UNIT},
    "direct": {Mode.DIRECT},
    "auto": {Mode.UNIT, Mode.DIRECT},
}
#: What an agreement accepts under which several lists are asked in one epoch (spec 11).
_RISKS = (Risk.REPEATS, Risk.DELTAS)
#: The ids of what :func:`with_filters` adds.
FILTER_PASSES = ("lahir-depan", "lahir-belakang")
_FILTERED = "".join(
    f"""
[[flow.schema.passes]]
id = "lahir-{part}"
exact = ["tanggal_lahir", "nik:area", "nama:phonetic_{end}"]
similar = [{{ fields = ["nama"], bits = 512, weight = 150, diffusion = 12 }}]
bucket_bits = 16
"""
    for part, end in (("depan", "first"), ("belakang", "last"))
)


@dataclass(frozen=True)
class ChosenFlow:
    """A flow, the agreement that it stands in, and how it is asked.

    ``document`` is the agreement's file without anybody's keys. ``widened``: whether it was changed
    for the demonstration, so that an epoch may see several lists.
    """

    agreement_id: str
    document: bytes
    flow: Flow
    mode: str
    widened: bool = False

    @classmethod
    def of(cls, agreement: str | None, flow: str, mode: str) -> ChosenFlow:
        """``flow`` as ``ID`` or ``ID/AGREEMENT``; an agreement is an example's id or a file.

        Without an agreement the example that has such a flow. Raises BadInputError for what is not
        there, and for a flow that cannot be asked so.
        """
        if mode not in _NEEDED:
            raise BadInputError("--mode unit | direct | auto")
        name, _, other = flow.partition("/")
        document = _document(other or agreement or _home_of(name))
        try:
            loaded = load_agreement(document)
        except AgreementError as e:
            raise BadInputError(t(str(e), e.english())) from e
        return cls(loaded.id, document, _flow(loaded.flows, loaded.id, name, mode), mode)

    def asked_often(self, lists: int) -> ChosenFlow:
        """The same under an agreement that takes so many lists in one epoch."""
        if lists < 2:
            return self
        document = several_lists(self.document, lists)
        flow, widened = load_agreement(document).flow(self.flow.id), document != self.document
        return replace(self, document=document, flow=flow, widened=widened)

    def opening_alone(self) -> ChosenFlow:
        """The same under an agreement whose weak keys of direct mode answer by themselves.

        Raises BadInputError where there are none, or the file does not write them as examples do.
        """
        document = weak_alone(self.document)
        try:
            flow = load_agreement(document).flow(self.flow.id)
        except AgreementError as e:
            raise BadInputError(t(str(e), e.english())) from e
        keys = flow.direct.keys if flow.direct and self.mode != "unit" else ()
        if not any(key.alone for key in keys) or any(key.shared for key in keys):
            raise BadInputError(
                t(
                    f"Alur {flow.id} dalam mode {self.mode} tidak punya kunci lemah yang dapat "
                    "membuka sendiri; --weak-alone hanya untuk mode direct dan auto.",
                    f"Flow {flow.id} in mode {self.mode} has no weak keys that could open alone; "
                    "--weak-alone is for modes direct and auto.",
                )
            )
        return replace(self, document=document, flow=flow)

    @classmethod
    def confirming(cls, agreement: str | None, flow: str, mode: str) -> ChosenFlow:
        """The same of a flow that confirms. Raises BadInputError for one that releases."""
        chosen = cls.of(agreement, flow, mode)
        if chosen.flow.kind is not FlowKind.CONFIRMATION:
            raise BadInputError(
                t(
                    f"Alur {chosen.flow.id} menerbitkan rilis; pilih alur yang mengonfirmasi.",
                    f"Flow {chosen.flow.id} releases; choose one that confirms.",
                )
            )
        return chosen


def _home_of(flow_id: str) -> str:
    """The first example with a flow of that id; one to be refused with where there is none."""
    for name in EXAMPLE_IDS:
        if any(flow.id == flow_id for flow in load_agreement(example(name)).flows):
            return name
    return EXAMPLE_IDS[0]


def _document(agreement: str) -> bytes:
    if agreement in EXAMPLE_IDS:
        return example(agreement)
    if agreement.endswith(".toml") and Path(agreement).is_file():
        return Path(agreement).read_bytes()
    known = ", ".join(EXAMPLE_IDS)
    raise BadInputError(
        t(
            f"Tidak ada contoh perjanjian {agreement}; yang ada: {known}, atau berkas .toml.",
            f"There is no example agreement {agreement}; there are: {known}, or a .toml file.",
        )
    )


def _flow(flows: tuple[Flow, ...], agreement_id: str, flow_id: str, mode: str) -> Flow:
    """The flow, if it can be demonstrated in this mode."""
    usable = {flow.id: flow for flow in flows if _answers(flow, mode)}
    if flow_id not in usable:
        shown = ", ".join(usable) or "–"
        raise BadInputError(
            t(
                f"Alur {flow_id} pada {agreement_id} tidak dapat diperagakan dalam mode {mode}; "
                f"pilih: {shown}.",
                f"Flow {flow_id} of {agreement_id} cannot be demonstrated in mode {mode}; choose "
                f"one of: {shown}.",
            )
        )
    return usable[flow_id]


def _answers(flow: Flow, mode: str) -> bool:
    """Whether the flow is asked in this mode; one that releases goes through the unit."""
    if flow.kind is FlowKind.CONFIRMATION:
        return _NEEDED[mode] <= set(flow.modes)
    return mode == "unit"


def with_filters(document: bytes, flow: str = "asn-status") -> bytes:
    """An agreement's file whose ``flow``, of people with NIK, name and birth date, accepts filters.

    No example has any: benches, games and tests of filters ask for them. Two passes are put at the
    end of the schema (:data:`FILTER_PASSES`).
    """
    before, name, after = document.decode().partition(f'\nid = "{flow}"\n')
    body, following, rest = after.partition("\n[[flow]]\n")
    schema, direct, keys = body.partition("\n[flow.direct]\n")
    lines = f"{schema.rstrip()}\n{_FILTERED}".splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if line.startswith("modes = ["))
    lines[at : at + 2] = _accepting(lines[at], lines[at + 1], (Risk.FILTERS,))
    return "".join([before, name, *lines, direct, keys, following, rest]).encode()


def weak_alone(document: bytes) -> bytes:
    """An agreement's file whose weak keys open alone, as the examples write them."""
    return re.sub(rb"\bweak = true(?!, alone)", b"weak = true, alone = true", document)


def several_lists(document: bytes, lists: int) -> bytes:
    """An agreement's file with ``lists`` an epoch and the risks accepted, where it says nothing.

    Changes the lines ``quota = {`` and ``modes = [`` alone, as the examples write them.
    """
    lines = document.decode().splitlines(keepends=True)
    limits = {"lists_per_epoch": lists, "lists_per_year": 12 * lists}
    for number, line in enumerate(lines):
        if line.startswith("quota = {"):
            unsaid = [f" {name} = {limit}," for name, limit in limits.items() if name not in line]
            lines[number] = line.replace("{", f"{{{''.join(unsaid)}", 1)
        if line.startswith("modes = [") and '"unit"' in line:
            lines[number : number + 2] = _accepting(line, lines[number + 1], _RISKS)
    return "".join(lines).encode()


def _accepting(modes: str, following: str, risks: Sequence[str]) -> tuple[str, str]:
    """The line of the modes and the one behind it, with these risks accepted.

    Where the file says that nothing is accepted, that stands.
    """
    if following.startswith("accepts = []"):
        return modes, following
    if not following.startswith("accepts = ["):
        named = ", ".join(f'"{risk}"' for risk in risks)
        return f"{modes}accepts = [{named}]\n", following
    missing = [f', "{risk}"' for risk in risks if f'"{risk}"' not in following]
    return modes, following.replace("]", f"{''.join(missing)}]", 1)
