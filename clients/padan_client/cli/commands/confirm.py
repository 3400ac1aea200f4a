"""``padan confirm``: a list in, a file of codes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
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
    ModeOption,
    QuarantineOption,
    RowIdOption,
    TableArgument,
    pairs,
)
from padan_client.cli.progress import progress_bars
from padan_client.cli.views import confirmed
from padan_client.cli.views.quarantined import FILE_WORD, say_quarantine

if TYPE_CHECKING:
    from padan_client.base.place import FlowPlace
    from padan_client.home.folder import Home
    from padan_client.results.controls import ControlError
    from padan_client.results.table import ConfirmResult
    from padan_linkage.agreement import Flow


OutOption = Annotated[
    Path, typer.Option("--out", "-o", help="Berkas kode. / File of codes (.csv, .parquet).")
]
ControlsOption = Annotated[
    Path | None,
    typer.Option(
        "--controls",
        help="Rekaman kontrol dengan kolom kode, dicampurkan. / Control records to mix in.",
    ),
]
HideFoundOption = Annotated[
    bool,
    typer.Option(
        "--hide-found",
        help="Mode langsung: sembunyikan jumlah yang ditemukan; lebih banyak kuota. / "
        "Direct mode: hide how many are found; takes more quota.",
    ),
]
CorrectionsOption = Annotated[
    Path | None,
    typer.Option(
        "--corrections", help="Daftar perbaikan: ruas yang berbeda. / Fields that differ."
    ),
]
MinutesOption = Annotated[
    Path | None,
    typer.Option("--minutes", help="Berita acara (.json), ditandatangani. / Signed minutes."),
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
    hide_found: HideFoundOption = False,
    quarantine: QuarantineOption = None,
    corrections: CorrectionsOption = None,
    minutes: MinutesOption = None,
    force: ForceFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Minta kode konfirmasi untuk sebuah daftar. / Ask the confirmation codes of a list."""
    from padan_client.records.table_files import beside
    from padan_client.requester import chosen_mode

    rest = quarantine or beside(out_file, FILE_WORD)
    outputs = _Outputs(out_file, rest, corrections, minutes)
    opened = open_home(home)
    claim(*outputs.files(opened.identity.party), reads=[file, controls], force=force)
    place = opened.place(agreement, flow)
    outputs.check(place.flow)
    options = _Options(file, chosen_mode(place, mode), map_, id_column, controls, hide_found)
    result, dishonest = _confirm(opened, place, options, outputs)
    _tell(place, result, outputs, options.mode, json_=json_)
    if dishonest:
        raise dishonest
    if not result.usable:
        _fail_without_a_row(outputs.quarantine)


@dataclass(frozen=True)
class _Options:
    """What the command line says of the list."""

    file: Path
    mode: str
    columns: list[str] | None
    id_column: str | None
    controls: Path | None
    hide_found: bool


@dataclass(frozen=True)
class _Outputs:
    """The files to write."""

    codes: Path
    quarantine: Path
    corrections: Path | None
    minutes: Path | None

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

        write_or_remove(self.quarantine, result.quarantine)
        if self.corrections:
            write_table(self.corrections, corrections(place.flow, result.table))
        write_table(self.codes, result.table)
        if self.minutes:
            salt = opened.randomness(minutes.SALT_BYTES)
            answers, now = self.codes.read_bytes(), datetime.now(UTC)
            made = minutes.document(place, result, way, answers, salt, now)
            minutes.write(opened, self.minutes, made, place, salt)


def _confirm(
    opened: Home, place: FlowPlace, options: _Options, outputs: _Outputs
) -> tuple[ConfirmResult, ControlError | None]:
    """Confirm and write; the error of control records that were answered wrongly."""
    from padan_client.records import read_table
    from padan_client.requester import RequesterClient
    from padan_client.results.controls import ControlError

    known = read_table(options.controls) if options.controls else None
    with (
        progress_bars() as report,
        RequesterClient(opened, place.agreement.id, place.flow.id) as client,
    ):
        try:
            result = client.confirm(
                partial(read_table, options.file),
                mode=options.mode,
                columns=pairs(options.columns, "--map"),
                id_column=options.id_column,
                controls=known,
                hide_found=options.hide_found,
                deliver=lambda result: outputs.write(opened, place, options.mode, result),
                progress=report,
            )
        except ControlError as error:
            return error.result, error
    return result, None


def _tell(
    place: FlowPlace, result: ConfirmResult, outputs: _Outputs, way: str, *, json_: bool
) -> None:
    rest = outputs.quarantine if result.quarantine.num_rows else None
    if json_:
        print_json(
            {
                **confirmed.as_json(result, place.flow),
                "out": str(outputs.codes),
                "quarantine": str(rest) if rest else None,
                "agreement": place.agreement.id,
                "flow": place.flow.id,
                "mode": way,
            }
        )
        return
    confirmed.show(place, result)
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
