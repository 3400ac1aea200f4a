"""``padan confirm``: a list in, a file of codes out."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.formats import TableFormat, TableStyle, style_for
from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.asking import claim
from padan_client.cli.common import Exit, fail, print_json, reports_errors, say
from padan_client.cli.home import open_home
from padan_client.cli.options import (
    HOME,
    AgreementOption,
    BomFlag,
    ExactFlag,
    FlowOption,
    ForceFlag,
    FormatOption,
    HomeOption,
    JsonFlag,
    MapOption,
    ModeOption,
    NoteColumnOption,
    NotesOption,
    QuarantineOption,
    RowIdOption,
    SeparatorOption,
    SheetOption,
    TableArgument,
    pairs,
)
from padan_client.cli.progress import progress_bars
from padan_client.cli.stopping import again, so_far, telling
from padan_client.cli.views import confirmed
from padan_client.cli.views.lines import SayOnce, say_inert, say_lines, say_rows
from padan_client.cli.views.quarantined import FILE_WORD, say_quarantine

if TYPE_CHECKING:
    import pyarrow as pa

    from padan_client.base.place import FlowPlace
    from padan_client.home.folder import Home
    from padan_client.records import TableFile
    from padan_client.results.controls import ControlError
    from padan_client.results.table import ConfirmResult
    from padan_linkage.agreement import Flow


OutOption = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        help="Berkas kode (.csv, .xlsx, .parquet). / File of codes (.csv, .xlsx, .parquet).",
    ),
]
ControlsOption = Annotated[
    Path | None,
    typer.Option(
        "--controls",
        help="Rekaman kontrol dengan kolom kode, dicampurkan. / Control records to mix in.",
    ),
]
CorrectionsOption = Annotated[
    Path | None,
    typer.Option(
        "--corrections",
        help="Berkas daftar perbaikan: ruas yang berbeda. / "
        "File of corrections: fields that differ.",
    ),
]
MinutesOption = Annotated[
    Path | None,
    typer.Option(
        "--minutes", help="Berita acara (.json), ditandatangani. / Minutes (.json), signed."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(confirm)


@reports_errors
def confirm(
    file: TableArgument,
    agreement: AgreementOption,
    flow: FlowOption,
    out_file: OutOption,
    *,
    id_column: RowIdOption = None,
    map_: MapOption = None,
    mode: ModeOption = None,
    controls: ControlsOption = None,
    quarantine: QuarantineOption = None,
    corrections: CorrectionsOption = None,
    minutes: MinutesOption = None,
    sheet: SheetOption = None,
    note_column: NoteColumnOption = None,
    notes: NotesOption = None,
    format_: FormatOption = None,
    separator: SeparatorOption = ",",
    bom: BomFlag = False,
    exact: ExactFlag = False,
    force: ForceFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Minta kode konfirmasi untuk sebuah daftar. / Ask the confirmation codes of a list."""
    from padan_client.records.table_files import beside
    from padan_client.requester import chosen_mode

    style = style_for(out_file, format_, separator, bom=bom, exact=exact)
    rest = quarantine or beside(out_file, FILE_WORD)
    outputs = _Outputs(out_file, rest, corrections, minutes, style)
    opened = open_home(home)
    written = outputs.files(opened.identity.party)
    claim(*written, reads=[file, controls, notes], tables=True, force=force)
    place = opened.place(agreement, flow)
    outputs.check(place.flow)
    listed = _GivenList(file, sheet, map_, id_column, note_column, notes)
    options = _Options(listed, chosen_mode(place, mode), controls)
    source = listed.source(outputs.style)
    result, dishonest = _confirm(opened, place, options, source, outputs)
    _tell(place, result, outputs, source, options.mode, json_=json_)
    if dishonest:
        raise dishonest
    if not result.usable:
        _fail_without_a_row(outputs.quarantine)


@dataclass(frozen=True)
class _GivenList:
    """What the command line says of the list; ``notes`` is an earlier result."""

    file: Path
    sheet: str | None
    columns: list[str] | None
    id_column: str | None
    note_column: str | None
    notes: Path | None

    def source(self, style: TableStyle) -> TableFile:
        """What reads the list, and tells what is to be known of it."""
        from padan_client.records import TableFile

        adding = partial(self._added, style=style)
        return TableFile(self.file, self.sheet, SayOnce(), adding=adding)

    def _added(self, table: pa.Table, *, style: TableStyle) -> pa.Table:
        """The list with notes. Raises BadInputError for what such a result could not hold."""
        from padan_client.records.notes import NOTE
        from padan_client.records.workbook import require_cells_fit

        if self.notes is not None:
            table = self._noted(table, self.notes)
        if style.default is TableFormat.XLSX:
            require_cells_fit(table, self.id_column, self.note_column or NOTE)
        return table

    def _noted(self, table: pa.Table, earlier: Path) -> pa.Table:
        from padan_client.records.notes import with_earlier_notes
        from padan_client.records.table_files import read_result

        if self.id_column is None or self.id_column not in table.column_names:
            raise BadInputError(
                t(
                    "--notes perlu --id: catatan dicari menurut id baris.",
                    "--notes needs --id: notes are found by a row's id.",
                )
            )
        noted, left = with_earlier_notes(
            table, self.id_column, read_result(earlier), self.note_column
        )
        if left:
            say(
                t(
                    f"{number(left)} catatan pada {earlier} tidak punya baris pada daftar ini.",
                    f"{number(left)} notes of {earlier} have no row in this list.",
                )
            )
        return noted


@dataclass(frozen=True)
class _Options:
    """How the list is to be confirmed."""

    listed: _GivenList
    mode: str
    controls: Path | None


@dataclass(frozen=True)
class _Outputs:
    """The files to write."""

    codes: Path
    quarantine: Path
    corrections: Path | None
    minutes: Path | None
    style: TableStyle

    def files(self, party: str) -> list[Path | None]:
        """All that may be written; ``party`` signs the minutes."""
        from padan_client.results.minutes import files

        accompanying = files(self.minutes, party) if self.minutes else ()
        return [self.codes, self.quarantine, self.corrections, *accompanying]

    def check(self, flow: Flow) -> None:
        """Raise BadInputError for a list of corrections of a flow that confirms no field."""
        if self.corrections and not flow.confirm:
            raise BadInputError(
                t(
                    f"Alur {flow.id} tidak mengonfirmasi ruas, jadi tidak ada daftar perbaikan.",
                    f"Flow {flow.id} confirms no field, so there is no list of corrections.",
                )
            )

    def there(self, party: str) -> bool:
        """Whether some of them are there."""
        from padan_client.records.table_files import standing

        return bool(standing(*self.files(party)))

    def write(self, opened: Home, place: FlowPlace, way: str, result: ConfirmResult) -> None:
        """Write them all, or none that was not there before."""
        from padan_client.records.table_files import standing

        files = self.files(place.party)
        before = standing(*files)
        try:
            self._write(opened, place, way, result)
        except BaseException:
            # The same command must be able to go on, and refuses to overwrite what is there.
            for path in set(standing(*files)) - set(before):
                path.unlink()
            raise

    def _write(self, opened: Home, place: FlowPlace, way: str, result: ConfirmResult) -> None:
        from padan_client.records.table_files import write_or_remove, write_table
        from padan_client.results import minutes
        from padan_client.results.corrections import corrections
        from padan_client.results.told_rows import ToldRows

        changed = write_or_remove(self.quarantine, result.quarantine, self.style)
        if self.corrections:
            to_mend = corrections(place.flow, result.table)
            changed += write_table(self.corrections, to_mend, self.style)
        changed += write_table(self.codes, result.table, self.style)
        say_inert(changed)
        if self.minutes:
            salt = opened.randomness(minutes.SALT_BYTES)
            answers, now = self.codes.read_bytes(), datetime.now(UTC)
            told = ToldRows(opened).counts(place, result.table, result.quarantine)
            servers = minutes.server_pasts(opened, place, way)
            made = minutes.document(place, result, told, way, answers, salt, now, servers=servers)
            minutes.write(opened, self.minutes, made, place, salt)


def _confirm(
    opened: Home, place: FlowPlace, options: _Options, source: TableFile, outputs: _Outputs
) -> tuple[ConfirmResult, ControlError | None]:
    """Confirm and write; the error of control records that were answered wrongly."""
    from padan_client.records import read_table
    from padan_client.requester import RequesterClient
    from padan_client.results.controls import ControlError

    listed = options.listed
    known = read_table(options.controls) if options.controls else None

    def write(result: ConfirmResult) -> None:
        source.require_all(result.table.num_rows)
        confirmed.warn(place.flow, result)
        outputs.write(opened, place, options.mode, result)

    def tell() -> str:
        done = so_far(opened.jobs, report.seen)
        there = outputs.there(place.party) and "--force" not in sys.argv
        return f"{done} {again('--force') if there else again()}"

    with (
        progress_bars() as report,
        telling(tell),
        RequesterClient(opened, place.agreement.id, place.flow.id) as client,
    ):
        try:
            result = client.confirm(
                source,
                mode=options.mode,
                columns=pairs(listed.columns, "--map"),
                id_column=listed.id_column,
                note_column=None if listed.notes else listed.note_column,
                controls=known,
                deliver=write,
                progress=report,
            )
        except ControlError as error:
            return error.result, error
    return result, None


def _tell(
    place: FlowPlace,
    result: ConfirmResult,
    outputs: _Outputs,
    source: TableFile,
    way: str,
    *,
    json_: bool,
) -> None:
    rest = outputs.quarantine if result.quarantine.num_rows else None
    if json_:
        print_json(
            {
                **confirmed.as_json(result, place.flow),
                "lines": asdict(source.counts) if source.counts else None,
                "out": str(outputs.codes),
                "quarantine": str(rest) if rest else None,
                "agreement": place.agreement.id,
                "flow": place.flow.id,
                "mode": way,
            }
        )
        return
    confirmed.show(place, result)
    if source.counts:
        say_lines(source.counts)
    say_rows(result)
    say(t(f"Kode ditulis ke {outputs.codes}.", f"Codes written to {outputs.codes}."))
    if rest:
        say_quarantine(result.quarantine, rest)
    if result.skipped:
        say(result.skipped)


def _fail_without_a_row(quarantine: Path) -> NoReturn:
    fail(
        Exit.BAD_INPUT,
        t(
            f"Tidak ada satu pun baris yang dapat dipadankan; lihat {quarantine}.",
            f"Not one row can be matched; see {quarantine}.",
        ),
    )
