"""``padan rehearse``: both sides on one's own files, before anything is signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from padan_client.base.files import filled_whole, write_private
from padan_client.base.formats import style_for
from padan_client.base.language import t
from padan_client.cli.asking import claim
from padan_client.cli.commands.schema import (
    KindsOption,
    OnlyOption,
    ProfileOption,
    SignableOption,
    SizeOption,
    show,
    wishes,
)
from padan_client.cli.common import err, print_json, reports_errors
from padan_client.cli.options import (
    BomFlag,
    ExactFlag,
    ForceFlag,
    FormatOption,
    JsonFlag,
    SeparatorOption,
    StatusOption,
)
from padan_client.cli.rehearsed_flow import (
    AgreementFileOption,
    LevelsOption,
    MapListOption,
    MapRegistryOption,
    ProposeOption,
    RehearsedFlowOption,
    refuse_mixed,
    refuse_one_file,
    rehearsed_flow,
    write_proposal,
)
from padan_client.cli.views import rehearsed
from padan_client.cli.views.lines import say_inert
from padan_linkage.advice import Size
from padan_linkage.advice.profiles import ProfileName

ListArgument = Annotated[Path, typer.Argument(help="Daftar peminta. / The requester's list.")]
RegistryArgument = Annotated[
    Path | None,
    typer.Argument(
        help="Registri penyedia; tanpa ini A dengan A. / "
        "The provider's registry; without it, A with A."
    ),
]
SchemaOption = Annotated[
    Path | None,
    typer.Option(
        help="Berkas skema TOML; tanpa ini disarankan. / "
        "Schema file (TOML); without it, one is suggested."
    ),
]
SaveSchemaOption = Annotated[
    Path | None, typer.Option(help="Simpan skema yang disarankan. / Keep the advised schema.")
]
TruthOption = Annotated[
    Path | None,
    typer.Option(
        help="Berkas pasangan benar: rec_id_a, rec_id_b. / "
        "File of the true pairs: rec_id_a, rec_id_b."
    ),
]
IdColumnOption = Annotated[
    str | None,
    typer.Option(
        "--id",
        help="Kolom id; bawaan: rec_id, selain itu id. / Id column; default: rec_id, else id.",
    ),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", help="Berkas pasangan. / File of pairs.")
]
DumpOption = Annotated[
    Path | None, typer.Option(help="Folder salinan sandi. / Folder for what the unit sees.")
]
PrecisionOption = Annotated[
    float | None,
    typer.Option(
        min=0.5,
        max=0.999999,
        help="Presisi yang diminta; tanpa ini F1 taksiran terbesar. / Precision asked for; "
        "without it, the greatest expected F1.",
    ),
]
OneToOneOption = Annotated[
    bool | None,
    typer.Option(
        "--one-to-one/--no-one-to-one",
        help="Satu baris registri menjawab paling banyak satu baris daftar; tanpa ini begitu bila "
        "kedua berkas tanpa salinan. / A registry row answers one row of the list at most; by "
        "default where both files look free of copies.",
    ),
]
SeedOption = Annotated[int | None, typer.Option(help="Agar terulang persis. / To repeat it.")]
ThreadsOption = Annotated[int, typer.Option(min=1, help="Banyaknya utas. / Number of threads.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rehearse)


@reports_errors
def rehearse(
    a: ListArgument,
    b: RegistryArgument = None,
    *,
    schema: SchemaOption = None,
    agreement: AgreementFileOption = None,
    flow: RehearsedFlowOption = None,
    map_: MapListOption = None,
    map_b: MapRegistryOption = None,
    status: StatusOption = None,
    levels: LevelsOption = None,
    propose: ProposeOption = None,
    profile: ProfileOption = ProfileName.SEIMBANG,
    size: SizeOption = Size.THOROUGH,
    kind: KindsOption = None,
    fields: OnlyOption = None,
    own_files: SignableOption = True,
    save_schema: SaveSchemaOption = None,
    truth: TruthOption = None,
    id_column: IdColumnOption = None,
    out_file: OutOption = None,
    dump_encodings: DumpOption = None,
    min_precision: PrecisionOption = None,
    one_to_one: OneToOneOption = None,
    seed: SeedOption = None,
    threads: ThreadsOption = 1,
    format_: FormatOption = None,
    separator: SeparatorOption = ",",
    bom: BomFlag = False,
    exact: ExactFlag = False,
    force: ForceFlag = False,
    json_: JsonFlag = False,
) -> None:
    """Uji coba pemadanan atas berkas sendiri. / A trial linkage of your own files."""
    from padan_client.records.table_files import write_table
    from padan_client.rehearse import SchemaFile, load_schema_file, run_rehearsal
    from padan_client.rehearse.advice import advise, to_toml

    reads = [a, b, schema, agreement, levels, truth]
    claim(out_file, save_schema, propose, reads=reads, tables=True, force=force)
    style = style_for(out_file or Path(), format_, separator, bom=bom, exact=exact)
    suggestion = None
    refuse_mixed(agreement, schema, flow, map_, map_b, status, levels, propose)
    refuse_one_file(b, propose)
    under = None
    if agreement is not None:
        schema_file, under = rehearsed_flow(
            agreement, flow, map_, map_b, status, levels, propose=propose is not None
        )
    elif schema is not None:
        schema_file = load_schema_file(schema)
    else:
        # One file is compared with itself: there is nobody to sign anything with.
        asked = wishes(profile, size, kind, fields, own_files=own_files or b is None)
        suggestion = advise(a, b, asked, id_column)
        schema_file = SchemaFile.suggested(suggestion)
        if not json_:
            show(suggestion)
    if min_precision is not None:
        schema_file = schema_file.demanding(min_precision)
    if one_to_one is not None:
        schema_file = replace(schema_file, one_to_one=one_to_one)
    folder = filled_whole(dump_encodings) if dump_encodings else nullcontext()
    with folder, _bar() as progress:
        result = run_rehearsal(
            a,
            b,
            schema_file,
            flow=under,
            id_column=id_column,
            truth=truth,
            dump=dump_encodings,
            seed=seed,
            threads=threads,
            progress=progress,
        )
    if save_schema is not None and suggestion is not None:
        write_private(save_schema, to_toml(suggestion).encode())
    if propose is not None and result.proposed is not None:
        write_proposal(propose, result.proposed)
    if out_file is not None:
        say_inert(write_table(out_file, result.pairs, style))
    if json_:
        print_json(rehearsed.as_json(result))
    else:
        rehearsed.show(result)


@contextmanager
def _bar() -> Iterator[Callable[[float], None]]:
    """A bar on a terminal, and what moves it: shares from 0 to 1."""
    from rich.progress import Progress

    with Progress(console=err, disable=not err.is_terminal) as bars:
        bar = bars.add_task(t("memadankan", "matching"), total=1.0)
        yield lambda share: bars.update(bar, completed=share)
