"""The flow that ``padan rehearse --agreement`` rehearses, from a file that need not be signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.cli.options import pairs, statuses
from padan_client.home.agreement_files import parsed, read_document
from padan_linkage.agreement import Agreement, Flow, agreement_digest

if TYPE_CHECKING:
    from padan_client.rehearse import RehearsedFlow, SchemaFile

AgreementFileOption = Annotated[
    Path | None,
    typer.Option(
        "--agreement",
        help="Berkas perjanjian, rancangan pun boleh; baris dijawab seperti dalam pelaksanaan. / "
        "Agreement file, a draft will do; rows are answered as in a run.",
    ),
]
RehearsedFlowOption = Annotated[
    str | None, typer.Option("--flow", "-f", help="Id alur. / Flow id.")
]
MapListOption = Annotated[
    list[str] | None,
    typer.Option("--map", help="ruas=KOLOM pada daftar. / field=COLUMN of the list."),
]
MapRegistryOption = Annotated[
    list[str] | None,
    typer.Option("--map-b", help="ruas=KOLOM pada registri. / field=COLUMN of the registry."),
]


def rehearsed_flow(
    file: Path,
    flow_id: str | None,
    map_list: list[str] | None,
    map_registry: list[str] | None,
    status: list[str] | None,
) -> tuple[SchemaFile, RehearsedFlow]:
    """What an agreement's flow makes of two files. Raises BadInputError."""
    from padan_client.rehearse import RehearsedFlow, SchemaFile

    document = read_document(file)
    flow = _flow(parsed(document), flow_id)
    assert flow.schema is not None
    schema_file = SchemaFile.of_flow(flow, flow.schema, pairs(map_list, "--map"))
    columns = pairs(map_registry, "--map-b")
    return schema_file, RehearsedFlow(agreement_digest(document), flow, columns, statuses(status))


def _flow(agreement: Agreement, flow_id: str | None) -> Flow:
    """The flow of that id, or the only one that the unit can answer."""
    there = [f for f in agreement.flows if f.schema is not None]
    chosen = [f for f in there if flow_id in {None, f.id}]
    if len(chosen) == 1:
        return chosen[0]
    known = ", ".join(f.id for f in there) or "–"
    raise BadInputError(
        t(
            f"Sebutkan satu alur dengan --flow. Alur perjanjian {agreement.id} yang dapat diuji "
            f"coba: {known}.",
            f"Name one flow with --flow. Flows of agreement {agreement.id} that can be rehearsed: "
            f"{known}.",
        )
    )


def refuse_mixed(agreement: Path | None, schema: Path | None, *columns: object) -> None:
    """Raise BadInputError for a schema beside an agreement's, and for its options without one."""
    if agreement is not None and schema is not None:
        raise BadInputError(
            t("Pilih satu: --schema atau --agreement.", "Choose one: --schema or --agreement.")
        )
    if agreement is None and any(columns):
        raise BadInputError(
            t(
                "--flow, --map, --map-b dan --status menyertai --agreement; tanpa itu kolom "
                "disebut dalam berkas skema.",
                "--flow, --map, --map-b and --status go with --agreement; without it a schema file "
                "names the columns.",
            )
        )
