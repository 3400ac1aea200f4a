"""``padan schema``: advice on linkage schemas, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.numbers import decimal, number
from padan_client.cli.asking import claim
from padan_client.cli.common import Exit, out, print_json, reports_errors
from padan_client.cli.options import ForceFlag, JsonFlag
from padan_client.cli.views.agreement import exact_text
from padan_client.cli.views.sheet import Sheet
from padan_linkage.advice import Size, Wishes
from padan_linkage.advice.profiles import ProfileName
from padan_linkage.agreement import Mode, Severity
from padan_linkage.schema import Kind

if TYPE_CHECKING:
    from padan_linkage.advice import Remark, Suggestion

app = typer.Typer(no_args_is_help=True)

ProfileOption = Annotated[
    ProfileName, typer.Option("--profile", help="Tingkat pengerasan. / Hardening profile.")
]
SizeOption = Annotated[
    Size,
    typer.Option(
        "--size",
        help="lean: paling banyak 512 byte per data; thorough: teliti. / "
        "lean: at most 512 bytes a record; thorough.",
    ),
]
KindsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--kind", help="kolom=jenis, mengganti tebakan. / column=kind, in place of the guess."
    ),
]
OnlyOption = Annotated[
    str | None,
    typer.Option("--fields", help="Hanya kolom ini, dipisah koma. / Only these columns."),
]
RowsOption = Annotated[
    int | None,
    typer.Option("--rows", min=1, help="Besar registri sebenarnya. / The registry's real size."),
]
ModeOption = Annotated[
    Mode,
    typer.Option(
        "--mode",
        help="unit: jalur; direct: kunci mode direct, [flow.direct]. / "
        "unit: passes; direct: keys of direct mode, [flow.direct].",
    ),
]
OwnFilesOption = Annotated[
    bool,
    typer.Option(
        "--own-files",
        help="Kedua berkas milik sendiri: beberapa segmen per jalur; tidak dapat disepakati. / "
        "Both files are your own: several segments a pass; no agreement can hold it.",
    ),
]
#: Where both files are at hand: a rehearsal, a measurement.
SignableOption = Annotated[
    bool,
    typer.Option(
        "--own-files/--signable",
        help="Skema yang disarankan: untuk berkas sendiri, atau yang dapat disepakati. / The "
        "suggested schema: for files of one's own, or one that can be signed.",
    ),
]


@app.callback()
def group() -> None:
    """Skema pemadanan: saran dan pemeriksaan. / Linkage schemas: advice and checks."""


@app.command()
@reports_errors
def suggest(
    a: Annotated[Path, typer.Argument(help="Daftar peminta. / The requester's list.")],
    b: Annotated[
        Path | None, typer.Argument(help="Registri penyedia. / The provider's registry.")
    ] = None,
    *,
    profile: ProfileOption = ProfileName.KETAT,
    size: SizeOption = Size.THOROUGH,
    out_file: Annotated[
        Path | None, typer.Option("--out", "-o", help="Berkas skema TOML. / Schema file.")
    ] = None,
    mode: ModeOption = Mode.UNIT,
    kind: KindsOption = None,
    fields: OnlyOption = None,
    rows: RowsOption = None,
    own_files: OwnFilesOption = False,
    id_column: Annotated[
        str | None, typer.Option("--id", help="Kolom id, tidak dilihat. / Id column, ignored.")
    ] = None,
    force: ForceFlag = False,
    json_: JsonFlag = False,
) -> None:
    """Sarankan skema untuk berkas Anda. / Suggest a schema for your files."""
    from padan_client.base.files import write_private
    from padan_client.rehearse.advice import advise, to_toml

    claim(out_file, reads=[a, b], force=force)
    asked = wishes(profile, size, kind, fields, rows, own_files=own_files)
    if mode is Mode.DIRECT:
        _suggest_keys(a, b, asked, id_column, out_file, json_=json_)
        return
    suggestion = advise(a, b, asked, id_column)
    if out_file is not None:
        write_private(out_file, to_toml(suggestion).encode())
    if json_:
        print_json(as_json(suggestion))
    else:
        show(suggestion)


def _suggest_keys(
    a: Path, b: Path | None, asked: Wishes, id_column: str | None, out_file: Path | None, *,
    json_: bool,
) -> None:  # fmt: skip
    """Propose the keys of direct mode, which are for two files."""
    from padan_client.base.files import write_private
    from padan_client.cli.views.direct_keys import keys_json, show_keys
    from padan_client.rehearse.direct_keys import advise_keys, keys_toml

    if b is None:
        raise BadInputError(
            t(
                "Kunci mode direct dilatih pada registri: sebutkan juga berkas registri.",
                "Keys of direct mode are rehearsed on a registry: name its file too.",
            )
        )
    suggestion = advise_keys(a, b, asked, id_column)
    if out_file is not None:
        write_private(out_file, keys_toml(suggestion).encode())
    if json_:
        print_json(keys_json(suggestion))
    else:
        show_keys(suggestion)


@app.command()
@reports_errors
def lint(
    file: Annotated[Path, typer.Argument(help="Skema atau perjanjian. / Schema or agreement.")],
    *,
    rows: RowsOption = None,
    json_: JsonFlag = False,
) -> None:
    """Tolak pengerasan yang lemah, dengan nama serangannya. / Refuse weak hardening, by attack."""
    from padan_client.cli.views.agreement import finding_json, findings_table
    from padan_client.rehearse.schema_lint import lint_file

    findings, size = lint_file(file, rows)
    errors = sum(f.severity is Severity.ERROR for f in findings)
    if json_:
        print_json(
            {
                "file": str(file),
                "rows": size,
                "errors": errors,
                "warnings": len(findings) - errors,
                "findings": [finding_json(f) for f in findings],
            }
        )
    elif findings:
        out.print(findings_table(findings))
    else:
        out.print(t("Tidak ada temuan.", "Nothing found."))
    if errors:
        raise typer.Exit(int(Exit.BAD_INPUT))


def wishes(
    profile: ProfileName,
    size: Size,
    kind: list[str] | None,
    fields: str | None,
    rows: int | None = None,
    *,
    own_files: bool = False,
) -> Wishes:
    """The options of a command as wishes. Raises BadInputError for a kind that there is not."""
    only = tuple(name.strip() for name in (fields or "").split(",") if name.strip())
    kinds = dict(map(_kind_of_column, kind or []))
    return Wishes(profile, size, kinds, only, rows, own_files)


def _kind_of_column(text: str) -> tuple[str, Kind]:
    column, _, kind = text.rpartition("=")
    known = ", ".join(Kind)
    if not column or kind not in set(Kind):
        raise BadInputError(
            t(
                f"--kind {text}: tulis kolom=jenis. Jenis yang ada: {known}.",
                f"--kind {text}: write column=kind. Kinds: {known}.",
            )
        )
    return column, Kind(kind)


def as_json(s: Suggestion) -> dict[str, object]:
    """Every choice with its reason, for programs."""
    return {
        "profile": s.profile.name,
        "size": s.size,
        "rows": s.rows,
        "record_bytes": s.record_bytes,
        "signable": not s.own_files,
        "accepts": ["filters"] if s.likened and not s.own_files else [],
        "fields": [
            {"name": f.name, "kind": f.kind, "columns_a": f.columns_a, "columns_b": f.columns_b,
             "reasons": _sentences(f.said)}
            for f in s.fields
        ],
        "left_out": [
            {"side": x.side, "column": x.column, "reason": _sentence(x.said)} for x in s.left_out
        ],
        "passes": [
            {"id": p.chosen.id, "exact": p.chosen.exact, "bucket_bits": p.chosen.bucket_bits,
             "without": p.chosen.without,
             "segments": [segment.named for segment in p.chosen.similar],
             "group": round(p.group, 2), "reason": _sentence(p.said)}
            for p in s.passes
        ],
        "passed_over": _sentences(s.passed_over),
        "schema": s.schema.model_dump(mode="json"),
    }  # fmt: skip


def show(s: Suggestion) -> None:
    """The suggestion for a reader: fields, passes, what was left out, each with its reason.

    "Sharing": mean number of registry rows with the same exact values.
    """
    fields = Sheet(t("Ruas", "Fields"))
    for heading in (t("ruas", "field"), t("jenis", "kind"), t("alasan", "why")):
        fields.add_column(heading)
    for f in s.fields:
        fields.add_row(f.name, f.kind, "\n".join(dict.fromkeys(_sentences(f.said))))
    out.print(fields)
    passes = Sheet(t("Jalur", "Passes"))
    for heading in (
        t("jalur", "pass"),
        t("harus sama", "must agree"),
        t("dibandingkan", "compared"),
        t("berbagi", "sharing"),
        t("alasan", "why"),
    ):
        passes.add_column(heading)
    for p in s.passes:
        compared = ", ".join(x.shown for x in p.chosen.similar)
        passes.add_row(
            p.chosen.id,
            exact_text(p.chosen),
            compared or "–",
            decimal(p.group, 1),
            _sentence(p.said),
        )
    out.print(passes)
    for line in (*(f"{x.side}: {_sentence(x.said)}" for x in s.left_out),
                 *_sentences(s.passed_over)):  # fmt: skip
        out.print(f"  {line}", style="dim", markup=False, highlight=False)
    out.print(
        t(
            f"Profil {s.profile.name}, {s.size}: {len(s.passes)} jalur, {number(s.record_bytes)} "
            f"byte per data, dibuat untuk {number(s.rows)} baris.",
            f"Profile {s.profile.name}, {s.size}: {len(s.passes)} passes, "
            f"{number(s.record_bytes)} bytes a record, made for {number(s.rows)} rows.",
        ),
        highlight=False,
    )
    out.print(_sentence(s.signing()), highlight=False, markup=False)


def _sentence(said: Remark) -> str:
    return t(said.id_text, said.en_text)


def _sentences(said: tuple[Remark, ...]) -> list[str]:
    return [_sentence(x) for x in said]
