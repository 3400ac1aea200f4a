"""``padan minutes``: minutes of a matching, signed by both sides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from padan_client.base.errors import VerificationError
from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.asking import agree
from padan_client.cli.common import out, print_json, reports_errors, say
from padan_client.cli.home import open_home
from padan_client.cli.options import HOME, HomeOption, JsonFlag, YesFlag

if TYPE_CHECKING:
    from padan_client.home.folder import Home

app = typer.Typer(no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(help="Berita acara (.json). / Minutes (.json).")]


@app.callback()
def group() -> None:
    """Berita acara pemadanan dan serah terima. / Minutes of matchings and handovers."""


@app.command()
@reports_errors
def sign(
    file: FileArgument,
    *,
    yes: YesFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Tandatangani sebagai instansi ini. / Sign as this agency."""
    from padan_client.results import minutes

    opened = open_home(home)
    content, party = minutes.read(file), opened.identity.party
    _require_own_tables(opened, content)
    agree(
        t(
            f"{file.name} ({content['agreement']}, {content['flow']}, selesai {content['ended']}, "
            f"{number(content['rows'])} baris) akan ditandatangani sebagai {party}, dan tanda "
            "tangan yang sudah diserahkan tidak dapat ditarik.",
            f"{file.name} ({content['agreement']}, {content['flow']}, ended {content['ended']}, "
            f"{number(content['rows'])} rows) will be signed as {party}, and a signature that was "
            "handed over cannot be taken back.",
        ),
        given=yes,
        option="--yes",
    )
    target = minutes.sign(opened, file)
    if json_:
        print_json({"signed_by": opened.identity.party, "signature": str(target)})
    else:
        say(
            t(
                f"{opened.identity.party} menandatangani: {target}",
                f"{opened.identity.party} signed: {target}",
            )
        )


def _require_own_tables(opened: Home, content: Mapping[str, Any]) -> None:
    """A provider signs for tables that it published here. Raises VerificationError for others.

    Tables that are gone are spoken of, for they cannot be compared any more.
    """
    from padan_client.protocol.direct.fingerprints import known_tables

    place = opened.place(str(content["agreement"]), str(content["flow"]))
    tables = content.get("tables")
    if not tables or place.party != place.flow.provider:
        return
    known = known_tables(opened, place)
    if any(each.fingerprint == tables for each in known):
        return
    if any(str(content["run"]).endswith(f"/{each.by.edition}") for each in known):
        raise VerificationError(
            t(
                f"Daftar itu dijawab dengan tabel lain (sidik {tables}) daripada yang diterbitkan "
                "dari folder ini. Jangan tanda tangani; cari siapa yang menyajikannya.",
                f"The list was answered by other tables (fingerprint {tables}) than those that "
                "this home published. Do not sign; find out who served them.",
            )
        )
    say(
        t(
            f"Tabel yang menjawab (sidik {tables}) tidak ada lagi di sini, jadi tidak diperiksa.",
            f"The tables that answered (fingerprint {tables}) are not here any more, so they were "
            "not compared.",
        )
    )


@app.command()
@reports_errors
def verify(file: FileArgument, *, home: HomeOption = HOME, json_: JsonFlag = False) -> None:
    """Periksa tanda tangan kedua pihak. / Verify both sides' signatures."""
    from padan_client.results import minutes

    checked = minutes.verify(open_home(home), file)
    if json_:
        print_json(
            {
                "signed_by": list(checked.signed_by),
                "missing": list(checked.missing),
                **checked.content,
            }
        )
        return
    signed = ", ".join(checked.signed_by) or "–"
    missing = ", ".join(checked.missing)
    out.print(t(f"Sah: {signed}.", f"Valid: {signed}."), markup=False, highlight=False)
    if missing:
        out.print(t(f"Belum: {missing}.", f"Not yet: {missing}."), markup=False, highlight=False)
