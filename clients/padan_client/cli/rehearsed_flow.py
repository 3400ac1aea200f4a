"""The flow that ``padan rehearse --agreement`` rehearses, from a file that need not be signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.files import write_public
from padan_client.base.language import t
from padan_client.cli.options import pairs, statuses
from padan_client.home.agreement_files import parsed, read_document
from padan_linkage.agreement import Agreement, Flow, agreement_digest

if TYPE_CHECKING:
    from padan_client.rehearse import RehearsedFlow, SchemaFile
    from padan_linkage.edition.levels import Levels
    from padan_linkage.schema import Schema

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
LevelsOption = Annotated[
    Path | None,
    typer.Option(
        "--levels",
        help="Usulan tingkat galat yang dicoba. / Proposed error levels to try.",
    ),
]
ProposeOption = Annotated[
    Path | None,
    typer.Option(
        "--propose",
        help="Tulis usulan tingkat galat yang dipelajari dari kedua berkas. / "
        "Write a proposal of error levels learned from the two files.",
    ),
]


def rehearsed_flow(
    file: Path,
    flow_id: str | None,
    map_list: list[str] | None,
    map_registry: list[str] | None,
    status: list[str] | None,
    levels: Path | None = None,
    *,
    propose: bool = False,
) -> tuple[SchemaFile, RehearsedFlow]:
    """What an agreement's flow makes of two files. Raises BadInputError."""
    from padan_client.rehearse import RehearsedFlow, SchemaFile

    document = read_document(file)
    flow = _flow(parsed(document), flow_id)
    assert flow.schema is not None
    schema_file = SchemaFile.of_flow(flow, flow.schema, pairs(map_list, "--map"))
    digest, columns = agreement_digest(document), pairs(map_registry, "--map-b")
    tried = None if levels is None else _levels(levels, digest, flow, flow.schema)
    return schema_file, RehearsedFlow(digest, flow, columns, statuses(status), tried, propose)


def _levels(path: Path, agreement: bytes, flow: Flow, schema: Schema) -> Levels:
    """Proposed levels, whoever signed them. Raises PadanError for those of something else."""
    from padan_client.home.accepted_levels import read_levels, unusable
    from padan_linkage.edition.levels import LevelsError

    proposed = read_levels(path).levels
    try:
        proposed.check(agreement, flow.id, schema)
    except LevelsError as e:
        raise unusable(e.differs) from None
    return proposed


def refuse_one_file(registry: Path | None, propose: Path | None) -> None:
    """Raise BadInputError where error levels are to be learned from one file alone."""
    if propose is not None and registry is None:
        raise BadInputError(
            t(
                "Usulan tingkat galat memerlukan daftar dan registri.",
                "A proposal of error levels takes a list and a registry.",
            )
        )


def write_proposal(path: Path, proposed: Levels) -> None:
    """Write what was learned, for both sides to accept."""
    from padan_linkage.edition.levels import SignedLevels

    write_public(path, SignedLevels(proposed, {}).file())


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
                "--flow, --map, --map-b, --status, --levels dan --propose menyertai --agreement; "
                "tanpa itu kolom disebut dalam berkas skema.",
                "--flow, --map, --map-b, --status, --levels and --propose go with --agreement; "
                "without it a schema file names the columns.",
            )
        )
