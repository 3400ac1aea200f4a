"""``padan encode``: what would leave the house, for a reviewer to look at."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.asking import claim
from padan_client.cli.common import Exit, fail, print_json, reports_errors, say
from padan_client.cli.home import open_home
from padan_client.cli.options import (
    HOME,
    AgreementOption,
    FlowOption,
    ForceFlag,
    HomeOption,
    JsonFlag,
    MapOption,
    QuarantineOption,
    RowIdOption,
    StatusOption,
    TableArgument,
    pairs,
    statuses,
)
from padan_client.cli.views.encoded import tell_record
from padan_client.cli.views.quarantined import FILE_WORD, say_quarantine

if TYPE_CHECKING:
    from padan_client.base.place import FlowPlace
    from padan_client.home.folder import Home
    from padan_client.records.lists import RequestList
    from padan_client.records.registry import Registry
    from padan_linkage.crypto.keys import LinkageKey


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(encode)


@reports_errors
def encode(
    file: TableArgument,
    agreement: AgreementOption,
    flow: FlowOption,
    *,
    out_folder: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder baru. / New folder for the bundle.")
    ] = None,
    show: Annotated[
        str | None,
        typer.Option(
            "--show",
            help="Perlihatkan bit satu rekaman: id-nya, tanpa --id nomor barisnya. / Print one "
            "record's bits: its id, without --id its row number.",
        ),
    ] = None,
    id_column: RowIdOption = None,
    status: StatusOption = None,
    map_: MapOption = None,
    epoch: Annotated[
        int | None,
        typer.Option(
            "--epoch",
            min=1,
            help="Pakai kunci epok ini, bukan kunci sekali pakai. / "
            "Use this epoch's key, not one for a single use.",
        ),
    ] = None,
    quarantine: QuarantineOption = None,
    force: ForceFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Tulis apa yang akan keluar dari instansi ini. / Write what would leave this agency."""
    from padan_client.protocol.session import Session, unit_schema
    from padan_client.protocol.unit.bundle import show_record, write_bundle
    from padan_client.records.table_files import write_or_remove

    if (out_folder is None) == (show is None):
        fail(Exit.USAGE, t("Pilih --out atau --show.", "Choose --out or --show."), json_=json_)
    rest = quarantine
    if rest is None and out_folder is not None:
        rest = out_folder.with_name(f"{out_folder.name}.{FILE_WORD}.csv")
    claim(rest, reads=[file], tables=True, force=force)
    opened = open_home(home)
    place = opened.place(agreement, flow)
    columns = pairs(map_, "--map")
    records = _records(file, place, columns, id_column, statuses(status))
    key = _epoch_key(opened, place, epoch) if epoch else _throwaway_key(place)
    session = Session(place, unit_schema(place), key, opened.identity)
    if show is not None:
        rows = show_record(session, records, show, randomness=os.urandom)
        tell_record(rows, show, epoch, json_=json_)
    elif out_folder is not None:
        manifest = write_bundle(
            out_folder,
            session,
            records,
            throwaway=epoch is None,
            randomness=os.urandom,
            threads=os.cpu_count() or 1,
        )
        _tell(manifest, out_folder, json_=json_)
    if rest:
        write_or_remove(rest, records.quarantine)
    if records.quarantine.num_rows and not json_:
        say_quarantine(records.quarantine, rest)


def _tell(manifest: dict[str, object], out_folder: Path, *, json_: bool) -> None:
    if json_:
        print_json({**manifest, "out": str(out_folder)})
        return
    records, rows = (number(int(str(manifest[name]))) for name in ("records", "rows"))
    say(
        t(
            f"{records} rekaman disandikan menjadi {rows} baris per jalur "
            f"di {out_folder}; lihat manifest.json.",
            f"{records} records encoded into {rows} rows a pass in "
            f"{out_folder}; see manifest.json.",
        )
    )


def _records(
    file: Path,
    place: FlowPlace,
    columns: dict[str, str] | None,
    id_column: str | None,
    status: str | dict[str, str] | None,
) -> Registry | RequestList:
    """The file as this party's side of the flow: a registry or a list."""
    from padan_client.protocol.session import unit_schema
    from padan_client.records import read_table
    from padan_client.records.lists import prepare_list
    from padan_client.records.persons import Persons
    from padan_client.records.registry import prepare_registry
    from padan_linkage.agreement import JAKARTA

    schema = unit_schema(place)
    table = read_table(file)
    if place.party == place.flow.requester:
        return prepare_list(schema, table, columns=columns, id_column=id_column)
    if id_column is None:
        raise BadInputError(
            t("Penyedia perlu menyebut kolom id: --id.", "A provider must name the id: --id.")
        )
    rows = prepare_registry(
        place.flow,
        schema,
        table,
        columns=columns,
        id_column=id_column,
        status_columns=status,
        as_of=datetime.now(JAKARTA).date(),
    )
    return Persons.among(place.flow, schema, rows).registry


def _throwaway_key(place: FlowPlace) -> LinkageKey:
    from padan_linkage.crypto.keys import SECRET_BYTES, LinkageKey

    return LinkageKey(os.urandom(SECRET_BYTES), place.digest, place.flow.id, 1)


def _epoch_key(opened: Home, place: FlowPlace, epoch: int) -> LinkageKey:
    from padan_client.protocol.contributions import fetch_contributions
    from padan_client.transport.channel import Link

    with Link.open(opened, place.agreement.id, place.flow.id) as link:
        contributions = link.run(fetch_contributions(place, opened.patience))
    if len(contributions.keys.get(epoch, {})) != 2:
        raise BadInputError(
            t(f"Epok {epoch} belum diikuti kedua pihak.", f"Epoch {epoch} has not both sides.")
        )
    return opened.epochs.linkage_key(place, contributions, epoch)
