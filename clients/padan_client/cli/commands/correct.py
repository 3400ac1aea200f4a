"""``padan correct``: an earlier result and its list in, the answers that changed since out."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.files import removed_if_broken_off
from padan_client.base.formats import TableStyle, style_for
from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.asking import agree, claim
from padan_client.cli.common import Exit, print_json, reports_errors, say
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
    RowIdOption,
    SeparatorOption,
    SheetOption,
    YesFlag,
    pairs,
)
from padan_client.cli.progress import progress_bars
from padan_client.cli.stopping import again, so_far, telling
from padan_client.cli.views import changed as view
from padan_client.cli.views import confirmed
from padan_client.cli.views.lines import SayOnce, say_inert
from padan_client.cli.views.quarantined import FILE_WORD, say_quarantine

if TYPE_CHECKING:
    import pyarrow as pa

    from padan_client.base.place import FlowPlace
    from padan_client.home.folder import Home
    from padan_client.records import TableFile
    from padan_client.requester import RequesterClient
    from padan_client.results.changes import EarlierResult, RegistryFacts
    from padan_client.results.table import ConfirmResult

EarlierArgument = Annotated[
    Path, typer.Argument(help="Hasil terdahulu, dari confirm. / An earlier result of confirm.")
]
ListOption = Annotated[
    Path,
    typer.Option("--list", help="Daftar yang dijawab hasil itu. / The list that it answers."),
]
OutOption = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        help="Berkas baris yang berubah; di sampingnya NAMA.kode, jawaban kini seluruhnya, dan "
        "NAMA.json, berita acara koreksi. / File of the rows that changed; beside it NAME.kode, "
        "all present answers, and NAME.json, the minutes of the correction.",
    ),
]
#: What stands before the suffix in the name of the file of all present answers.
_CODES_WORD = "kode"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(correct)


@reports_errors
def correct(
    earlier_file: EarlierArgument,
    list_file: ListOption,
    agreement: AgreementOption,
    flow: FlowOption,
    out_file: OutOption,
    *,
    id_column: RowIdOption = None,
    map_: MapOption = None,
    sheet: SheetOption = None,
    mode: ModeOption = None,
    format_: FormatOption = None,
    separator: SeparatorOption = ",",
    bom: BomFlag = False,
    exact: ExactFlag = False,
    force: ForceFlag = False,
    yes: YesFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Tanyakan lagi sebuah daftar: baris mana kini dijawab lain. / Which answers changed since."""
    from padan_client.records import TableFile
    from padan_client.records.table_files import read_result
    from padan_client.requester import RequesterClient, chosen_mode
    from padan_client.results.changes import EarlierResult

    # Spec 80, step 5.
    files = _Files(out_file, style_for(out_file, format_, separator, bom=bom, exact=exact))
    opened = open_home(home)
    claim(
        *files.all(opened.identity.party),
        reads=[earlier_file, list_file],
        tables=True,
        force=force,
    )
    place = opened.place(agreement, flow)
    earlier = EarlierResult.of(read_result(earlier_file))
    way = chosen_mode(place, mode or earlier.mode)
    asking = _Correction(opened, place, way, earlier, earlier_file.read_bytes(), files)
    with RequesterClient(opened, place.agreement.id, place.flow.id) as client:
        present = client.present(way)
        if earlier.answered_by == {registry.by for registry in present}:
            _tell_unchanged(asking, present, json_=json_)
            return
        # Spec 80, "Answers that changed", step 2.
        agree(view.before_asking(earlier, present, place), given=yes, option="--yes")
        source = TableFile(list_file, sheet, SayOnce())
        columns = pairs(map_, "--map")
        asking.ask(client, source, present, columns, id_column)
    asking.tell(json_=json_)


@dataclass(frozen=True)
class _Files:
    """The files to write: the rows that changed, and beside them the rest."""

    changes: Path
    style: TableStyle

    @property
    def codes(self) -> Path:
        """All present answers."""
        return self._beside(_CODES_WORD)

    @property
    def quarantine(self) -> Path:
        """Rows with problems."""
        return self._beside(FILE_WORD)

    @property
    def minutes(self) -> Path:
        """The minutes of the correction."""
        return self.changes.with_suffix(".json")

    def all(self, party: str) -> list[Path]:
        """All that may be written; ``party`` signs the minutes."""
        from padan_client.results.minutes import files

        return [self.changes, self.codes, self.quarantine, *files(self.minutes, party)]

    def _beside(self, word: str) -> Path:
        from padan_client.records.table_files import beside

        return beside(self.changes, word)


@dataclass(repr=False)
class _Correction:
    """A list asked again: what was answered then, and, once it was asked, what changed."""

    opened: Home
    place: FlowPlace
    way: str
    earlier: EarlierResult
    earlier_bytes: bytes
    files: _Files
    result: ConfirmResult | None = None
    changed: pa.Table | None = None

    def ask(
        self,
        client: RequesterClient,
        source: TableFile,
        present: tuple[RegistryFacts, ...],
        columns: dict[str, str] | None,
        id_column: str | None,
    ) -> None:
        """Ask the list as ``confirm`` does, compare and write."""
        from padan_client.records.table_files import standing

        # Spec 80, "Answers that changed", step 4.
        known = client.known(self.earlier.answered_by)
        known |= {registry.by.registry: registry for registry in present}

        def write(result: ConfirmResult) -> None:
            source.require_all(result.table.num_rows)
            confirmed.warn(self.place.flow, result)
            written = self.files.all(self.place.party)
            # The same command must be able to go on, and refuses to overwrite what is there.
            with removed_if_broken_off(*(set(written) - set(standing(*written)))):
                self._write(result, known)

        def tell() -> str:
            there = standing(*self.files.all(self.place.party)) and "--force" not in sys.argv
            done = so_far(self.opened.jobs, report.seen)
            return f"{done} {again('--force') if there else again()}"

        with progress_bars() as report, telling(tell):
            client.confirm(
                source,
                mode=self.way,
                columns=columns,
                id_column=id_column,
                earlier=self.earlier,
                deliver=write,
                progress=report,
            )

    def _write(self, result: ConfirmResult, known: dict[str, RegistryFacts | None]) -> None:
        from padan_client.records.table_files import write_or_remove, write_table
        from padan_client.results import minutes
        from padan_client.results.changes import changed_rows
        from padan_client.results.told_rows import ToldRows

        opened, place, files, style = self.opened, self.place, self.files, self.files.style
        changed = changed_rows(self.earlier, result.table, known)
        say_inert(
            write_or_remove(files.quarantine, result.quarantine, style)
            + write_table(files.codes, result.table, style)
            + write_or_remove(files.changes, changed, style)
        )
        editions = sorted({by.edition for by in self.earlier.answered_by})
        corrected = minutes.Corrected(self.earlier_bytes, tuple(editions))
        salt, now = opened.randomness(minutes.SALT_BYTES), datetime.now(UTC)
        answers = files.codes.read_bytes()
        told = ToldRows(opened).counts(place, result.table, result.quarantine)
        servers = minutes.server_pasts(opened, place, self.way)
        made = minutes.document(
            place, result, told, self.way, answers, salt, now, corrected, servers
        )
        minutes.write(opened, files.minutes, made, place, salt)
        self.result, self.changed = result, changed

    def tell(self, *, json_: bool) -> None:
        """Say what changed; leave with its exit code if anything did."""
        assert self.result is not None
        assert self.changed is not None
        files, rows = self.files, self.changed.num_rows
        if json_:
            told = view.as_json(self.place, self.way, self.earlier, self.result, self.changed)
            written = {"out": str(files.changes) if rows else None, "codes": str(files.codes)}
            print_json(told | written | {"minutes": str(files.minutes)})
        else:
            view.show(self.changed)
            self._say_files(rows)
        if rows:
            raise typer.Exit(int(Exit.CHANGED))

    def _say_files(self, rows: int) -> None:
        files = self.files
        if rows:
            say(
                t(
                    f"{number(rows)} baris kini dijawab lain; ditulis ke {files.changes}. Lihat "
                    "kembali keputusan atas baris-baris itu.",
                    f"{number(rows)} rows are answered otherwise now; written to {files.changes}. "
                    "Look again at what was decided about them.",
                )
            )
        say(
            t(
                f"Jawaban kini seluruhnya: {files.codes}. Berita acara koreksi: {files.minutes}.",
                f"All present answers: {files.codes}. Minutes of the correction: {files.minutes}.",
            )
        )
        assert self.result is not None
        if self.result.quarantine.num_rows:
            say_quarantine(self.result.quarantine, files.quarantine)
        if self.result.skipped:
            say(self.result.skipped)


def _tell_unchanged(
    asking: _Correction, present: tuple[RegistryFacts, ...], *, json_: bool
) -> None:
    if json_:
        print_json(view.as_json(asking.place, asking.way, asking.earlier, None, None))
        return
    say(view.still_answered_by(present))
