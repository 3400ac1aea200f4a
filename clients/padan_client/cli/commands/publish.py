"""``padan publish``: the provider's registry, and updates of it."""

from __future__ import annotations

import itertools
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.asking import claim
from padan_client.cli.common import print_json, reports_errors, say
from padan_client.cli.copies import SALINAN, CopyList
from padan_client.cli.home import open_home
from padan_client.cli.options import (
    HOME,
    AgreementOption,
    FlowOption,
    ForceFlag,
    HomeOption,
    IdOption,
    JsonFlag,
    MapOption,
    SheetOption,
    StatusOption,
    YesFlag,
    pairs,
    statuses,
)
from padan_client.cli.progress import progress_bars
from padan_client.cli.stopping import again, so_far, telling
from padan_client.cli.views import estimates as shares
from padan_client.cli.views.lines import SayOnce, say_lines
from padan_client.cli.views.quarantined import FILE_WORD, say_quarantine
from padan_client.cli.views.vouched import show_found

if TYPE_CHECKING:
    from padan_client.home.folder import Home
    from padan_client.provider import PublishResult
    from padan_client.records import TableFile
    from padan_linkage.edition.document import Edition


FileArgument = Annotated[
    Path | None,
    typer.Argument(help="CSV, Excel, ODS atau Parquet. / CSV, Excel, ODS or Parquet."),
]
DeltaOption = Annotated[
    str | None,
    typer.Option(
        "--delta-of",
        help="Registri yang diperbarui; FILE berisi perubahannya. / "
        "Registry to update; FILE has what changed.",
    ),
]
DeletesOption = Annotated[
    Path | None,
    typer.Option(
        "--deletes",
        help="Berkas id yang keluar, satu per baris. / File of ids that leave, one a line.",
    ),
]
PublishModeOption = Annotated[
    str | None,
    typer.Option(
        "--mode",
        help="unit | direct; bawaan: unit bila alur membolehkan. / "
        "unit | direct; default: unit if the flow allows it.",
    ),
]
DaysOption = Annotated[
    int,
    typer.Option(
        "--days", min=1, max=366, help="Masa pakai tabel langsung. / Days a table is good for."
    ),
]
ProcessesOption = Annotated[
    int | None,
    typer.Option(
        "--processes",
        min=1,
        help="Banyaknya prosesor; bawaan: semua. / Number of processors; default: all.",
    ),
]
RegistryQuarantineOption = Annotated[
    Path | None,
    typer.Option(
        "--quarantine",
        help="Berkas baris bermasalah; bawaan: NAMA.karantina.csv di samping registri. / "
        "File of rows with problems; default: NAME.karantina.csv beside the registry.",
    ),
]
AsOfOption = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d"],
        help="Hari acuan kolom tanggal; bawaan: hari ini. / "
        "Day that date columns are judged by; default: today.",
    ),
]
CopiesOption = Annotated[
    Path | None,
    typer.Option(
        "--copies",
        help="Berkas salinan; bawaan: di samping registri. / File of copies; default: beside it.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(publish)


@reports_errors
def publish(
    agreement: AgreementOption,
    flow: FlowOption,
    id_column: IdOption,
    file: FileArgument = None,
    *,
    status: StatusOption = None,
    map_: MapOption = None,
    sheet: SheetOption = None,
    delta_of: DeltaOption = None,
    deletes: DeletesOption = None,
    mode: PublishModeOption = None,
    days: DaysOption = 31,
    processes: ProcessesOption = None,
    as_of: AsOfOption = None,
    quarantine: RegistryQuarantineOption = None,
    copies: CopiesOption = None,
    yes: YesFlag = False,
    force: ForceFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Terbitkan registri tanpa memperlihatkannya. / Publish a registry without showing it."""
    from padan_client.records.registry import NothingUsableError
    from padan_client.records.table_files import write_or_remove

    rest = quarantine or _beside(file, FILE_WORD)
    listed = CopyList(copies or _beside(file, SALINAN), agreed=yes)
    claim(rest, listed.path, reads=[file, deletes], tables=True, force=force)
    given = _Given(_source(file, sheet), deletes, id_column, map_, status, delta_of, as_of)
    opened = open_home(home)
    chosen = _mode(opened, agreement, flow, mode)
    try:
        days_ = days if chosen == "direct" else 0
        result = _publish(opened, agreement, flow, given, days_, processes, listed)
    except NothingUsableError as error:
        if rest:
            write_or_remove(rest, error.quarantine)
            say_quarantine(error.quarantine, rest)
        raise
    if rest:
        write_or_remove(rest, result.quarantine)
    _tell(
        result, agreement, flow, rest if result.quarantine.num_rows else None, listed, json_=json_
    )
    if given.file and given.file.counts and not json_:
        say_lines(given.file.counts)


def _source(file: Path | None, sheet: str | None) -> TableFile | None:
    from padan_client.records import TableFile

    return TableFile(file, sheet, SayOnce()) if file else None


def _beside(file: Path | None, word: str) -> Path | None:
    """A name beside the registry that is free.

    None where there is no registry file or its folder is not to be written to.
    """
    from padan_client.records.table_files import beside

    if file is None or not os.access(file.resolve().parent, os.W_OK):
        return None
    numbers = itertools.chain([""], itertools.count(2))
    names = (beside(file, f"{word}{number}", ".csv") for number in numbers)
    return next(name for name in names if not os.path.lexists(name))


@dataclass(frozen=True)
class _Given:
    """What the command line says of the registry."""

    file: TableFile | None
    deletes: Path | None
    id_column: str
    columns: list[str] | None
    status: list[str] | None
    delta_of: str | None
    as_of: datetime | None


def _publish(
    opened: Home,
    agreement: str,
    flow: str,
    given: _Given,
    days: int,
    processes: int | None,
    listed: CopyList,
) -> PublishResult:
    """Publish through the unit, or with ``days`` as a label table."""
    from padan_client.provider import ProviderClient
    from padan_client.records.table_files import read_ids

    leaving = read_ids(given.deletes) if given.deletes else []
    with (
        progress_bars() as report,
        telling(lambda: f"{so_far(opened.jobs, report.seen)} {again()}"),
        ProviderClient(opened, agreement, flow, threads=processes) as client,
    ):
        publish_ = partial(client.publish_table, days=days) if days else client.publish
        return publish_(
            given.file,
            id_column=given.id_column,
            columns=pairs(given.columns, "--map"),
            status_column=statuses(given.status),
            delta_of=given.delta_of,
            deletes=leaving,
            as_of=given.as_of.date() if given.as_of else None,
            consent=listed.hear,
            progress=report,
        )


def _mode(home: Home, agreement: str, flow: str, given: str | None) -> str:
    """``unit`` or ``direct``."""
    from padan_client.requester import chosen_mode

    mode = chosen_mode(home.place(agreement, flow), given)
    if mode == "auto":
        raise BadInputError(
            t(
                "Terbitkan untuk tiap mode: --mode unit, lalu --mode direct.",
                "Publish for each mode: --mode unit, then --mode direct.",
            )
        )
    return mode


def _tell(
    result: PublishResult,
    agreement: str,
    flow: str,
    quarantine: Path | None,
    listed: CopyList,
    *,
    json_: bool,
) -> None:
    from padan_client.records.preparing import noted_rows

    quarantined = noted_rows(result.quarantine)
    if json_:
        print_json(
            {
                "agreement": agreement,
                "flow": flow,
                "mode": result.mode,
                "expires": result.expires or None,
                "dataset": result.dataset,
                "epoch": result.epoch,
                "rows": result.rows,
                "deleted": result.deleted,
                "quarantined": quarantined,
                "quarantine": str(quarantine) if quarantine else None,
                "counts": asdict(result.counts),
                "unlabelled": result.unlabelled,
                "given": [each.model_dump(mode="json") for each in result.given],
                "copies": str(listed.written) if listed.written else None,
                **_edition_json(result.edition),
            }
        )
        return
    say(
        t(
            f"{number(result.rows)} rekaman diterbitkan, {number(result.deleted)} dihapus. "
            f"{result.dataset}",
            f"{number(result.rows)} records published, {number(result.deleted)} deleted. "
            f"{result.dataset}",
        )
    )
    if quarantined:
        say_quarantine(result.quarantine, quarantine)
    say(result.counts.told())
    _tell_left_out(result.counts.quarantined)
    _tell_unlabelled(result.unlabelled)
    if result.given:
        show_found(result.given)
    if result.edition is not None:
        _tell_edition(result.edition)


def _edition_json(edition: Edition | None) -> dict[str, object]:
    """What the registry's answers rest on; null in direct mode."""
    fullest = edition.fullest if edition else None
    return {
        "edition": edition.name() if edition else None,
        "levels": edition.levels if edition else None,
        "false_match_rate": edition.rate if edition else None,
        "answered": fullest.answered if fullest else None,
        "noticed": fullest.noticed if fullest else None,
    }


def _tell_left_out(rows: int) -> None:
    """Who is registered and not published is nobody to whoever asks."""
    if rows:
        say(
            t(
                f"{number(rows)} baris tidak diterbitkan: orangnya akan dijawab seperti orang yang "
                "tidak terdaftar, «tidak ditemukan». Perbaiki barisnya, lalu terbitkan lagi.",
                f"{number(rows)} rows were not published: their people will be answered like "
                "people who are not registered, «not found». Mend the rows and publish again.",
            )
        )


def _tell_unlabelled(values: int) -> None:
    """Whose value has no label is not found by that key."""
    from padan_linkage.direct.schema import MOST_LABELS

    if values:
        say(
            t(
                f"{number(values)} nilai kunci tidak mendapat label: lebih dari {MOST_LABELS} "
                "orang memilikinya. Lewat kunci itu orangnya tidak ditemukan.",
                f"{number(values)} values of keys have no label: more than {MOST_LABELS} people "
                "share them. Under that key those people are not found.",
            )
        )


def _tell_edition(edition: Edition) -> None:
    """The tolerated rate, and the share of registered people found by all their fields."""
    fullest = edition.fullest
    rate = f"{edition.rate:g}"
    say(
        t(
            f"Edisi {edition.name()}: paling banyak {rate} jawaban salah per orang tak terdaftar, "
            "diukur pada registri ini; daftar yang berisi kerabat orang terdaftar sampai dua kali.",
            f"Edition {edition.name()}: at most {rate} wrong answers per stranger asked about, "
            "measured on this registry; on a list of registered people's relatives up to twice.",
        )
    )
    if fullest is not None:
        fields, answered = ", ".join(fullest.fields), shares.shown(fullest.answered)
        noticed = shares.shown(fullest.noticed)
        say(
            t(
                f"Orang terdaftar yang ditanyakan dengan {fields} persis seperti di sini: "
                f"{answered} mendapat kodenya, {noticed} tidak akan disebut tidak ditemukan.",
                f"Registered people asked about with {fields} just as they stand here: {answered} "
                f"get their code, {noticed} would not be called not found.",
            )
        )
