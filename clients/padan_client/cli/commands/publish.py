"""``padan publish``: the provider's registry, and updates of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.cli.common import print_json, reports_errors, say
from padan_client.cli.home import open_home
from padan_client.cli.options import (
    HOME,
    AgreementOption,
    FlowOption,
    HomeOption,
    IdOption,
    JsonFlag,
    MapOption,
    QuarantineOption,
    StatusOption,
    pairs,
    statuses,
)
from padan_client.cli.progress import progress_bars

if TYPE_CHECKING:
    from padan_client.home.folder import Home
    from padan_client.provider import PublishResult


FileArgument = Annotated[Path | None, typer.Argument(help="CSV atau Parquet. / CSV or Parquet.")]
DeltaOption = Annotated[
    str | None,
    typer.Option(
        "--delta-of",
        help="Registri yang diperbarui; FILE berisi perubahannya. / Registry to update.",
    ),
]
DeletesOption = Annotated[
    Path | None,
    typer.Option("--deletes", help="Id yang keluar, satu per baris. / Ids that leave."),
]
PublishModeOption = Annotated[
    str | None,
    typer.Option(
        "--mode",
        help="unit | direct; bawaan: unit bila alur membolehkan. / Default: unit if allowed.",
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
    typer.Option("--processes", min=1, help="Bawaan: semua prosesor. / Default: all."),
]
AsOfOption = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d"],
        help="Hari acuan kolom tanggal; bawaan: hari ini. / Day for date columns.",
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
    delta_of: DeltaOption = None,
    deletes: DeletesOption = None,
    mode: PublishModeOption = None,
    days: DaysOption = 31,
    processes: ProcessesOption = None,
    as_of: AsOfOption = None,
    quarantine: QuarantineOption = None,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Terbitkan registri tanpa memperlihatkannya. / Publish a registry without showing it."""
    from padan_client.records.registry import NothingUsableError
    from padan_client.records.table_files import require_writable, write_table

    require_writable(quarantine)
    given = _Given(file, deletes, id_column, map_, status, delta_of, as_of)
    opened = open_home(home)
    chosen = _mode(opened, agreement, flow, mode)
    try:
        result = _publish(
            opened, agreement, flow, given, days if chosen == "direct" else 0, processes
        )
    except NothingUsableError as error:
        if quarantine:
            write_table(quarantine, error.quarantine)
        raise
    if quarantine:
        write_table(quarantine, result.quarantine)
    _tell(result, agreement, flow, quarantine, json_=json_)


@dataclass(frozen=True)
class _Given:
    """What the command line says of the registry."""

    file: Path | None
    deletes: Path | None
    id_column: str
    columns: list[str] | None
    status: list[str] | None
    delta_of: str | None
    as_of: datetime | None


def _publish(
    opened: Home, agreement: str, flow: str, given: _Given, days: int, processes: int | None
) -> PublishResult:
    """Publish through the unit, or with ``days`` as a label table."""
    from padan_client.provider import ProviderClient
    from padan_client.records import read_table
    from padan_client.records.table_files import read_ids

    table = partial(read_table, given.file) if given.file else None
    leaving = read_ids(given.deletes) if given.deletes else []
    with (
        progress_bars() as report,
        ProviderClient(opened, agreement, flow, threads=processes) as client,
    ):
        publish_ = partial(client.publish_table, days=days) if days else client.publish
        return publish_(
            table,
            id_column=given.id_column,
            columns=pairs(given.columns, "--map"),
            status_column=statuses(given.status),
            delta_of=given.delta_of,
            deletes=leaving,
            as_of=given.as_of.date() if given.as_of else None,
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
    result: PublishResult, agreement: str, flow: str, quarantine: Path | None, *, json_: bool
) -> None:
    quarantined = result.quarantine.num_rows
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
            }
        )
        return
    say(
        t(
            f"{result.rows} rekaman diterbitkan, {result.deleted} dihapus, {quarantined} catatan "
            f"karantina. {result.dataset}",
            f"{result.rows} records published, {result.deleted} deleted, {quarantined} quarantine "
            f"entries. {result.dataset}",
        )
    )
