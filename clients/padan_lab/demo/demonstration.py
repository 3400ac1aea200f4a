"""The demonstration itself: generate, publish, confirm, compare with the truth."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_lab.demo.cast import Cast, today
from padan_lab.demo.deployment import Deployment, prepare, running
from padan_lab.demo.flows import ChosenFlow
from padan_lab.demo.registries import dressed, in_words
from padan_lab.demo.releasing import Passed, release_all
from padan_lab.demo.score import Score, score
from padan_lab.demo.stopwatch import Announce, Stopwatch
from padan_lab.generate import ID_COLUMN, Demo, generate_demo
from padan_lab.generate.rates import Level
from padan_linkage.agreement import Flow, FlowKind

_MARKER = ".padan-demo"
#: What a confirmation says of itself without knowing the truth.
ESTIMATES = (
    "estimated_precision",
    "estimated_precision_interval",
    "estimated_recall",
    "estimated_recall_interval",
    "doubtful",
)


@dataclass(frozen=True)
class Sizes:
    """How many people there are, who is asked about, and how badly they are written down."""

    population: int
    candidates: int
    seed: int
    level: Level = Level.REAL

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {**self.__dict__, "level": self.level.value}


@dataclass(frozen=True)
class Played:
    """What a demonstration showed. ``seconds`` by stage; ``confirmed`` is the CLI's own JSON.

    Of a flow that releases, ``passed`` has the versions instead of ``confirmed`` and ``score``.
    """

    site: Deployment
    flow: Flow
    mode: str
    sizes: Sizes
    confirmed: dict[str, Any]
    score: Score | None
    passed: list[Passed]
    seconds: dict[str, float]

    def as_json(self) -> dict[str, object]:
        """The object that ``padan demo --json`` prints."""
        return {
            "agreement": self.site.agreement_id,
            "flow": self.site.flow_id,
            "kind": self.flow.kind.value,
            "mode": self.mode,
            "population": self.sizes.population,
            "level": self.sizes.level.value,
            **(self._scored(self.score) if self.score else self._released()),
            "seconds": round(sum(self.seconds.values()), 2),
            "stages": {name: round(value, 2) for name, value in self.seconds.items()},
            "simulated_time": self.site.simulated_time,
            "out": str(self.site.folder),
        }

    def _scored(self, score: Score) -> dict[str, object]:
        return {
            "ways": self.confirmed["ways"],
            "candidates": self.sizes.candidates,
            "counts": self.confirmed["counts"],
            **score.as_json(),
            **{name: self.confirmed[name] for name in ESTIMATES},
        }

    def _released(self) -> dict[str, object]:
        return {
            "releases": [p.as_json() for p in self.passed],
            "verified": all(p.verified for p in self.passed),
        }


def play(
    agreement_id: str | None,
    flow_id: str,
    *,
    mode: str,
    sizes: Sizes,
    folder: Path,
    announce: Announce,
    weak_alone: bool = False,
) -> Played:
    """Run one flow from nothing in ``folder``; ``announce`` gets a line a stage.

    ``mode``: unit, direct (two parties), or auto (direct, and the unit for what stays open). A flow
    that releases has files of its own size. ``weak_alone``: weak keys of direct mode answer by
    themselves. Raises BadInputError for a flow that cannot be demonstrated and for a folder in use.
    """
    require_server()
    chosen = ChosenFlow.of(agreement_id, flow_id, mode)
    if weak_alone:
        chosen = chosen.opening_alone()
    flow = chosen.flow
    claim_folder(folder)
    clock = Stopwatch(announce)
    site = stage(chosen, folder, clock)
    if flow.kind is FlowKind.CONFIRMATION:
        confirmed, result = _confirmation(site, flow, mode, sizes, clock)
        passed = []
    else:
        confirmed, result = {}, None
        with running(site, "unit"):
            passed = release_all(site, flow, sizes.seed, clock)
    played = Played(site, flow, mode, sizes, confirmed, result, passed, clock.seconds)
    (folder / "demo.json").write_text(
        json.dumps(played.as_json(), indent=2, ensure_ascii=False, default=str) + "\n",
        encoding="utf-8",
    )
    return played


def stage(chosen: ChosenFlow, folder: Path, clock: Stopwatch) -> Deployment:
    """Everything but the files and the servers, in ``folder``."""
    told = t("Kunci, sertifikat, perjanjian", "Keys, certificates, agreement")
    with clock.stage("prepare", told):
        return prepare(
            folder,
            chosen.agreement_id,
            chosen.flow.id,
            chosen.document,
            dt.datetime.now(dt.UTC),
        )


def _confirmation(
    site: Deployment, flow: Flow, mode: str, sizes: Sizes, clock: Stopwatch
) -> tuple[dict[str, Any], Score]:
    """Publish, confirm, compare with the truth."""
    words = in_words(flow)
    with clock.stage("generate", t("Orang-orang buatan", "Generated people")):
        demo = generate_demo(words, sizes.population, sizes.candidates, sizes.seed, sizes.level)
        _write_tables(site, demo, dressed(flow, demo.registry, today(site), sizes.seed))
    tables = site.folder / "data"
    with Cast(site, flow, mode) as cast:
        cast.publish(tables / "registry.csv", clock, "--id", ID_COLUMN)
        with clock.stage("confirm", t("Daftar dikonfirmasi", "List confirmed")):
            confirmed = cast.confirm(tables / "candidates.csv", "", "--id", ID_COLUMN)
    codes = pacsv.read_csv(site.folder / "codes.csv", convert_options=_as_strings())
    return confirmed, score(words, demo, codes)


def chosen_level(given: str) -> Level:
    """The level of that name. Raises BadInputError."""
    if given not in set(Level):
        raise BadInputError(f"--level {' | '.join(Level)}")
    return Level(given)


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


def _write_tables(site: Deployment, demo: Demo, registry: pa.Table) -> None:
    """The generated files; the truth in the form that ``padan rehearse --truth`` reads."""
    pairs = demo.truth.filter(pc.is_valid(demo.truth["registry_id"]))
    truth = pa.table({"rec_id_a": pairs["request_id"], "rec_id_b": pairs["registry_id"]})
    for name, table in (
        ("registry", registry),
        ("candidates", demo.requests),
        ("truth", truth),
    ):
        pacsv.write_csv(table, site.folder / "data" / f"{name}.csv")


def _as_strings() -> pacsv.ConvertOptions:
    return pacsv.ConvertOptions(column_types={"hasil": pa.string(), "kode": pa.string()})
