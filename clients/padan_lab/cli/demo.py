"""``padan demo``: the whole thing on this machine, on generated people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.language import current_language, t
from padan_client.base.numbers import number
from padan_client.cli.asking import claim_folder
from padan_client.cli.common import Exit, err, out, print_json, reports_errors
from padan_client.cli.options import ForceFlag, JsonFlag, StatusOption
from padan_client.cli.views.sheet import Sheet
from padan_client.results.wording import outcome_texts
from padan_lab.cli import PANEL, demo_files
from padan_lab.cli.shares import share

if TYPE_CHECKING:
    from padan_lab.demo.demonstration import Played, Sizes
    from padan_lab.demo.flows import ChosenFlow
    from padan_lab.demo.given_files import OwnFiles
    from padan_lab.demo.score import Score
    from padan_lab.demo.stopwatch import Announce

_OWN = "Berkas sendiri / Files of one's own"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="demo", rich_help_panel=PANEL)(demo)


@reports_errors
def demo(
    *,
    registry: Annotated[
        Path | None,
        typer.Option(
            help="Registri sendiri; perlu --list. / A registry of one's own.", rich_help_panel=_OWN
        ),
    ] = None,
    lists: Annotated[
        list[Path] | None,
        typer.Option(
            "--list",
            help="Daftar sendiri (boleh berulang). / A list of one's own (repeatable).",
            rich_help_panel=_OWN,
        ),
    ] = None,
    truths: Annotated[
        list[Path] | None,
        typer.Option(
            "--truth",
            help="Id daftar → id registri atau kode; satu untuk semua, atau satu tiap daftar. / "
            "List id → registry id or code; one for all lists or one each.",
            rich_help_panel=_OWN,
        ),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option(
            "--id", help="Kolom id (bawaan rec_id, id). / Id column.", rich_help_panel=_OWN
        ),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="ruas=KOLOM bagi berkas yang memuatnya; ruas= bila daftar tidak memuatnya. / "
            "field=COLUMN of the files that have it; field= where the lists have none.",
            rich_help_panel=_OWN,
        ),
    ] = None,
    status: StatusOption = None,
    repeat: Annotated[
        bool,
        typer.Option(
            "--repeat", help="Tiap daftar dua kali. / Each list twice.", rich_help_panel=_OWN
        ),
    ] = False,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart",
            help="Server dijalankan ulang antardaftar. / Restart between lists.",
            rich_help_panel=_OWN,
        ),
    ] = False,
    agreement: Annotated[
        str | None,
        typer.Option(help="Perjanjian contoh, atau berkas .toml. / Example agreement, or a file."),
    ] = None,
    flow: Annotated[str, typer.Option(help="Alur, atau ALUR/PERJANJIAN. / Flow.")] = "asn-status",
    mode: Annotated[str, typer.Option("--mode", help="unit | direct | auto")] = "unit",
    weak_alone: Annotated[
        bool,
        typer.Option(
            "--weak-alone",
            help="Kunci lemah mode direct membuka sendiri. / Weak direct keys open alone.",
        ),
    ] = False,
    population: Annotated[
        int, typer.Option(min=1, help="Baris registri. / Registry rows.")
    ] = 200_000,
    candidates: Annotated[
        int, typer.Option(min=1, help="Baris daftar. / Rows of the list.")
    ] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Benih data buatan. / Seed.")] = 1,
    level: Annotated[
        str, typer.Option("--level", help="Derau data: clean | real | x3. / Noise of the data.")
    ] = "real",
    folder: Annotated[
        Path, typer.Option("--out", help="Folder hasil. / Folder for everything.")
    ] = Path("padan-demo"),
    all_: Annotated[
        bool, typer.Option("--all", help="Semua alur, satu tabel. / Every flow, one table.")
    ] = False,
    force: ForceFlag = False,
    json_: JsonFlag = False,
) -> None:
    """Peragaan: satu unit, dua instansi, orang buatan. / Demonstration on generated people."""
    from padan_lab.demo.demonstration import Sizes, chosen_level, play
    from padan_lab.demo.flows import ChosenFlow
    from padan_lab.demo.leftovers import broken_off, touched

    def announce(line: str) -> None:
        if not json_:
            err.print(f"[green]✓[/] {line}", highlight=False)

    given = [path for path in (registry, *(lists or ()), *(truths or ())) if path]
    claim_folder(folder, touched(folder), reads=given, force=force)
    if left := broken_off(folder):
        announce(
            t(
                f"Peragaan terdahulu di {folder} tidak selesai; {left} berkas yang ditinggalkannya "
                "dihapus, jawaban yang sudah tertulis juga, dan semuanya diulang",
                f"An earlier demonstration in {folder} did not end; the {left} files that it left "
                "are removed, answers that it had written too, and all is done again",
            )
        )
    files = demo_files.own_files(
        registry, lists, truths, map_, status, id_column, again=repeat, restart=restart
    )
    if files is not None:
        chosen = ChosenFlow.confirming(agreement, flow, mode)
        chosen = chosen.opening_alone() if weak_alone else chosen
        _play_files(files, chosen, folder, announce, json_=json_)
        return
    sizes = Sizes(population, candidates, seed, chosen_level(level))
    if all_:
        if weak_alone:
            raise BadInputError(
                t("--weak-alone berlaku untuk satu alur.", "--weak-alone is for one flow.")
            )
        _show_all(sizes, folder, announce, json_=json_)
        return
    played = play(
        agreement,
        flow,
        mode=mode,
        sizes=sizes,
        folder=folder,
        announce=announce,
        weak_alone=weak_alone,
    )
    if json_:
        print_json(played.as_json())
    else:
        _show(played)


def _play_files(
    files: OwnFiles,
    chosen: ChosenFlow,
    folder: Path,
    announce: Announce,
    *,
    json_: bool,
) -> None:
    """Ask the lists that were given; leave as the first one that was refused did."""
    from padan_lab.demo.own_files import play_files

    played = play_files(chosen, files, folder=folder, announce=announce)
    if json_:
        print_json(played.as_json())
    else:
        demo_files.show(played)
    if played.refused:
        raise typer.Exit(int(Exit.REFUSED))


def _show_all(sizes: Sizes, folder: Path, announce: Announce, *, json_: bool) -> None:
    """Play every flow; one table, or one object."""
    from padan_lab.demo.all_flows import play_all

    table = Sheet(t("Kelima perjanjian", "The five agreements"))
    for title in (t("Perjanjian", "Agreement"), t("Alur", "Flow"), t("Cara", "Way")):
        table.add_column(title)
    for title in (t("Presisi", "Precision"), t("Perolehan", "Recall"), t("Detik", "Seconds")):
        table.add_column(title, justify="right")
    shown = []
    for played in play_all(sizes=sizes, folder=folder, announce=announce):
        shown.append(played.as_json())
        seconds = _seconds(played)
        names = played.site.agreement_id, played.site.flow_id
        if played.score is None:
            table.add_row(*names, _released(played), _verdict(played), "", seconds)
        else:
            shares = share(played.score.precision), share(played.score.recall)
            table.add_row(*names, played.mode, *shares, seconds)
    if json_:
        print_json({**sizes.as_json(), "flows": shown})
    else:
        out.print(table)


def _released(played: Played) -> str:
    """How many versions went over, and what they held back."""
    withheld, rows = (sum(getattr(p, name) for p in played.passed) for name in ("withheld", "rows"))
    versions = t(f"{len(played.passed)} rilis", f"{len(played.passed)} releases")
    held = t(f"ditutup {withheld} dari {rows}", f"{withheld} of {rows} withheld")
    return f"{versions}, {held}" if withheld else versions


def _verdict(played: Played) -> str:
    right = all(p.verified for p in played.passed)
    return t("terverifikasi", "verified") if right else t("SALAH", "WRONG")


def _show(played: Played) -> None:
    site = played.site
    provider, requester = site.provider.upper(), site.requester.upper()
    title = t(
        f"{provider} menjawab {requester} menurut {site.agreement_id}, alur {site.flow_id}",
        f"{provider} answers {requester} under {site.agreement_id}, flow {site.flow_id}",
    )
    if played.score is None:
        _show_releases(played)
    else:
        _show_codes(played, played.score, title)
    if site.simulated_time:
        out.print(
            t(
                f"Perjanjian ini tidak sedang berlaku: jam server disimulasikan mulai "
                f"{site.simulated_time:%Y-%m-%d}.",
                f"This agreement is not in force now: the servers' clocks were simulated from "
                f"{site.simulated_time:%Y-%m-%d}.",
            ),
            highlight=False,
        )
    kept = t(
        "codes.csv (jawaban)" if played.score else "rilis yang diterima (*.csv)",
        "codes.csv (answers)" if played.score else "the releases received (*.csv)",
    )
    out.print(
        t(
            f"Di {site.folder}: {kept}, agreement/ (perjanjian bertanda tangan), "
            f"{_left(played)}, logs/.",
            f"In {site.folder}: {kept}, agreement/ (signed agreement), {_left(played)}, logs/.",
        ),
        highlight=False,
    )


def _seconds(played: Played) -> str:
    """How long it took, whole seconds."""
    return number(round(sum(played.seconds.values())))


def _show_releases(played: Played) -> None:
    site = played.site
    title = t(
        f"Rilis menurut {site.agreement_id}, alur {site.flow_id}",
        f"Releases under {site.agreement_id}, flow {site.flow_id}",
    )
    table = Sheet(title)
    for name in (t("Daftar", "Line"), t("Versi", "Version"), t("Dari → ke", "From → to")):
        table.add_column(name)
    for name in (
        t("Baris", "Rows"),
        t("Kecil", "Small"),
        t("Ditutup", "Withheld"),
        t("Beda", "Changes"),
        t("Periksa", "Check"),
    ):
        table.add_column(name, justify="right")
    for p in played.passed:
        changes = "/".join(str(len(p.changes[k])) for k in p.changes) if p.changes else "–"
        table.add_row(
            p.line,
            str(p.version),
            f"{p.publisher} → {p.receiver}",
            number(p.rows),
            number(p.sensitive),
            number(p.withheld),
            changes,
            t("benar", "right") if p.verified else t("SALAH", "WRONG"),
        )
    out.print(table)
    out.print(
        t(
            f"{_seconds(played)} detik; setiap baris yang diterima dihitung ulang "
            "dari berkas penerbitnya.",
            f"{_seconds(played)} seconds; every row received was counted again "
            "from the publisher's file.",
        ),
        highlight=False,
    )


def _show_codes(played: Played, score: Score, title: str) -> None:
    table = Sheet(title)
    table.add_column(t("Jawaban", "Answer"))
    table.add_column(t("Baris", "Rows"), justify="right")
    for code, rows in played.confirmed["counts"].items():
        table.add_row(_wording(played, code), number(int(rows)))
    out.print(table)
    if ways := played.confirmed["ways"]:
        shown = ", ".join(f"{way} {number(int(rows))}" for way, rows in ways.items())
        out.print(t(f"Cara: {shown}.", f"Ways: {shown}."), highlight=False)
    count, rows = number(played.sizes.candidates), number(played.sizes.population)
    listed = number(score.in_registry)
    out.print(
        t(
            f"{count} calon × {rows} baris registri; {listed} calon memang terdaftar.",
            f"{count} candidates × {rows} registry rows; {listed} candidates really are in it.",
        ),
        highlight=False,
    )
    out.print(
        t(
            f"Presisi {share(score.precision)}, perolehan {share(score.recall)} "
            f"(peragaan ini tahu kebenarannya), {_seconds(played)} detik.",
            f"Precision {share(score.precision)}, recall {share(score.recall)} "
            f"(the demonstration knows the truth), {_seconds(played)} seconds.",
        ),
        highlight=False,
    )


def _left(played: Played) -> str:
    """The data folders of the servers that ran, and what they still hold."""
    counts = t("hitungan dan catatan", "counts and records")
    held = []
    if played.mode != "direct":
        held.append(f"unit/data/ ({_left_at_unit(played)}, {counts})")
    if played.mode != "unit":
        held.append(f"provider/data/ ({counts})")
    return ", ".join(held)


def _left_at_unit(played: Played) -> str:
    """What lies in the unit's folder beside its own records: erased lists do not."""
    if played.score is None:
        return t("rilis tersegel", "sealed releases")
    datasets = played.site.folder / "unit" / "data" / "datasets"
    lists = len(list(datasets.iterdir())) - 1 if datasets.exists() else 0
    if lists > 0:
        return t(f"sandi registri dan {lists} daftar", f"encoded registry and {lists} lists")
    return t(
        "sandi registri; daftar dan jawabannya sudah dihapus",
        "encoded registry; the list and its answers are erased",
    )


def _wording(played: Played, code: str) -> str:
    """The agreement's own words for a code; ours for the outcomes that no code names."""
    flow = played.flow
    known = {c.code: c for c in (*flow.codes, *flow.written)}
    if code in known:
        named = known[code]
        return f"«{named.text}»" + (f" ({named.gloss})" if current_language() == "en" else "")
    text = outcome_texts().get(code)
    return f"{code.replace('_', ' ')}: {text}" if text else code
