"""``padan bench fair``: an honest party's questions, alone and beside others that mean ill."""

from __future__ import annotations

import multiprocessing
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Annotated, Any

import grpc
import numpy as np
import typer
from numpy.typing import NDArray

from padan.v1.reason_texts import ServerKind
from padan_client.base.language import t
from padan_client.cli.common import reports_errors
from padan_client.cli.options import JsonFlag
from padan_client.home.folder import Home
from padan_client.transport.pinning import agreed_pins
from padan_client.transport.servers import servers_of
from padan_lab.bench.confirm import PASSES, Questions, publish_random
from padan_lab.bench.rates.workbench import AGREEMENT, Workbench, lean_document, unit_stand
from padan_lab.bench.report import BenchReport, PlotOption, announce, rounded

_UPLOAD = "/padan.v1.DatasetService/UploadTable"
_LIST = "/padan.v1.DatasetService/ListDatasets"
_WATCH = "/grpc.health.v1.Health/Watch"
_SECONDS = 10.0
#: Threads of each peer.
_THREADS = 2

#: Opens a connection of a peer's own to the unit.
Channels = Callable[[], grpc.Channel]
#: A round of a peer, given the unit's address too; the event tells when to end.
Round = Callable[[Channels, str, Event], None]


@reports_errors
def command(
    *,
    registry: Annotated[
        int, typer.Option(min=1000, help="Rekaman registri. / Records of the registry.")
    ] = 100_000,
    seconds: Annotated[
        float, typer.Option(min=1, help="Detik bagi setiap pihak. / Seconds for each peer.")
    ] = 10.0,
    json_: JsonFlag = False,
    plot: PlotOption = None,
) -> None:
    """Pihak jujur di samping pengganggu. / An honest party beside those who mean ill."""
    from padan_lab.demo.demonstration import claim_folder, require_server

    require_server()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "bench"
        claim_folder(place)
        with unit_stand(place, lean_document(PASSES)) as bench:
            announce(json_, t("menerbitkan registri", "publishing the registry"))
            rows = publish_random(bench, registry)[PASSES[0]]
            report = BenchReport("fair", measured={"registry": registry, "seconds": seconds})
            with bench.requester.channel() as channel:
                ask = Questions(bench, channel, rows).ask
                _spent(ask, 2.0)
                for name in PEERS:
                    announce(json_, name)
                    _beside(bench, name, ask, seconds, report)
    report.publish(json_=json_, plot=plot)


def _beside(
    bench: Workbench,
    name: str,
    ask: Callable[[], object],
    seconds: float,
    report: BenchReport,
) -> None:
    """Quiet before and after, and beside one peer: every question is answered and right."""
    before = _spent(ask, seconds / 2)
    with _harassed(bench.provider.home.folder, name):
        beside = _spent(ask, seconds)
    quiet = np.concatenate([before, _spent(ask, seconds / 2)])
    report.measured[name] = {
        f"{label}_p{q}_us": rounded(float(np.percentile(spent, q) * 1e6))
        for label, spent in (("quiet", quiet), ("beside", beside))
        for q in (50, 99)
    }
    ratio = np.percentile(beside, 99) / np.percentile(quiet, 99)
    report.ratios[f"p99_beside_{name}_vs_quiet"] = rounded(float(ratio))


def _spent(ask: Callable[[], object], seconds: float) -> NDArray[np.float64]:
    """Seconds of each question asked in so long, one after the other."""
    ends, spent = time.perf_counter() + seconds, []
    while (began := time.perf_counter()) < ends:
        ask()
        spent.append(time.perf_counter() - began)
    return np.array(spent)


@contextmanager
def _harassed(home: Path, name: str) -> Iterator[None]:
    """While the block runs, from a process of its own: whoever asks is not slowed by it here."""
    spawning = multiprocessing.get_context("spawn")
    stopped, at_it = spawning.Event(), spawning.Event()
    peer = spawning.Process(target=_be, args=(home, name, at_it, stopped))
    peer.start()
    at_it.wait()
    try:
        yield
    finally:
        stopped.set()
        peer.join()


def _be(home: Path, name: str, at_it: Event, stopped: Event) -> None:
    """Be the peer of that name, from a few threads, until told to stop."""
    opened = Home.open(home, passphrase=None)
    unit = servers_of(opened.config, home, agreed_pins(opened, AGREEMENT))[ServerKind.UNIT]
    credentials, harass = unit.credentials(), PEERS[name]

    def channel() -> grpc.Channel:
        options = [*unit.options(), ("grpc.use_local_subchannel_pool", 1)]
        return grpc.secure_channel(unit.address, credentials, options)

    def run() -> None:
        while not stopped.is_set():
            with suppress(grpc.RpcError, grpc.FutureTimeoutError, OSError):
                harass(channel, unit.address, stopped)

    threads = [threading.Thread(target=run) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    at_it.set()
    for thread in threads:
        thread.join()


def _silent(channel_to: Channels, address: str, stopped: Event) -> None:
    """Opens uploads of which no message comes."""
    del address

    def nothing() -> Iterator[bytes]:
        stopped.wait()
        yield from ()

    with channel_to() as channel:
        upload: Any = channel.stream_unary(_UPLOAD)
        calls = [upload.future(nothing(), timeout=_SECONDS) for _ in range(100)]
        stopped.wait(_SECONDS / 2)
        for call in calls:
            call.cancel()


def _flood(channel_to: Channels, address: str, stopped: Event) -> None:
    """Asks on as many streams as there may be, and waits for none."""
    del address
    with channel_to() as channel:
        call: Any = channel.unary_unary(_LIST)
        while not stopped.is_set():
            for asked in [call.future(b"", timeout=_SECONDS) for _ in range(128)]:
                asked.exception()


def _rubbish(channel_to: Channels, address: str, stopped: Event) -> None:
    """Sends what is no message."""
    del address
    with channel_to() as channel:
        call: Any = channel.unary_unary(_LIST)
        while not stopped.is_set():
            call.future(b"\xff" * 1000, timeout=_SECONDS).exception()


def _reconnect(channel_to: Channels, address: str, stopped: Event) -> None:
    """Shakes hands and goes."""
    del address, stopped
    with channel_to() as channel:
        grpc.channel_ready_future(channel).result(_SECONDS)


def _watch(channel_to: Channels, address: str, stopped: Event) -> None:
    """Watches health and reads nothing."""
    del address
    with channel_to() as channel:
        watch: Any = channel.unary_stream(_WATCH)
        watches = [watch(b"", timeout=_SECONDS) for _ in range(20)]
        stopped.wait(_SECONDS / 2)
        for each in watches:
            each.cancel()


def _scan(channel_to: Channels, address: str, stopped: Event) -> None:
    """Opens sockets and says nothing."""
    del channel_to
    host, _, port = address.rpartition(":")
    opened = [socket.create_connection((host, int(port)), _SECONDS) for _ in range(100)]
    stopped.wait(1.0)
    for each in opened:
        each.close()


PEERS: dict[str, Round] = {
    "flooder": _flood,
    "reconnector": _reconnect,
    "rubbish": _rubbish,
    "scanner": _scan,
    "silent_uploader": _silent,
    "watcher": _watch,
}
