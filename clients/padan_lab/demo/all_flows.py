"""Every flow of the five example agreements, one demonstration after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from padan_lab.demo.demonstration import Played, Sizes, claim_folder, play, require_server
from padan_lab.demo.stopwatch import Announce
from padan_linkage.agreement import EXAMPLE_IDS, FlowKind, Mode, example, load_agreement


def performances() -> Iterator[tuple[str, str, str]]:
    """Agreement, flow and mode of each: the unit where it may, and once every way for the first."""
    for agreement_id in EXAMPLE_IDS:
        for flow in load_agreement(example(agreement_id)).flows:
            unit = flow.kind is not FlowKind.CONFIRMATION or Mode.UNIT in flow.modes
            yield agreement_id, flow.id, "unit" if unit else "direct"
            if flow.id == "asn-status":
                yield agreement_id, flow.id, "direct"
                yield agreement_id, flow.id, "auto"


def play_all(*, sizes: Sizes, folder: Path, announce: Announce) -> Iterator[Played]:
    """Play them all, each in a folder of its own."""
    require_server()
    claim_folder(folder)
    for agreement_id, flow_id, mode in performances():
        announce(f"{agreement_id} · {flow_id} · {mode}")
        yield play(
            agreement_id,
            flow_id,
            mode=mode,
            sizes=sizes,
            folder=folder / f"{agreement_id}.{flow_id}.{mode}",
            announce=lambda _: None,
        )
