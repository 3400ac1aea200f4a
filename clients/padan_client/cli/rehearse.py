"""``padan rehearse``: both sides on one's own files, before anything is signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from padan_client.cli import shares
from padan_client.cli.common import JsonFlag, err, out, print_json, reports_errors
from padan_client.cli.schema import (
    KindsOption,
    OnlyOption,
    ProfileOption,
    SizeOption,
    show,
    wishes,
)
from padan_client.language import t
from padan_linkage.advice import Size, Wishes
from padan_linkage.profiles import ProfileName

if TYPE_CHECKING:
    from padan_client.rehearse import Rehearsal, SchemaFile
    from padan_client.rehearse.linking import PassReport


#: How a threshold was found, as the JSON names it.
_METHODS = {
    "tokens": "kunci sama",
    "decoys": "umpan",
    "within": "dalam registri",
    "priors": "dugaan awal",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rehearse)


@reports_errors
def rehearse(
    a: Annotated[Path, typer.Argument(help="Daftar peminta. / The requester's list.")],
    b: Annotated[
        Path | None,
        typer.Argument(help="Registri penyedia; tanpa ini A dengan A. / The registry; else A × A."),
    ] = None,
    *,
    schema: Annotated[
        Path | None,
        typer.Option(help="Berkas skema TOML; tanpa ini disarankan. / Schema file; else advised."),
    ] = None,
    profile: ProfileOption = ProfileName.SEIMBANG,
    size: SizeOption = Size.THOROUGH,
    kind: KindsOption = None,
    fields: OnlyOption = None,
    save_schema: Annotated[
        Path | None, typer.Option(help="Simpan skema yang disarankan. / Keep the advised schema.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Pasangan benar: rec_id_a, rec_id_b. / The true pairs.")
    ] = None,
    id_column: Annotated[
        str | None, typer.Option("--id", help="Kolom id (bawaan rec_id, id). / Id column.")
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", "-o", help="Berkas pasangan. / File of pairs.")
    ] = None,
    dump_encodings: Annotated[
        Path | None, typer.Option(help="Folder salinan sandi. / Folder for what the unit sees.")
    ] = None,
    min_precision: Annotated[
        float | None,
        typer.Option(min=0.5, max=0.999999, help="Presisi yang diminta. / Precision asked for."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Agar terulang persis. / To repeat it.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Utas. / Threads.")] = 1,
    json_: JsonFlag = False,
) -> None:
    """Uji coba pemadanan atas berkas sendiri. / A trial linkage of your own files."""
    from rich.progress import Progress

    from padan_client.rehearse import load_schema_file, run_rehearsal
    from padan_client.tables import require_writable, write_table

    require_writable(out_file, save_schema)
    if schema is not None:
        schema_file = load_schema_file(schema)
    else:
        wanted = wishes(profile, size, kind, fields)
        schema_file = _advised(a, b, wanted, id_column, save_schema, quiet=json_)
    if min_precision is not None:
        schema_file = schema_file.demanding(min_precision)
    with Progress(console=err, disable=not err.is_terminal) as bars:
        bar = bars.add_task(t("memadankan", "matching"), total=1.0)
        result = run_rehearsal(
            a,
            b,
            schema_file,
            id_column=id_column,
            truth=truth,
            dump=dump_encodings,
            seed=seed,
            threads=threads,
            progress=lambda share: bars.update(bar, completed=share),
        )
    if out_file is not None:
        write_table(out_file, result.pairs)
    if json_:
        print_json(_as_json(result))
    else:
        _show(result)


def _advised(
    a: Path,
    b: Path | None,
    wanted: Wishes,
    id_column: str | None,
    save_schema: Path | None,
    *,
    quiet: bool,
) -> SchemaFile:
    """The advisor's schema, shown and, where asked, kept."""
    from padan_client.files import write_private
    from padan_client.rehearse import SchemaFile
    from padan_client.rehearse.advising import advise, to_toml

    suggestion = advise(a, b, wanted, id_column)
    if save_schema is not None:
        write_private(save_schema, to_toml(suggestion).encode())
    if not quiet:
        show(suggestion)
    return SchemaFile.suggested(suggestion)


def _as_json(result: Rehearsal) -> dict[str, object]:
    """The keys that scripts rely on, then the details."""
    value: dict[str, object] = {
        "pairs": result.pairs.num_rows,
        "threshold": result.threshold,
        **shares.as_json(result.expected),
    }
    if result.quality is not None:
        value |= {
            "precision": result.quality.precision,
            "recall": result.quality.recall,
            "f1": result.quality.f1,
        }
    value["rows"] = [{"usable": good, "quarantined": bad} for good, bad in result.rows]
    value["passes"] = [_pass_json(p) for p in result.passes]
    return value


def _pass_json(p: PassReport) -> dict[str, object]:
    finite = p.estimate.threshold != float("inf")
    return {
        "id": p.pass_id,
        "matched": p.matched,
        "ambiguous": p.ambiguous,
        "unopened": p.unopened,
        "threshold": p.estimate.threshold if finite else None,
        "estimated_precision": p.estimate.precision,
        "estimated_recall": p.estimate.recall,
        "method": p.estimate.method,
        "pairs_compared": p.estimate.pairs,
        "registry_duplicates": p.estimate.duplicates,
    }


def _show(result: Rehearsal) -> None:
    """The two tables for a reader."""
    passes = Table(title=t("Jalur", "Passes"))
    for name in (
        t("jalur", "pass"),
        t("cocok", "matched"),
        t("ganda", "ambiguous"),
        t("ambang", "threshold"),
        t("taksiran presisi", "estimated precision"),
        t("taksiran perolehan", "estimated recall"),
        t("cara", "method"),
    ):
        passes.add_column(name, overflow="fold")
    for p in result.passes:
        e = p.estimate
        method = t(_METHODS.get(e.method, e.method), e.method)
        passes.add_row(
            p.pass_id, str(p.matched), str(p.ambiguous), _number(e.threshold),
            shares.number(e.precision), shares.number(e.recall), method,
        )  # fmt: skip
    out.print(passes)
    total = Table(title=t("Hasil", "Result"), show_header=False)
    total.add_row(t("pasangan", "pairs"), str(result.pairs.num_rows))
    total.add_row(
        t("taksiran presisi", "estimated precision"), shares.with_bounds(result.expected.precision)
    )
    total.add_row(
        t("taksiran perolehan", "estimated recall"), shares.with_bounds(result.expected.recall)
    )
    if result.quality is not None:
        total.add_row(t("presisi", "precision"), shares.number(result.quality.precision))
        total.add_row(t("perolehan (recall)", "recall"), shares.number(result.quality.recall))
        total.add_row("F1", shares.number(result.quality.f1))
    for name, (_, bad) in zip("AB", result.rows, strict=False):
        if bad:
            total.add_row(t(f"baris {name} tak terpakai", f"unusable rows of {name}"), str(bad))
    duplicates = max((p.estimate.duplicates or 0.0 for p in result.passes), default=0.0)
    if duplicates:
        name = t("registri: baris ganda (taksiran)", "registry: duplicates (estimated)")
        total.add_row(name, shares.number(duplicates))
    out.print(total)
    out.print(shares.about_recall(result.expected.recall), style="dim")


def _number(value: float) -> str:
    return "–" if value == float("inf") else f"{value:.2f}"
