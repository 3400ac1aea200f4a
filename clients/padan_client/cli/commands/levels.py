"""``padan agreement accept-levels``: error levels that a rehearsal proposed, signed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.files import write_public
from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.asking import agree
from padan_client.cli.common import out, print_json, reports_errors
from padan_client.cli.home import open_home
from padan_client.cli.options import (
    HOME,
    AgreementOption,
    FlowOption,
    HomeOption,
    JsonFlag,
    YesFlag,
)

if TYPE_CHECKING:
    from padan_linkage.edition.levels import Levels


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("accept-levels")(accept_levels)


@reports_errors
def accept_levels(
    file: Annotated[
        Path,
        typer.Argument(
            help="Usulan dari `padan rehearse --propose`. / A proposal of `padan rehearse`."
        ),
    ],
    agreement: AgreementOption,
    flow: FlowOption,
    *,
    yes: YesFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Setujui tingkat galat yang diusulkan. / Accept proposed error levels."""
    from padan_client.home import accepted_levels as levels
    from padan_client.protocol.session import unit_schema

    opened = open_home(home)
    place = opened.place(agreement, flow)
    schema = unit_schema(place)
    proposed = levels.read_levels(file)
    signed = levels.accepted(place, schema, proposed, opened.identity)
    missing = signed.missing(levels.keys_of(place, signed))
    if signed != proposed:
        agree(_about(signed.levels), given=yes, option="--yes")
        write_public(file, signed.file())
    opened.accepted_levels().keep(place, signed)
    digest = signed.levels.digest()
    if json_:
        print_json({"file": str(file), "levels": digest, "missing": missing})
    else:
        out.print(_done(digest, missing), highlight=False)


def _about(levels: Levels) -> str:
    """What is accepted, as a sentence."""
    pairs = min(levels.pairs.values(), default=0)
    return t(
        f"Tingkat galat alur {levels.flow} dari daftar {number(levels.rows)} baris "
        f"(sedikitnya {number(pairs)} pasangan per jalur) akan ditandatangani dan menggantikan "
        "bawaan pada penerbitan berikutnya.",
        f"Error levels of flow {levels.flow}, from a list of {number(levels.rows)} rows (at least "
        f"{number(pairs)} matches in each pass), will be signed and replace the shipped ones when "
        "a registry is next published.",
    )


def _done(digest: str, missing: Sequence[str]) -> str:
    """What was done, and what is still to be done."""
    if missing:
        return t(
            f"Ditandatangani: {digest}. Kirimkan berkasnya ke {', '.join(missing)}; setelah "
            "ditandatangani di sana, jalankan perintah ini sekali lagi atas berkas itu.",
            f"Signed: {digest}. Send the file to {', '.join(missing)}; once it is signed there, "
            "run this command once more on that file.",
        )
    return t(
        f"Disepakati kedua pihak: {digest}. Penerbitan registri berikutnya memakainya.",
        f"Accepted by both sides: {digest}. The next publication of the registry rests on it.",
    )
