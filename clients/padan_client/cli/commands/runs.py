"""``padan runs``: what the unit has of this agency's runs and datasets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from padan_client.base.language import t
from padan_client.base.numbers import decimal, number
from padan_client.base.reasons import explain
from padan_client.cli.asking import agree
from padan_client.cli.common import out, print_json, reports_errors, say
from padan_client.cli.home import open_home
from padan_client.cli.options import (
    HOME,
    AgreementOption,
    FlowOption,
    HomeOption,
    JsonFlag,
    YesFlag,
)
from padan_client.cli.progress import progress_bars
from padan_client.cli.stopping import again, telling
from padan_client.cli.views.sheet import Sheet
from padan_client.results.wording import reason_texts
from padan_linkage.answering.outcomes import LIST_CLOSED, REASON_WORDS

if TYPE_CHECKING:
    from padan_client.base.effects import Steps
    from padan_client.base.place import FlowPlace
    from padan_client.home.folder import Home
    from padan_client.protocol.contributions import HalfOpenEpoch
    from padan_client.results.changes import RegistryFacts

app = typer.Typer(no_args_is_help=True)

_RUN_COLUMNS = ("run", "state", "charged", "edition", "answers", "created", "ended")
_DATASET_COLUMNS = ("dataset", "state", "records", "epoch", "edition", "committed", "expires")
_TIMES = frozenset({"created", "ended", "committed", "expires"})
#: Headings by the keys of the JSON form.
_TITLES = {
    "run": ("pemadanan", "run"),
    "dataset": ("himpunan data", "dataset"),
    "state": ("keadaan", "state"),
    "records": ("rekaman", "records"),
    "charged": ("kuota", "charged"),
    "epoch": ("epok", "epoch"),
    "edition": ("edisi", "edition"),
    "answers": ("berlaku", "answers now"),
    "created": ("dibuat (UTC)", "created (UTC)"),
    "ended": ("selesai (UTC)", "ended (UTC)"),
    "committed": ("ditutup (UTC)", "committed (UTC)"),
    "expires": ("kedaluwarsa (UTC)", "expires (UTC)"),
    "pass": ("jalur", "pass"),
    "requester_rows": ("baris peminta", "requester rows"),
    "provider_rows": ("baris penyedia", "provider rows"),
    "matched_rows": ("cocok", "matched"),
    "ambiguous_rows": ("ganda", "ambiguous"),
    "undecided_rows": ("belum pasti", "undecided"),
}
_FLAGS = {None: ("", ""), True: ("ya", "yes"), False: ("tidak", "no")}
_STATES = {
    "pending": "menunggu",
    "running": "berjalan",
    "succeeded": "berhasil",
    "failed": "gagal",
    "cancelled": "dihentikan",
    "closed": "ditutup unit",
    "open": "terbuka",
    "committed": "tertutup",
    "deleted": "terhapus",
}

RunArgument = Annotated[str, typer.Argument(help="Nama atau id pemadanan. / Run name or id.")]
LimitOption = Annotated[
    int, typer.Option("--limit", min=1, help="Paling banyak sekian. / At most so many.")
]


@app.callback()
def group() -> None:
    """Pemadanan dan himpunan data di unit. / Runs and datasets at the unit."""


@app.command("list")
@reports_errors
def list_(
    agreement: AgreementOption,
    flow: FlowOption,
    *,
    limit: LimitOption = 50,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Daftar pemadanan, terbaru dahulu. / List runs, newest first."""
    from padan_client.protocol.unit.listing import list_runs

    runs, now = _at_unit(
        home, agreement, flow, _beside_now(lambda h, place: list_runs(place, limit, h.patience))
    )
    entries = [run_entry(run, now.present) for run in runs]
    if json_:
        waiting = now.waiting_json()
        print_json({"agreement": agreement, "flow": flow, "runs": entries, **waiting})
    else:
        out.print(_table(entries, _RUN_COLUMNS))
        _say_older(entries, now.present)
        now.say_waiting()


@app.command()
@reports_errors
def show(
    run: RunArgument,
    agreement: AgreementOption,
    flow: FlowOption,
    *,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Tampilkan satu pemadanan. / Show one run."""
    from padan_client.protocol.unit.listing import get_run, resource_name

    found, now = _at_unit(
        home,
        agreement,
        flow,
        _beside_now(lambda h, place: get_run(resource_name(place, "runs", run), h.patience)),
    )
    entry = run_entry(found, now.present)
    _show_run(entry, json_=json_)
    if not json_:
        _say_older([entry], now.present)
        now.say_waiting()


@app.command()
@reports_errors
def watch(
    run: RunArgument,
    agreement: AgreementOption,
    flow: FlowOption,
    *,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Ikuti pemadanan sampai selesai. / Follow a run until it ends."""
    from padan_client.protocol.unit.listing import resource_name
    from padan_client.protocol.unit.running import follow_run

    def tell() -> str:
        goes_on = t("pemadanan berjalan terus di unit.", "the run goes on at the unit.")
        return f"{goes_on} {again()}"

    with progress_bars() as report, telling(tell):

        def follow(h: Home, place: FlowPlace) -> Steps[Any]:
            name = resource_name(place, "runs", run)
            return follow_run(name, report, h.patience, h.config.timeouts)

        found = _at_unit(home, agreement, flow, follow)
    _show_run(run_entry(found), json_=json_)


@app.command()
@reports_errors
def cancel(
    run: RunArgument,
    agreement: AgreementOption,
    flow: FlowOption,
    *,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Hentikan pemadanan. / Stop a run."""
    from padan_client.protocol.unit.listing import cancel_run, resource_name

    found = _at_unit(
        home,
        agreement,
        flow,
        lambda h, place: cancel_run(resource_name(place, "runs", run), h.randomness, h.patience),
    )
    _show_run(run_entry(found), json_=json_)


@app.command()
@reports_errors
def datasets(
    agreement: AgreementOption,
    flow: FlowOption,
    *,
    limit: LimitOption = 50,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Daftar himpunan data instansi ini di unit. / List this agency's datasets at the unit."""
    from padan_client.protocol.unit.listing import list_datasets

    found, now = _at_unit(
        home, agreement, flow, _beside_now(lambda h, place: list_datasets(place, limit, h.patience))
    )
    entries = [dataset_entry(dataset) for dataset in found]
    if json_:
        waiting = now.waiting_json()
        print_json({"agreement": agreement, "flow": flow, "datasets": entries, **waiting})
    else:
        out.print(_table(entries, _DATASET_COLUMNS))
        now.say_waiting()


@app.command()
@reports_errors
def delete(
    dataset: Annotated[
        str, typer.Argument(help="Nama atau id himpunan data. / Name or id of the dataset.")
    ],
    agreement: AgreementOption,
    flow: FlowOption,
    *,
    yes: YesFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Hapus himpunan data di unit. / Erase a dataset at the unit."""
    from padan_client.protocol.unit.listing import delete_dataset, resource_name
    from padan_linkage.agreement import Mode

    opened = open_home(home)
    place = opened.place(agreement, flow)
    name = resource_name(place, "datasets", dataset)
    agree(
        t(
            f"{name} akan dihapus di unit; registri perlu diterbitkan ulang untuk dipakai lagi.",
            f"{name} will be erased at the unit; a registry has to be published anew to be used.",
        ),
        given=yes,
        option="--yes",
    )
    _run(opened, place, delete_dataset(name, opened.randomness, opened.patience))
    opened.cover_book().forget(name)
    opened.kept_registries(Mode.UNIT).forget(place, name.rpartition("/")[2])
    if json_:
        print_json({"dataset": name, "deleted": True})
    else:
        say(t(f"Terhapus: {name}", f"Erased: {name}"))


def run_entry(run: Any, present: RegistryFacts | None = None) -> dict[str, object]:
    """A run as JSON shows it; ``answers``: whether its registry is the one that answers now."""
    from padan_client.protocol.unit.collect import pass_counts

    states = type(run).State
    return {
        "run": run.name,
        "state": states.Name(run.state).removeprefix("STATE_").lower(),
        "charged": run.record_count,
        "progress": run.progress,
        "failure_reason": run.failure_reason,
        "edition": _last(run.edition),
        "registry": _last(run.provider_dataset),
        "answers": present and present.by.registry == _last(run.provider_dataset),
        "created": _time(run.create_time),
        "ended": _time(run.end_time),
        "passes": [
            {
                "pass": p.pass_id,
                "requester_rows": p.requester_rows,
                "provider_rows": p.provider_rows,
                "matched_rows": p.matched_rows,
                "ambiguous_rows": p.ambiguous_rows,
                "undecided_rows": p.undecided_rows,
            }
            for p in map(pass_counts, run.passes)
        ],
    }


def dataset_entry(dataset: Any) -> dict[str, object]:
    """A dataset as JSON shows it."""
    states = type(dataset).State
    return {
        "dataset": dataset.name,
        "state": states.Name(dataset.state).removeprefix("STATE_").lower(),
        "records": dataset.record_count,
        "epoch": dataset.encoding.epoch,
        "base": dataset.base_dataset,
        "edition": _last(dataset.edition),
        "created": _time(dataset.create_time),
        "committed": _time(dataset.commit_time),
        "expires": _time(dataset.expire_time),
    }


@dataclass(frozen=True)
class _Now:
    """How the flow stands: the registry that answers, and an epoch that waits for a party."""

    place: FlowPlace
    present: RegistryFacts | None
    begun: HalfOpenEpoch | None

    def waiting_json(self) -> dict[str, object]:
        """Which party has yet to join which epoch."""
        begun = self.begun
        return {
            "waiting_for": begun and begun.missing,
            "waiting_epoch": begun and begun.epoch,
        }

    def say_waiting(self) -> None:
        """Whose step is missing."""
        if self.begun is not None:
            say(self.begun.told(self.place))


def _beside_now(
    steps: Callable[[Home, FlowPlace], Steps[Any]],
) -> Callable[[Home, FlowPlace], Steps[tuple[Any, _Now]]]:
    """The steps' result, and how the flow stands now."""
    from padan_client.protocol.contributions import fetch_contributions, half_open
    from padan_client.protocol.unit.registries import present_registry

    def both(h: Home, place: FlowPlace) -> Steps[tuple[Any, _Now]]:
        found = yield from steps(h, place)
        present = yield from present_registry(place, h.patience)
        begun = half_open(place, (yield from fetch_contributions(place, h.patience)))
        return found, _Now(place, present, begun)

    return both


def _say_older(entries: list[dict[str, object]], present: RegistryFacts | None) -> None:
    """How many of the runs an earlier registry answered, and what may be done about it."""
    older = sum(entry["answers"] is False for entry in entries)
    if older and present is not None:
        since = f"{present.since:%Y-%m-%d %H:%M}"
        say(
            t(
                f"{number(older)} pemadanan dijawab registri terdahulu; yang berlaku kini edisi "
                f"{present.by.edition}, sejak {since} UTC. padan correct mencari jawaban yang "
                "berubah.",
                f"{number(older)} runs were answered by an earlier registry; what answers now is "
                f"edition {present.by.edition}, since {since} UTC. padan correct looks for answers "
                "that changed.",
            )
        )


def _last(name: str) -> str:
    """The id at the end of a resource name, without anything that a terminal could act on."""
    return "".join(c for c in name.rpartition("/")[2][:64] if c.isalnum())


def _time(stamp: Any) -> str | None:
    return stamp.ToJsonString() if stamp.seconds else None


def _at_unit(
    folder: Path, agreement: str, flow: str, steps: Callable[[Home, FlowPlace], Steps[Any]]
) -> Any:
    opened = open_home(folder)
    place = opened.place(agreement, flow)
    return _run(opened, place, steps(opened, place))


def _run(opened: Home, place: FlowPlace, steps: Steps[Any]) -> Any:
    from padan_client.transport.channel import Link

    with Link.open(opened, place.agreement.id, place.flow.id) as link:
        return link.run(steps)


def _show_run(entry: dict[str, object], *, json_: bool) -> None:
    if json_:
        print_json(entry)
        return
    out.print(_table([entry], _RUN_COLUMNS))
    if entry["failure_reason"]:
        say(explain(str(entry["failure_reason"]), {}))
    if entry["state"] == "closed":
        say(reason_texts()[REASON_WORDS[LIST_CLOSED]])
    passes = entry["passes"]
    assert isinstance(passes, list)
    if passes:
        out.print(_table(passes, tuple(passes[0])))


def _table(entries: list[dict[str, object]], columns: tuple[str, ...]) -> Sheet:
    table = Sheet()
    for column in columns:
        table.add_column(t(*_TITLES[column]), no_wrap=column in _TIMES)
    for entry in entries:
        table.add_row(*(_cell(column, entry[column]) for column in columns))
    return table


def _cell(column: str, value: object) -> str:
    """A value for a reader: ids without the flow that was asked for, times to the second."""
    if value is None or isinstance(value, bool):
        return t(*_FLAGS[value])
    if column in {"run", "dataset"}:
        return str(value).rpartition("/")[2]
    if column == "state":
        return t(_STATES.get(str(value), str(value)), str(value))
    if column in _TIMES:
        return str(value)[:19].replace("T", " ")
    if isinstance(value, float):
        return decimal(value, 4)
    return number(value) if isinstance(value, int) and column != "epoch" else str(value)
