"""Options and arguments that several commands have, and how their values are read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.formats import TableFormat
from padan_client.base.language import t

#: ``$PADAN_HOME`` or ``~/.padan``.
HOME = Path(os.environ.get("PADAN_HOME", Path.home() / ".padan"))

HomeOption = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="PADAN_HOME",
        help="Folder kunci dan setelan instansi. / The agency's keys and settings.",
    ),
]
JsonFlag = Annotated[
    bool, typer.Option("--json", help="Satu objek JSON ke stdout. / One JSON object to stdout.")
]
TableArgument = Annotated[
    Path, typer.Argument(help="CSV, Excel, ODS atau Parquet. / CSV, Excel, ODS or Parquet.")
]
SheetOption = Annotated[
    str | None,
    typer.Option("--sheet", help="Lembar buku kerja yang dibaca. / Sheet of a workbook to read."),
]
AgreementOption = Annotated[
    str, typer.Option("--agreement", "-a", help="Id perjanjian. / Agreement id.")
]
FlowOption = Annotated[str, typer.Option("--flow", "-f", help="Id alur. / Flow id.")]
IdOption = Annotated[
    str, typer.Option("--id", help="Kolom id rekaman. / Column that names the records.")
]
RowIdOption = Annotated[
    str | None, typer.Option("--id", help="Kolom id baris. / Column that names the rows.")
]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", help="ruas=KOLOM (boleh berulang). / field=COLUMN (repeatable)."),
]
StatusOption = Annotated[
    list[str] | None,
    typer.Option(
        "--status", help="Kolom status, atau nama=KOLOM. / Column of the status, or name=COLUMN."
    ),
]
ModeOption = Annotated[
    str | None,
    typer.Option(
        "--mode",
        help="unit | direct | auto; bawaan: unit bila boleh. / "
        "unit | direct | auto; default: unit if allowed.",
    ),
]
QuarantineOption = Annotated[
    Path | None,
    typer.Option(
        "--quarantine",
        help="Berkas baris bermasalah; bawaan: NAMA.karantina.csv di samping hasil. / "
        "File of rows with problems; default: NAME.karantina.csv beside the result.",
    ),
]
ForceFlag = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Timpa berkas hasil yang sudah ada. / Overwrite results that are there already.",
    ),
]
FormatOption = Annotated[
    TableFormat | None,
    typer.Option(
        "--format",
        help="Format hasil; bawaan: menurut akhiran nama, selain itu CSV. / Format of the result; "
        "default: as its name ends, else CSV.",
    ),
]
SeparatorOption = Annotated[
    str,
    typer.Option(
        "--separator",
        help="Pemisah CSV: , ; | tab. Excel Indonesia memakai ; / Separator of a CSV: , ; | tab. "
        "Indonesian Excel takes ;",
    ),
]
BomFlag = Annotated[
    bool,
    typer.Option(
        "--bom",
        help="CSV untuk Excel: dengan tanda UTF-8 di depan. / "
        "CSV for Excel: with a byte order mark.",
    ),
]
ExactFlag = Annotated[
    bool,
    typer.Option(
        "--exact",
        help="CSV untuk program: sel apa adanya, rumus pun. / CSV for programs: cells as they are, "
        "formulas too.",
    ),
]
NoteColumnOption = Annotated[
    str | None,
    typer.Option(
        "--note-column",
        help="Kolom catatan yang ikut ke hasil; bawaan: catatan. / Column of notes that goes over "
        "into the result; default: catatan.",
    ),
]
NotesOption = Annotated[
    Path | None,
    typer.Option(
        "--notes",
        help="Hasil terdahulu yang catatannya ikut, menurut id. / An earlier result whose notes "
        "are carried over, by id.",
    ),
]
YesFlag = Annotated[
    bool,
    typer.Option("--yes", help="Jangan tanya lagi (untuk skrip). / Do not ask (for scripts)."),
]

ServerOfFlowOption = Annotated[
    str | None,
    typer.Option(
        "--flow",
        "-f",
        help="Server penyedia alur ini, bukan unit. / The server of this flow's provider instead "
        "of the unit.",
    ),
]


def pairs(given: list[str] | None, option: str) -> dict[str, str] | None:
    """``["a=B", …]`` as a mapping; None where nothing was given. Raises BadInputError."""
    if not given:
        return None
    mapping: dict[str, str] = {}
    for item in given:
        name, equals, column = item.partition("=")
        if not equals or not name or name in mapping:
            raise BadInputError(
                t(
                    f"{option} {item}: tulis sebagai nama=KOLOM, tiap nama sekali.",
                    f"{option} {item}: write name=COLUMN, each name once.",
                )
            )
        mapping[name] = column
    return mapping


def statuses(given: list[str] | None) -> str | dict[str, str] | None:
    """``--status COL`` once, or ``--status name=COL`` for each column of the agreement."""
    if given and len(given) == 1 and "=" not in given[0]:
        return given[0]
    return pairs(given, "--status")
