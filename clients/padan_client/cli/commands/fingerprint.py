"""``padan fingerprint``: by which tables a list was answered, to compare with the other side."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.errors import VerificationError
from padan_client.base.language import t
from padan_client.cli.common import out, print_json, reports_errors, say
from padan_client.cli.home import open_home
from padan_client.cli.options import HOME, AgreementOption, FlowOption, HomeOption, JsonFlag
from padan_client.cli.views.sheet import Sheet

if TYPE_CHECKING:
    from padan_client.protocol.direct.fingerprints import KnownTables

ResultArgument = Annotated[
    Path | None,
    typer.Argument(help="Hasil confirm: hanya tabel yang menjawabnya. / A result of confirm."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(fingerprint)


@reports_errors
def fingerprint(
    agreement: AgreementOption,
    flow: FlowOption,
    result: ResultArgument = None,
    *,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Sidik tabel mode langsung, untuk dibandingkan. / Fingerprints of tables, to compare."""
    from padan_client.protocol.direct.fingerprints import known_tables

    opened = open_home(home)
    known = known_tables(opened, opened.place(agreement, flow))
    shown = known if result is None else _answering(known, result)
    if json_:
        print_json({"tables": [asdict(tables) for tables in shown]})
        return
    if not shown:
        say(
            t(
                "Tidak ada tabel mode langsung di sini untuk dibandingkan.",
                "There are no tables of direct mode here to compare.",
            )
        )
        return
    table = Sheet()
    for title in (t("sidik", "fingerprint"), t("tabel dasar", "base"), t("delta", "delta")):
        table.add_column(title)
    table.add_column(t("dibuat (UTC)", "created (UTC)"))
    for tables in shown:
        number = str(tables.sequence)
        table.add_row(tables.fingerprint, tables.by.edition, number, tables.created)
    out.print(table)


def _answering(known: tuple[KnownTables, ...], result: Path) -> list[KnownTables]:
    """Those that answered a result. Raises VerificationError where one is not known here."""
    from padan_client.records.table_files import read_result
    from padan_client.results.changes import EarlierResult, is_at_unit

    answered = EarlierResult.of(read_result(result)).answered_by
    wanted = {by for by in answered if not is_at_unit(by)}
    if wanted - {tables.by for tables in known}:
        raise VerificationError(
            t(
                f"Tabel yang menjawab {result} tidak dikenal di sini: bukan yang diterima atau "
                "diterbitkan dari folder ini.",
                f"The tables that answered {result} are not known here: none that this home "
                "received or published.",
            )
        )
    return [tables for tables in known if tables.by in wanted]
