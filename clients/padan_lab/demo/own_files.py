"""The demonstration on files one has: one publication, and lists asked in their order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from padan_client.base.language import t
from padan_client.records import read_table
from padan_lab.demo.cast import Cast
from padan_lab.demo.demonstration import ESTIMATES, claim_folder, require_server, stage
from padan_lab.demo.deployment import Deployment, StepError
from padan_lab.demo.flows import ChosenFlow
from padan_lab.demo.given_files import (
    GivenFile,
    OwnFiles,
    named_rows,
    read_given,
    refuse_unused,
    status_options,
    truths_of,
)
from padan_lab.demo.judging import Judgement, RightAnswers, SeenRows, differing, judge
from padan_lab.demo.score import Score
from padan_lab.demo.stopwatch import Announce, Stopwatch


@dataclass(frozen=True, repr=False)
class AnsweredList:
    """One list's answers: what ``padan confirm`` printed, and what the truth says of it.

    ``error``: the command's own message where it gave no answers. ``before``: how many rows were
    asked earlier with the same cells, and how many of them were answered differently. ``again``:
    rows that a second asking answered differently; None where there was none.
    """

    list: Path
    codes: Path
    rows: int
    seconds: float
    confirmed: Mapping[str, Any] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    judgement: Judgement | None = None
    before: Mapping[str, int] = field(default_factory=dict)
    again: int | None = None
    error: str = ""
    without: Sequence[str] = ()

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        told: dict[str, object] = {"list": str(self.list), "rows": self.rows}
        told |= {"without": list(self.without)}
        if self.error:
            return told | {"error": self.error}
        return {
            **told,
            "codes": str(self.codes),
            "quarantine": self.confirmed["quarantine"],
            "counts": self.confirmed["counts"],
            "outcomes": dict(self.outcomes),
            **(self.judgement.as_json() if self.judgement else {}),
            **{name: self.confirmed[name] for name in ESTIMATES},
            "edition": self.confirmed.get("edition"),
            "unopened_by_pass": self.confirmed["unopened_by_pass"],
            "seen_before": dict(self.before),
            "differing_again": self.again,
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True, repr=False)
class PlayedFiles:
    """What the demonstration showed; ``published`` is what ``padan publish`` printed."""

    site: Deployment
    chosen: ChosenFlow
    published: Mapping[str, Any]
    asked: tuple[AnsweredList, ...]
    seconds: Mapping[str, float]

    @property
    def score(self) -> Score | None:
        """Of all lists together; None without a truth."""
        known = [a.judgement.score for a in self.asked if a.judgement]
        return sum(known, Score(0, 0, 0)) if known else None

    @property
    def refused(self) -> bool:
        """Whether some list got no answers."""
        return any(asked.error for asked in self.asked)

    def as_json(self) -> dict[str, object]:
        """The object that ``padan demo --registry … --json`` prints."""
        counts: Counter[str] = Counter()
        for asked in self.asked:
            counts.update(asked.confirmed.get("counts", {}))
        return {
            "agreement": self.site.agreement_id,
            "flow": self.site.flow_id,
            "mode": self.chosen.mode,
            "agreement_widened": self.chosen.widened,
            "accepts": [risk.value for risk in self.chosen.flow.accepts],
            "registry": dict(self.published),
            "candidates": sum(asked.rows for asked in self.asked),
            "counts": dict(counts),
            **(self.score.as_json() if self.score else {}),
            "lists": [asked.as_json() for asked in self.asked],
            "seconds": round(sum(self.seconds.values()), 2),
            "stages": {name: round(value, 2) for name, value in self.seconds.items()},
            "simulated_time": self.site.simulated_time,
            "out": str(self.site.folder),
        }


def play_files(
    chosen: ChosenFlow, files: OwnFiles, *, folder: Path, announce: Announce
) -> PlayedFiles:
    """Publish the registry once, ask the lists one after the other, compare with the truth.

    A list that is refused is told with its message, and the next one asked. Raises BadInputError
    for files that cannot be read, and StepError for a registry that is not published.
    """
    require_server()
    registry = read_given(files.registry, files, chosen.flow, asked=False)
    lists = [read_given(path, files, chosen.flow, asked=True) for path in files.lists]
    refuse_unused(files, [registry, *lists])
    claim_folder(folder)
    clock = Stopwatch(announce)
    chosen = chosen.asked_often(len(lists) * (2 if files.again else 1))
    site = stage(chosen, folder, clock)
    registry = named_rows(registry, folder / "data" / "registry.csv")
    truths = truths_of(files, chosen.flow, site, registry, lists)
    with Cast(site, chosen.flow, chosen.mode) as cast:
        options = registry.options + status_options(files.status)
        published = cast.publish(registry.path, clock, *options)
        asked = _Asking(site, cast, files, clock).all(lists, truths)
    published |= {"without": registry.without}
    played = PlayedFiles(site, chosen, published, tuple(asked), clock.seconds)
    text = json.dumps(played.as_json(), indent=2, ensure_ascii=False, default=str)
    (folder / "demo.json").write_text(text + "\n", encoding="utf-8")
    return played


class _Asking:
    """Asks list after list, and remembers what was answered."""

    def __init__(self, site: Deployment, cast: Cast, files: OwnFiles, clock: Stopwatch) -> None:
        self._site, self._cast, self._files, self._clock = site, cast, files, clock
        self._seen = SeenRows()
        self._first = True

    def all(
        self, lists: Sequence[GivenFile], truths: Sequence[RightAnswers | None]
    ) -> list[AnsweredList]:
        """Ask every list, and where it is wanted all of them once more."""
        endings = ["", *(f"-{n}" for n in range(2, len(lists) + 1))]
        every = list(zip(lists, endings, strict=True))
        asked = [self._ask(*one, truth) for one, truth in zip(every, truths, strict=True)]
        if not self._files.again:
            return asked
        return [self._compared(a, *one) for a, one in zip(asked, every, strict=True)]

    def _compared(self, asked: AnsweredList, file: GivenFile, ending: str) -> AnsweredList:
        """The same answers, with how many rows another asking answers differently."""
        once_more = self._ask(file, f"{ending}-lagi", None)
        if asked.error or once_more.error:
            return replace(asked, error=asked.error or once_more.error)
        changed = differing(read_table(asked.codes), read_table(once_more.codes))
        return replace(asked, again=changed)

    def _ask(self, file: GivenFile, ending: str, truth: RightAnswers | None) -> AnsweredList:
        if self._files.restart and not self._first:
            self._cast.restart()
        self._first = False
        codes = self._site.folder / f"codes{ending}.csv"
        rows, name = file.table.num_rows, f"confirm{ending}"
        error, confirmed = "", {}
        with self._clock.stage(name, t(f"Daftar {file.path.name}", f"List {file.path.name}")):
            try:
                confirmed = self._cast.confirm(file.path, ending, *file.options)
            except StepError as e:
                error = str(e)
        seconds = self._clock.seconds[name]
        if error:
            return AnsweredList(file.path, codes, rows, seconds, error=error, without=file.without)
        answers = read_table(codes)
        return AnsweredList(
            file.path,
            codes,
            rows,
            seconds,
            confirmed,
            Counter(answers["hasil"].to_pylist()),
            None if truth is None else judge(answers, truth),
            self._seen.compare(file.table, answers, file.id_column),
            without=file.without,
        )
