"""Progress bars on standard error for the long commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from padan_client.cli.common import err
from padan_client.language import t

if TYPE_CHECKING:
    from padan_client.core.progress import Progress, Report


@contextmanager
def progress_bars() -> Iterator[Report]:
    """A report that draws one bar a stage; plain silence where standard error is no terminal."""
    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,
    )
    tasks: dict[str, TaskID] = {}

    def report(progress: Progress) -> None:
        if progress.stage not in tasks:
            tasks[progress.stage] = bars.add_task(_name(progress.stage), total=progress.total)
        bars.update(tasks[progress.stage], completed=progress.done, total=max(progress.total, 1))

    with bars:
        yield report


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
