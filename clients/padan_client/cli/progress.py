"""Progress bars on standard error for the long commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from padan_client.base.language import t
from padan_client.cli.common import err

if TYPE_CHECKING:
    from padan_client.protocol.progress import Progress

#: From so many seconds on, a time is told in minutes.
_MINUTES = 90


class ProgressReport:
    """Draws one bar a stage, and remembers how far each stage came."""

    def __init__(self, bars: Bars) -> None:
        self.seen: dict[str, Progress] = {}
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, progress: Progress) -> None:
        """Show it."""
        stage, bars = progress.stage, self._bars
        self.seen[stage] = progress
        if stage not in self._tasks:
            self._tasks[stage] = bars.add_task(_name(stage), total=progress.total, left="")
        bars.update(
            self._tasks[stage],
            completed=progress.done,
            total=max(progress.total, 1),
            left=_left(progress.seconds_left),
        )


@contextmanager
def progress_bars() -> Iterator[ProgressReport]:
    """A report with bars; plain silence where standard error is no terminal."""
    with Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=err,
        disable=not err.is_terminal,
    ) as bars:
        yield ProgressReport(bars)


def _left(seconds: int | None) -> str:
    """The unit's estimate of the time that is left, in words; empty where there is none."""
    if seconds is None:
        return ""
    minutes = seconds // 60 if seconds >= _MINUTES else 0
    shown = f"{minutes} menit" if minutes else f"{seconds} detik"
    english = f"{minutes} min" if minutes else f"{seconds} s"
    return t(f"kira-kira {shown} lagi", f"about {english} left")


def _name(stage: str) -> str:
    return {
        "prepare": t("memeriksa", "checking"),
        "encode": t("menyandi", "encoding"),
        "build": t("membangun tabel", "building the table"),
        "download": t("mengunduh tabel", "downloading the table"),
        "evaluate": t("menanyakan secara buta", "asking blindly"),
        "upload": t("mengirim", "uploading"),
        "match": t("memadankan", "matching"),
        "results": t("mengambil jawaban", "reading answers"),
        "open": t("membuka kode", "opening codes"),
    }[stage]
