"""``padan release``: aggregates and reference lists, published whole and fetched verified."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.asking import agree, claim
from padan_client.cli.common import out, print_json, reports_errors, say
from padan_client.cli.home import open_home
from padan_client.cli.options import (
    HOME,
    AgreementOption,
    FlowOption,
    ForceFlag,
    HomeOption,
    JsonFlag,
    MapOption,
    TableArgument,
    YesFlag,
    pairs,
)
from padan_client.cli.views.sheet import Sheet

if TYPE_CHECKING:
    from padan_client.protocol.releases.flow import PublishedRelease, ReceivedRelease
    from padan_client.protocol.releases.making import Made
    from padan_linkage.release.reference import Difference

app = typer.Typer(no_args_is_help=True)

LineOption = Annotated[
    str | None,
    typer.Option(
        "--line",
        help="Daftar yang dimaksud, bila alur punya beberapa. / "
        "Which list, if the flow has several.",
    ),
]
#: Keys of a list that are shown; the file has all.
_SHOWN_KEYS = 10


@app.callback()
def group() -> None:
    """Agregat dan daftar referensi. / Aggregates and reference lists."""


@app.command()
@reports_errors
def publish(
    file: TableArgument,
    agreement: AgreementOption,
    flow: FlowOption,
    *,
    line: LineOption = None,
    map_: MapOption = None,
    id_column: Annotated[
        str | None,
        typer.Option(
            "--id", help="Kolom yang tidak boleh berulang. / Column whose values must not repeat."
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            help="Keadaan per tanggal ini. / The state as of this day.",
        ),
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", "-o", help="Salinan isi rilis. / Copy of the content.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Hitung saja, jangan kirim. / Compute, send nothing.")
    ] = False,
    force: ForceFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Terbitkan versi berikutnya, tersegel untuk penerima. / Publish the next version, sealed."""
    from padan_client.base.files import write_private
    from padan_client.protocol.releases.flow import ReleaseFlow
    from padan_client.records import read_table
    from padan_client.releases import ReleaseClient

    claim(out_file, reads=[file], force=force)
    table = read_table(file)
    opened, columns = open_home(home), pairs(map_, "--map")
    if dry_run:
        made = ReleaseFlow(opened, agreement, flow, line).prepare(table, columns, id_column)
        published = None
    else:
        with ReleaseClient(opened, agreement, flow, line) as client:
            published = client.publish(
                table,
                columns=columns,
                id_column=id_column,
                as_of=as_of.date() if as_of else None,
            )
        made = published.made
    if out_file:
        write_private(out_file, made.content)
    if json_:
        print_json({"agreement": agreement, "flow": flow, **_published_json(made, published)})
    else:
        _tell_published(made, published)


@app.command()
@reports_errors
def get(
    agreement: AgreementOption,
    flow: FlowOption,
    out_file: Annotated[Path, typer.Option("--out", "-o", help="Berkas CSV. / CSV file.")],
    *,
    line: LineOption = None,
    version: Annotated[
        int | None,
        typer.Option(
            "--version",
            min=1,
            help="Nomor versi; bawaan: yang terbaru. / Number of the version; default: the newest.",
        ),
    ] = None,
    force: ForceFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Ambil dan periksa sebuah rilis. / Fetch and verify a release."""
    from padan_client.base.files import write_private
    from padan_client.releases import ReleaseClient

    claim(out_file, force=force)
    with ReleaseClient(open_home(home), agreement, flow, line) as client:
        received = client.get(version)
    write_private(out_file, received.content)
    if json_:
        print_json(
            {"agreement": agreement, "flow": flow, "out": str(out_file), **_received_json(received)}
        )
        return
    _tell_received(received)
    say(t(f"Ditulis ke {out_file}.", f"Written to {out_file}."))


@app.command("list")
@reports_errors
def list_(
    agreement: AgreementOption,
    flow: FlowOption,
    *,
    line: LineOption = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Paling banyak sekian. / At most so many.")
    ] = 50,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Rilis yang ada di unit, terbaru dahulu. / Releases at the unit, newest first."""
    from padan_client.releases import ReleaseClient

    with ReleaseClient(open_home(home), agreement, flow, line) as client:
        found = client.released(limit)
    entries = [_entry(release) for release in found]
    if json_:
        print_json({"agreement": agreement, "flow": flow, "releases": entries})
        return
    table = Sheet()
    for title in (
        t("versi", "version"),
        t("penerbit", "publisher"),
        t("keadaan", "state"),
        t("bita tersegel", "sealed bytes"),
        t("diterima (UTC)", "received (UTC)"),
        t("kedaluwarsa (UTC)", "expires (UTC)"),
    ):
        table.add_column(title)
    for entry in entries:
        cells = entry | {"bytes": number(int(str(entry["bytes"])))}
        table.add_row(*(str(value) for value in cells.values()))
    out.print(table)


@app.command()
@reports_errors
def delete(
    version: Annotated[int, typer.Argument(min=1, help="Versi. / Version.")],
    agreement: AgreementOption,
    flow: FlowOption,
    *,
    line: LineOption = None,
    yes: YesFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Hapus rilis instansi ini dari unit. / Erase a release of this agency's from the unit."""
    from padan_client.releases import ReleaseClient

    opened = open_home(home)
    agree(
        t(
            f"Versi {version} akan dihapus dari unit dan tidak dapat diambil lagi.",
            f"Version {version} will be erased from the unit and cannot be fetched any more.",
        ),
        given=yes,
        option="--yes",
    )
    with ReleaseClient(opened, agreement, flow, line) as client:
        client.delete(version)
    if json_:
        print_json({"agreement": agreement, "flow": flow, "version": version, "state": "deleted"})
    else:
        say(t(f"Versi {version} dihapus dari unit.", f"Version {version} erased from the unit."))


def _entry(release: Any) -> dict[str, object]:
    return {
        "version": release.version,
        "publisher": release.publisher,
        "state": "deleted" if release.state == release.STATE_DELETED else "available",
        "bytes": release.size_bytes,
        "created": release.create_time.ToJsonString(),
        "expires": release.expire_time.ToJsonString(),
    }


def _published_json(made: Made, published: PublishedRelease | None) -> dict[str, object]:
    release = published.release if published else None
    return {
        "line": release.line if release else None,
        "version": release.version if release else None,
        "as_of": release.as_of if release else None,
        "manifest_sha256": release.digest() if release else None,
        "repeated": published.repeated if published else False,
        "counted": made.counted,
        "rows": made.rows,
        "withheld": made.withheld,
        "sensitive": made.sensitive,
        "folded": dict(made.folded),
        "changes": _changes_json(made.changes),
    }


def _received_json(received: ReceivedRelease) -> dict[str, object]:
    release = received.release
    return {
        "line": release.line,
        "kind": release.kind,
        "version": release.version,
        "publisher": release.publisher,
        "as_of": release.as_of,
        "created": release.created,
        "manifest_sha256": release.digest(),
        "rows": release.rows,
        "withheld": release.withheld,
        "since": received.since,
        "changes": _changes_json(received.changes),
    }


def _changes_json(changes: Difference | None) -> dict[str, list[str]] | None:
    if changes is None:
        return None
    return {
        "added": list(changes.added),
        "removed": list(changes.removed),
        "changed": list(changes.changed),
    }


def _tell_published(made: Made, published: PublishedRelease | None) -> None:
    if made.sensitive or made.withheld:
        others = made.withheld - made.sensitive
        say(
            t(
                f"{number(made.counted)} baris dihitung menjadi {number(made.rows)} sel; "
                f"{number(made.sensitive)} terlalu kecil dan {number(others)} sel lain ditutup.",
                f"{number(made.counted)} rows counted into {number(made.rows)} cells; "
                f"{number(made.sensitive)} too small and {number(others)} others withheld.",
            )
        )
    for dimension, count in made.folded.items():
        say(
            t(
                f"{dimension}: {number(count)} kategori yang jarang digabung menjadi (lainnya).",
                f"{dimension}: {number(count)} rare categories joined into (lainnya).",
            )
        )
    _tell_changes(made.changes)
    if published is None:
        say(t("Tidak ada yang dikirim (--dry-run).", "Nothing was sent (--dry-run)."))
        return
    release = published.release
    again = t(" (sudah ada di unit)", " (the unit had it)") if published.repeated else ""
    say(
        t(
            f"{release.line} versi {release.version} diterbitkan untuk {release.receiver}, "
            f"keadaan {release.as_of}{again}.",
            f"{release.line} version {release.version} published for {release.receiver}, as of "
            f"{release.as_of}{again}.",
        )
    )


def _tell_received(received: ReceivedRelease) -> None:
    release = received.release
    say(
        t(
            f"{release.line} versi {release.version}: ditandatangani dan disegel "
            f"{release.publisher}, keadaan {release.as_of}, {number(release.rows)} baris, "
            f"{number(release.withheld)} ditutup.",
            f"{release.line} version {release.version}: signed and sealed by {release.publisher}, "
            f"as of {release.as_of}, {number(release.rows)} rows, {number(release.withheld)} "
            "withheld.",
        )
    )
    _tell_changes(received.changes)


def _tell_changes(changes: Difference | None) -> None:
    if changes is None:
        return
    for keys, what in (
        (changes.added, t("baru", "new")),
        (changes.changed, t("berubah", "changed")),
        (changes.removed, t("hilang", "gone")),
    ):
        more = f", … ({len(keys)})" if len(keys) > _SHOWN_KEYS else ""
        if keys:
            say(f"{what}: {', '.join(keys[:_SHOWN_KEYS])}{more}")
