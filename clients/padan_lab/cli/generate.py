"""``padan generate``: files of people who do not exist, with the truth about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.files import removed_if_broken_off
from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.asking import claim_in
from padan_client.cli.common import err, out, print_json, reports_errors
from padan_client.cli.options import ForceFlag, JsonFlag
from padan_lab.cli import PANEL
from padan_lab.generate import FilePlan, Format, Level, PopulationProfile

if TYPE_CHECKING:
    import pyarrow as pa


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL)(generate)


@reports_errors
def generate(
    rows: Annotated[int, typer.Option(min=1, help="Baris registri. / Rows of the registry.")],
    out_folder: Annotated[Path, typer.Option("--out", "-o", help="Folder hasil. / Folder.")],
    *,
    profile: Annotated[
        PopulationProfile | None, typer.Option(help="Jenis berkas. / Kind of files.")
    ] = None,
    flow: Annotated[
        str | None,
        typer.Option(
            help="Sebagai ganti --profile: persis untuk alur ini, ALUR atau ALUR/PERJANJIAN. / "
            "In place of --profile: just as this flow has them."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Benih. / Seed.")] = 1,
    level: Annotated[
        Level, typer.Option(help="Kesalahan: tanpa, terukur, tiga kali. / Errors.")
    ] = Level.REAL,
    listed: Annotated[
        int | None, typer.Option("--list", min=1, help="Baris daftar. / Rows of the list.")
    ] = None,
    inside: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Bagian daftar yang ada di registri. / Share inside."),
    ] = None,
    copies: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=0.9,
            help="Bagian baris registri tentang orang yang sudah ada di baris lain. / "
            "Share of registry rows about somebody of another row.",
        ),
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="csv | parquet")] = Format.CSV,
    force: ForceFlag = False,
    json_: JsonFlag = False,
) -> None:
    """Berkas orang buatan beserta kebenarannya. / Files of made-up people, with the truth."""
    from rich.progress import Progress

    from padan_lab.generate import FileRequest, write_files

    plan, dress = _plan(profile, flow, seed)
    request = FileRequest(plan, rows, seed, level, listed, inside, format_, copies, dress)
    wanted = request.files(out_folder).values()
    claim_in(out_folder, wanted, force=force)
    progress = Progress(console=err, disable=not err.is_terminal)
    with removed_if_broken_off(*wanted), progress as bars:
        bar = bars.add_task(t("membuat", "generating"), total=None)
        made = write_files(
            request, out_folder, lambda done, total: bars.update(bar, completed=done, total=total)
        )
    if json_:
        counts = {"rows": made.rows, "list": made.listed, "pairs": made.pairs}
        files = {name: str(path) for name, path in made.files.items()}
        print_json(counts | {"errors": made.errors, "files": files})
        return
    for name, path in made.files.items():
        out.print(f"{name}: {path}", markup=False, highlight=False, soft_wrap=True)
    out.print(
        t(
            f"{number(made.rows)} baris registri, {number(made.listed)} baris daftar, "
            f"{number(made.pairs)} pasangan benar, {number(made.errors)} kesalahan berlabel. "
            "Semua orang di dalamnya buatan.",
            f"{number(made.rows)} registry rows, {number(made.listed)} list rows, "
            f"{number(made.pairs)} true pairs, {number(made.errors)} labelled errors. "
            "All the people are made up.",
        ),
        highlight=False,
    )


def _plan(
    profile: PopulationProfile | None, flow: str | None, seed: int
) -> tuple[PopulationProfile | FilePlan, Callable[[pa.Table], pa.Table] | None]:
    """What the files hold, and what is done to the registry; of a profile or of a flow."""
    if (profile is None) == (flow is None):
        raise BadInputError(
            t("Pilih satu: --profile atau --flow.", "Choose one: --profile or --flow.")
        )
    if flow is None:
        assert profile is not None
        return profile, None
    from padan_lab.demo.flows import ChosenFlow
    from padan_lab.demo.registries import flow_files

    return flow_files(ChosenFlow.confirming(None, flow, "unit").flow, seed)
