"""The demonstration itself: generate, publish, confirm, compare with the truth."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.util
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from padan_client.demo.dressing import dressed, in_words
from padan_client.demo.score import Score, score
from padan_client.demo.stage import Stage, prepare, running
from padan_client.errors import BadInputError
from padan_client.generate import ID_COLUMN, Demo, generate_demo
from padan_client.language import t
from padan_linkage.agreement import EXAMPLE_IDS, JAKARTA, Flow, example, load_agreement

_MARKER = ".padan-demo"

Announce = Callable[[str], None]


@dataclass(frozen=True)
class Played:
    """What a demonstration showed. ``seconds`` by stage; ``confirmed`` is the CLI's own JSON."""

    stage: Stage
    flow: Flow
    mode: str
    population: int
    candidates: int
    confirmed: dict[str, Any]
    score: Score
    seconds: dict[str, float]

    def as_json(self) -> dict[str, object]:
        """The object that ``padan demo --json`` prints."""
        return {
            "agreement": self.stage.agreement_id,
            "flow": self.stage.flow_id,
            "mode": self.mode,
            "ways": self.confirmed["ways"],
            "population": self.population,
            "candidates": self.candidates,
            "counts": self.confirmed["counts"],
            "precision": self.score.precision,
            "recall": self.score.recall,
            "in_registry": self.score.in_registry,
            "found": self.score.found,
            "right": self.score.right,
            "seconds": round(sum(self.seconds.values()), 2),
            "stages": {name: round(value, 2) for name, value in self.seconds.items()},
            "simulated_time": self.stage.simulated_time,
            "out": str(self.stage.folder),
        }


def play(
    agreement_id: str,
    flow_id: str,
    *,
    mode: str,
    population: int,
    candidates: int,
    seed: int,
    folder: Path,
    announce: Announce,
) -> Played:
    """Run one flow from nothing in ``folder``; ``announce`` gets a line a stage.

    ``mode``: unit, direct (two parties), or auto (direct, and the unit for what stays open).
    Raises BadInputError for a flow that cannot be demonstrated and for a folder in use.
    """
    require_server()
    document = _example(agreement_id)
    flow = _flow(document, agreement_id, flow_id, mode)
    claim_folder(folder)
    clock = _Stopwatch(announce)
    with clock.stage("generate", t("Orang-orang buatan", "Generated people")):
        words = in_words(flow)
        demo = generate_demo(words, population, candidates, seed)
    with clock.stage(
        "prepare", t("Kunci, sertifikat, perjanjian", "Keys, certificates, agreement")
    ):
        stage = prepare(folder, agreement_id, flow_id, document, dt.datetime.now(dt.UTC))
        day = (stage.simulated_time or dt.datetime.now(dt.UTC)).astimezone(JAKARTA).date()
        _write_tables(stage, demo, dressed(flow, demo.registry, day, seed))
    with contextlib.ExitStack() as servers:
        if mode != "direct":
            servers.enter_context(running(stage, "unit"))
            with clock.stage("epoch", t("Epok kunci bersama", "Shared key epoch")):
                for party in (stage.provider, stage.requester):
                    stage.run(party, "keys", "rotate", "--mode", "unit", *_where(stage))
            with clock.stage("publish", t("Registri diumumkan", "Registry published")):
                _publish(stage, flow, "unit")
        if mode != "unit":
            with clock.stage("table", t("Tabel label diumumkan", "Label table published")):
                _publish(stage, flow, "direct")
            servers.enter_context(running(stage, "provider"))
        with clock.stage("confirm", t("Daftar dikonfirmasi", "List confirmed")):
            confirmed = _confirm(stage, mode)
    codes = pacsv.read_csv(stage.folder / "codes.csv", convert_options=_as_strings())
    result = score(words, demo, codes)
    played = Played(stage, flow, mode, population, candidates, confirmed, result, clock.seconds)
    (folder / "demo.json").write_text(
        json.dumps(played.as_json(), indent=2, ensure_ascii=False, default=str) + "\n",
        encoding="utf-8",
    )
    return played


def claim_folder(folder: Path) -> None:
    """Make ``folder`` empty, if it is new, empty or left by an earlier demonstration."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARKER).exists():
            raise BadInputError(
                t(
                    f"Folder {folder} berisi berkas lain; pilih folder baru dengan --out.",
                    f"Folder {folder} holds other files; choose a new one with --out.",
                )
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).touch()


def require_server() -> None:
    """Raise BadInputError where only the client is installed: the demonstration runs a unit."""
    if any(importlib.util.find_spec(name) is None for name in ("structlog", "sqlalchemy")):
        raise BadInputError(
            t(
                "Peragaan memerlukan unit pemadanan, dan di sini hanya klien yang terpasang. "
                "Pasang dengan pip install '.[server]'.",
                "The demonstration needs the linkage unit, and only the client is installed here. "
                "Install with pip install '.[server]'.",
            )
        )


def _example(agreement_id: str) -> bytes:
    if agreement_id not in EXAMPLE_IDS:
        known = ", ".join(EXAMPLE_IDS)
        raise BadInputError(
            t(
                f"Tidak ada contoh perjanjian {agreement_id}; yang ada: {known}.",
                f"There is no example agreement {agreement_id}; there are: {known}.",
            )
        )
    return example(agreement_id)


def _flow(document: bytes, agreement_id: str, flow_id: str, mode: str) -> Flow:
    """The flow, if it can be demonstrated in this mode. Raises BadInputError."""
    needed = {"unit": {"unit"}, "direct": {"direct"}, "auto": {"unit", "direct"}}
    if mode not in needed:
        raise BadInputError("--mode unit | direct | auto")
    flows = {flow.id: flow for flow in load_agreement(document).flows}
    usable = [f.id for f in flows.values() if f.schema is not None and needed[mode] <= set(f.modes)]
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
    return flows[flow_id]


def _write_tables(stage: Stage, demo: Demo, registry: pa.Table) -> None:
    """The generated files; the truth in the form that ``padan rehearse --truth`` reads."""
    pairs = demo.truth.filter(pc.is_valid(demo.truth["registry_id"]))
    truth = pa.table({"rec_id_a": pairs["request_id"], "rec_id_b": pairs["registry_id"]})
    for name, table in (
        ("registry", registry),
        ("candidates", demo.requests),
        ("truth", truth),
    ):
        pacsv.write_csv(table, stage.folder / "data" / f"{name}.csv")


def _where(stage: Stage) -> tuple[str, ...]:
    return "--agreement", stage.agreement_id, "--flow", stage.flow_id


def _publish(stage: Stage, flow: Flow, mode: str) -> None:
    stage.run(
        stage.provider,
        "publish",
        str(stage.folder / "data" / "registry.csv"),
        *_where(stage),
        "--id",
        ID_COLUMN,
        "--mode",
        mode,
        "--quarantine",
        str(stage.folder / f"quarantine-{flow.provider}.csv"),
        as_json=True,
    )


def _confirm(stage: Stage, mode: str) -> dict[str, Any]:
    return stage.run(
        stage.requester,
        "confirm",
        str(stage.folder / "data" / "candidates.csv"),
        *_where(stage),
        "--id",
        ID_COLUMN,
        "--mode",
        mode,
        "--out",
        str(stage.folder / "codes.csv"),
        "--quarantine",
        str(stage.folder / f"quarantine-{stage.requester}.csv"),
        as_json=True,
    )


def _as_strings() -> pacsv.ConvertOptions:
    return pacsv.ConvertOptions(column_types={"hasil": pa.string(), "kode": pa.string()})


class _Stopwatch:
    """Announces stages and notes how long each took."""

    def __init__(self, announce: Announce) -> None:
        self.seconds: dict[str, float] = {}
        self._announce = announce

    def stage(self, name: str, text: str) -> _Lap:
        return _Lap(self, name, text)

    def note(self, name: str, text: str, seconds: float) -> None:
        self.seconds[name] = seconds
        self._announce(f"{text}: {seconds:.1f} s")


class _Lap:
    def __init__(self, watch: _Stopwatch, name: str, text: str) -> None:
        self._watch, self._name, self._text = watch, name, text
        self._start = 0.0

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            self._watch.note(self._name, self._text, time.perf_counter() - self._start)
