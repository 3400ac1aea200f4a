"""``padan bench fair``: an honest party's questions, alone and beside others that mean ill."""

from __future__ import annotations

import multiprocessing
import re
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from padan.v1 import confirmation_service_pb2 as confirmation_pb
from padan.v1 import resources_pb2
from padan.v1 import run_service_pb2 as run_pb
from padan.v1 import run_service_pb2_grpc as run_grpc
from padan_client.base.language import t
from padan_client.cli.common import reports_errors
from padan_client.cli.options import JsonFlag
from padan_lab.bench.confirm import PASSES, Questions, publish_random
from padan_lab.bench.hostile.ground import Caller, Ground
from padan_lab.bench.hostile.peers import PEERS, Harassing, leave_processors_to_others
from padan_lab.bench.rates.workbench import (
    Workbench,
    draft_of,
    lean_document,
    random_table,
    sides,
    unit_stand,
)
from padan_lab.bench.report import BenchReport, PlotOption, announce, rounded

#: The flow of the same agreement in which the provider is the one who asks.
_OTHER_FLOW = "jf-binaan"
_STRANGER = "orang-luar"
_ALL = "all"
#: Seconds of a turn: quiet and beside alternately, so that what else the machine does falls on
#: both; between them, what the peers left is worked off.
_TURN, _PAUSE = 3.0, 0.5
_DEADLINE = 600.0
#: Records of the registry and of the list that the hostile party asks about.
_REGISTERED, _LISTED = 2_000, 20_000


@reports_errors
def command(
    *,
    registry: Annotated[
        int, typer.Option(min=1000, help="Rekaman registri. / Records of the registry.")
    ] = 100_000,
    seconds: Annotated[
        float,
        typer.Option(min=1, help="Detik bertanya seluruhnya. / Seconds of asking, all in all."),
    ] = 300.0,
    only: Annotated[
        str, typer.Option(help="Pengganggu tertentu, dengan koma. / Certain peers, by commas.")
    ] = "",
    json_: JsonFlag = False,
    plot: PlotOption = None,
) -> None:
    """Pihak jujur di samping pengganggu. / An honest party beside those who mean ill."""
    from padan_lab.demo.demonstration import claim_folder, require_server

    require_server()
    names = only.split(",") if only else sorted(PEERS)
    if unknown := set(names) - PEERS.keys():
        raise typer.BadParameter(", ".join(sorted(unknown)))
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "bench"
        claim_folder(place)
        with unit_stand(place, _document(), (_STRANGER,)) as bench:
            announce(json_, t("menerbitkan registri", "publishing the registry"))
            rows = publish_random(bench, registry)[PASSES[0]]
            with sides(bench.site, bench.unit, _OTHER_FLOW) as other:
                ground = _ground(bench, other)
            report = BenchReport("fair", measured={"registry": registry, "seconds": seconds})
            with bench.requester.channel() as channel:
                ask = Questions(bench, channel, rows).ask
                _spent(ask, 2.0)
                for group, share in _plan(names, seconds):
                    announce(json_, group[0] if len(group) == 1 else _ALL)
                    _beside(bench, ground, group, ask, share, report)
    report.publish(json_=json_, plot=plot)


def _document() -> bytes:
    """An agreement under which neither side's questions are ever too many for a day."""
    head, begin, flow = lean_document(PASSES).decode().partition(f'id = "{_OTHER_FLOW}"')
    flow = re.sub(r"records_per_day = 500_000", "records_per_day = 1_000_000_000", flow, count=1)
    return (head + begin + flow).encode()


def _plan(names: Sequence[str], seconds: float) -> Iterator[tuple[Sequence[str], float]]:
    """Each peer alone, in two thirds of the time, and then all of them at once."""
    alone = 2 * seconds / 3 / len(names)
    yield from (([name], alone) for name in names)
    if len(names) > 1:
        yield names, seconds / 3


@dataclass
class TurnsTaken:
    """Seconds of each question, and what the server took, over the turns of one kind."""

    spent: list[NDArray[np.float64]] = field(default_factory=list)
    megabytes: float = 0.0
    descriptors: int = 0

    def look(self, pid: int) -> None:
        """Remember the most that the server has of memory and descriptors."""
        status = Path(f"/proc/{pid}/status").read_text()
        resident = int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024
        self.megabytes = max(self.megabytes, resident)
        opened = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        self.descriptors = max(self.descriptors, opened)

    def told(self) -> dict[str, float]:
        """What is reported."""
        spent = np.concatenate(self.spent)
        told = {f"p{q}_us": rounded(float(np.percentile(spent, q) * 1e6)) for q in (50, 99)}
        return told | {
            "questions": len(spent),
            "megabytes": rounded(self.megabytes),
            "descriptors": self.descriptors,
        }


def _beside(
    bench: Workbench,
    ground: Ground,
    names: Sequence[str],
    ask: Callable[[], object],
    seconds: float,
    report: BenchReport,
) -> None:
    """Quiet and beside peers by turns: every question is answered and right."""
    quiet, beside = TurnsTaken(), TurnsTaken()
    turns = max(1, round(seconds / (2 * (_TURN + _PAUSE))))
    with _harassing(ground, names) as (go, idle):
        for _ in range(turns):
            for seen in (quiet, beside):
                if seen is beside:
                    idle.clear()
                    go.set()
                else:
                    go.clear()
                    idle.wait()
                time.sleep(_PAUSE)
                seen.spent.append(_spent(ask, _TURN))
                seen.look(bench.unit)
    name = names[0] if len(names) == 1 else _ALL
    report.measured[name] = {"quiet": quiet.told(), "beside": beside.told()}
    ratio = beside.told()["p99_us"] / quiet.told()["p99_us"]
    report.ratios[f"p99_beside_{name}_vs_quiet"] = rounded(ratio)


def _spent(ask: Callable[[], object], seconds: float) -> NDArray[np.float64]:
    """Seconds of each question asked in so long, one after the other."""
    ends, spent = time.perf_counter() + seconds, []
    while (began := time.perf_counter()) < ends:
        ask()
        spent.append(time.perf_counter() - began)
    return np.array(spent)


@contextmanager
def _harassing(ground: Ground, names: Sequence[str]) -> Iterator[tuple[Event, Event]]:
    """A process of its own that is the peers, so that whoever asks is not slowed by it here.

    Gives two events: while the first is set it is at it, and sets the second when it is not.
    """
    spawning = multiprocessing.get_context("spawn")
    go, idle, over = spawning.Event(), spawning.Event(), spawning.Event()
    peer = spawning.Process(target=_be, args=(ground, list(names), go, idle, over), daemon=True)
    peer.start()
    idle.wait()
    try:
        yield go, idle
    finally:
        over.set()
        go.set()
        peer.join(_DEADLINE)


def _be(ground: Ground, names: Sequence[str], go: Event, idle: Event, over: Event) -> None:
    """Be these peers whenever told to."""
    leave_processors_to_others()
    while not over.is_set():
        idle.set()
        go.wait()
        if over.is_set():
            return
        with Harassing(ground, names):
            while go.is_set() and not over.is_set():
                time.sleep(0.05)


def _ground(bench: Workbench, other: Workbench) -> Ground:
    """The provider is hostile: in another flow it asks, has a list and its answers."""
    rows = publish_random(other, _REGISTERED)
    pass_id, table = next(iter(rows.items()))
    session, rng = other.requester.session, np.random.default_rng(2)
    question = confirmation_pb.ConfirmRecordsRequest(
        parent=session.place.name,
        encoding=session.encoding(),
        pass_id=pass_id,
        rows=resources_pb2.TableRows(row_count=1, **table.rows(0, 1)),
    )
    padded = session.schema.padded_rows(_LISTED)
    tables = {
        p.id: random_table(session.schema, p, padded, rng, provider=False)
        for p in session.schema.passes
    }
    listed = other.requester.publish(_LISTED, tables)
    party = session.place.party
    return Ground(
        party=_caller(bench, party),
        stranger=_caller(bench, _STRANGER),
        parent=session.place.name,
        answering=bench.provider.session.place.name,
        question=question.SerializeToString(),
        listed=listed,
        run=_answered(other, listed),
        draft=draft_of(bench.provider, 20).SerializeToString(),
    )


def _answered(other: Workbench, listed: str) -> str:
    """A run over the list, once it has ended."""
    with other.requester.channel() as channel:
        runs = run_grpc.RunServiceStub(channel)
        started = runs.CreateRun(
            run_pb.CreateRunRequest(
                parent=other.requester.session.place.name,
                run=run_pb.Run(requester_dataset=listed),
                request_id=str(uuid.uuid4()),
            ),
            timeout=_DEADLINE,
        )
        metadata = run_pb.RunMetadata()
        started.metadata.Unpack(metadata)
        name = metadata.run.name
        for _ in runs.WatchRun(run_pb.WatchRunRequest(name=name), timeout=_DEADLINE):
            pass
    return name


def _caller(bench: Workbench, name: str) -> Caller:
    tls = bench.site.folder / "tls"
    return Caller(bench.site.address, tls / "ca.pem", tls / f"{name}.pem", tls / f"{name}.key")
