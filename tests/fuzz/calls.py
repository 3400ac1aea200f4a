"""Calls that nobody's client makes, by the hundred thousand, on real servers over mutual TLS.

    python tests/fuzz/calls.py [--minutes N] [--seed S] [--server unit|provider] [--at-once N]

Strange messages, bytes changed, headers changed, too many or too few messages, deadlines of a
millisecond, callers that go, methods that there are not, by parties and strangers. What ends as a
defect or without its reason, a line of the log that quotes a caller, a server that dies, grows,
keeps descriptors, serves nobody or does not stop afterwards is told, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("GRPC_VERBOSITY", "NONE")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

import grpc  # noqa: E402
from direct_party import set_terms  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from parsers.mutation import mutated  # noqa: E402
from parties import PartyClient, refusal  # noqa: E402
from provider_fixture import Publisher  # noqa: E402
from server_fixture import NOW, House, UnitProcess, toml  # noqa: E402
from signing import server_key, write_signed  # noqa: E402
from strange_calls import (  # noqa: E402
    PROVIDER,
    UNIT,
    Recorder,
    Strange,
    methods_of,
    used_provider,
    used_unit,
)

from padan_lab.demo.pki import Authority  # noqa: E402

#: Goes into every message, and must come out nowhere.
MARK = "rahasia7f3a"
PARTIES = ("kemnaker", "bkn", "imigrasi")
#: Calls after which everything is put right again; and after how many times of that it is warm.
_RENEW, _WARM = 20_000, 6
#: What ends most others' work is called seldom.
_SELDOM = {"SuspendAgreement": 0.02, "DeleteDataset": 0.1, "DeleteRelease": 0.1}
#: Megabytes and descriptors that a server may have more of at the end than when it was warm.
_MEGABYTES, _DESCRIPTORS = 150, 100
#: Seconds that a call may take: some too few, some more than there may be.
_TIMES = (*(20,) * 20, 0.001, 0.02, 1e6, None)
#: What grpcio's client says where a message could not be sent any more: it hides what was answered.
_HIDDEN = "Internal error from Core"
_OPEN = ("/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
         "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")  # fmt: skip
_SUSPECT = ('"defect"', "Traceback", '"library_message"', "maintenance_fault", MARK, "\x1b")


def main() -> int:
    """Try both servers, one after the other; print what was tried and what was found."""
    options = _options()
    servers = [options.server] if options.server else ["unit", "provider"]
    found = 0
    for server in servers:
        with tempfile.TemporaryDirectory(prefix="padan-calls-") as folder:
            trial = Trial.of(server, Path(folder), random.Random(options.seed))
            seconds = 60 * options.minutes / len(servers)
            say(f"{server}: seed {options.seed}, {seconds:.0f} s, {options.at_once} at once")
            asyncio.run(trial.run(seconds, options.at_once))
            found += len(trial.found)
    return int(bool(found))


def say(line: str) -> None:
    """A line to standard output, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", choices=("unit", "provider"), default="")
    parser.add_argument("--at-once", type=int, default=64)
    return parser.parse_args()


def _terms(text: str) -> str:
    text = set_terms(text, 1_000_000_000, 1_000_000_000, 1)
    text = text.replace("per_day = 4", "per_day = 100")
    return re.sub(r"(records_per_(?:day|list)) = [0-9_]+", r"\1 = 1_000_000_000", text)


@dataclass
class Trial:
    """One server, what it is asked, and what was found."""

    house: House
    process: UnitProcess
    draw: random.Random
    methods: list
    tried: int = 0
    ends: Counter = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    good: dict = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    renewals: int = 0

    @classmethod
    def of(cls, server: str, folder: Path, draw: random.Random) -> Trial:
        """A server that runs, with certificates and an agreement of its own."""
        pki = Authority(folder / "pki", datetime.now(UTC))
        clients = {p: pki.issue_client(p) for p in (*PARTIES, "orang-luar")}
        servers = {s: pki.issue_server(f"{s}-server", server_key(s)) for s in ("unit", "provider")}
        signed = write_signed(folder / "agreements", "kemnaker-bkn-2024", edit=_terms)
        known = {party: clients[party] for party in PARTIES}
        house = House(folder, pki, signed, known, servers, "asn-status")
        limits = {
            "simulated_time": NOW,
            "limits": {"calls_per_party": 64},
            "limits.rates": dict.fromkeys(
                ("real_time", "batch", "upload", "watch", "administration"), 1e6
            ),
        }
        if server == "provider":
            publisher = Publisher(house)
            settings = publisher.settings(**limits)
            publisher.publish(rows=5_000)
        else:
            settings = house.settings(**limits)
        config = folder / f"{server}.toml"
        config.write_text(toml(settings))
        process = UnitProcess(house, config, folder / f"{server}.log", None, role=server)
        process.start()
        house.certificates["orang-luar"] = clients["orang-luar"]
        return cls(house, process, draw, methods_of(PROVIDER if server == "provider" else UNIT))

    async def run(self, seconds: float, at_once: int) -> None:
        """Call for so long, look what became of the server, and stop it."""
        await asyncio.to_thread(self._renew)
        self._ends_at = time.monotonic() + seconds
        self._channels = [self._channel(party) for party in (*PARTIES * 3, "orang-luar")]
        self._strange = Strange(self.draw, self.good, [*self.names, MARK])
        began, warm = time.monotonic(), (0, 0)
        while time.monotonic() < self._ends_at and self.process.process.poll() is None:
            goal = self.tried + _RENEW
            await asyncio.gather(*(self._call_on(goal) for _ in range(at_once)))
            self._read_log()
            with suppress(grpc.RpcError):
                await asyncio.to_thread(self._renew)
            if self.renewals <= _WARM:  # caches of registries fill
                warm = self._taken()
            rate, taken = self.tried / (time.monotonic() - began), self._taken()
            say(f"  {self.tried:>9,} calls, {rate:,.0f} a second, MB and descriptors {taken}")
        for channel in self._channels:
            await channel.close()
        self._look_at_the_end(warm)

    def _look_at_the_end(self, warm: tuple[int, int]) -> None:
        if self.process.process.poll() is not None:
            self._tell("the server died")
        else:
            self._serves_on()
            self.house.close()
            time.sleep(3.0)
            now = self._taken()
            if now[0] > warm[0] + _MEGABYTES or now[1] > warm[1] + _DESCRIPTORS:
                self._tell(f"it grew: megabytes and descriptors {warm} -> {now}")
            began = time.monotonic()
            if self.process.stop() != 0 or time.monotonic() - began > 30:
                self._tell(f"it did not stop as it should: {time.monotonic() - began:.0f} s")
        self._read_log()
        for end, count in self.ends.most_common():
            say(f"    {count:>9,}  {end}")

    def _serves_on(self) -> None:
        try:
            self._renew()
        except (grpc.RpcError, AssertionError, IndexError) as error:
            self._tell(f"it does not serve: {error!r}"[:600])

    def _taken(self) -> tuple[int, int]:
        """Megabytes and descriptors of the server."""
        place = Path(f"/proc/{self.process.process.pid}")
        resident = re.search(r"VmRSS:\s+(\d+)", (place / "status").read_text())
        return int(resident[1]) // 1024, sum(1 for _ in (place / "fd").iterdir())

    def _tell(self, what: str) -> None:
        if len(self.found) < 20:
            say(f"FOUND {what}")
        self.found.append(what)

    def _read_log(self) -> None:
        """Look for what must not be there; then it is emptied, for it grows by every call."""
        text = self.process.log.read_text(errors="replace")
        for suspect in _SUSPECT:
            if suspect in text:
                lines = [line for line in text.splitlines() if suspect in line]
                self._tell(f"{suspect!r} in the log {len(lines)} times: {lines[0][:600]}")
        os.truncate(self.process.log, 0)

    def _renew(self) -> None:
        """Put right what strange calls have brought about: resume, publish and run again."""
        recorder = Recorder()
        bkn, kemnaker = (
            PartyClient(
                grpc.intercept_channel(
                    self.house.channel(self.process.port, self.house.certificates[party]), recorder
                ),
                party, self.house.signed, self.house.flow_id,
            )
            for party in ("bkn", "kemnaker")
        )  # fmt: skip
        agreement = f"agreements/{self.house.signed.agreement.id}"
        for party in (bkn, kemnaker):
            resume = party.agreements.ResumeAgreement
            with suppress(grpc.RpcError):
                resume(resume_request(agreement))
        self.renewals += 1
        if self.process.role == "unit":
            with suppress(grpc.RpcError):
                for held in (*_open_datasets(bkn), *_open_datasets(kemnaker)):
                    held()
            names = used_unit(bkn, kemnaker, _next_release(bkn) if self.renewals < 40 else 0)
        else:
            names = used_provider(kemnaker, str(self.renewals))
        self.names[:] = names
        self.good.clear()
        self.good.update(recorder.kept)
        self.house.close()

    def _channel(self, party: str) -> grpc.aio.Channel:
        own = self.house.certificates[party]
        credentials = grpc.ssl_channel_credentials(
            self.house.pki.ca.read_bytes(), own.key.read_bytes(), own.certificate.read_bytes()
        )
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
        return grpc.aio.secure_channel(f"127.0.0.1:{self.process.port}", credentials, options)

    async def _call_on(self, goal: int) -> None:
        while self.tried < goal and time.monotonic() < self._ends_at:
            self.tried += 1
            await self._call()

    async def _call(self) -> None:
        """One strange call; what became of it is counted."""
        draw = self.draw
        method, messages = self._drawn()
        channel, told = (
            draw.choice(self._channels),
            {
                "timeout": draw.choice(_TIMES),
                "metadata": self._metadata(),
                "compression": draw.choice((None, None, None, grpc.Compression.Gzip)),
            },
        )
        if len(messages) == 1:
            call = channel.unary_stream(method)(messages[0], **told)
        else:
            call = channel.stream_stream(method)(iter(messages), **told)
        task = asyncio.ensure_future(_ended(call))
        if draw.random() < 0.1 or method in _OPEN[1:]:
            await asyncio.sleep(draw.choice((0, 0.001, 0.005, 0.05)))
            call.cancel()
        try:
            code, reason, details = await asyncio.wait_for(task, 40)
        except TimeoutError:
            call.cancel()
            code, reason, details = "HUNG", "", ""
        if details == _HIDDEN:
            code = "HIDDEN"
        self.ends[f"{code} {reason}"] += 1
        wrong = {"UNKNOWN", "HUNG", "DATA_LOSS"}
        if code in wrong or reason == "INTERNAL" or (code == "INTERNAL" and not reason):
            self._tell(f"{method} ended in {code} {reason} {details[:300]}; call {self.tried}")

    def _drawn(self) -> tuple[str, list[bytes]]:
        """A method and the messages for it."""
        draw = self.draw
        if draw.random() < 0.03:
            strange = draw.choice(("/", "/x", "/padan.v1.Nothing/There", "/" + "a" * 500, *_OPEN))
            return strange, [draw.randbytes(draw.choice((0, 1, 30)))]
        method = draw.choice(self.methods)
        while draw.random() > _SELDOM.get(method.name, 1.0):
            method = draw.choice(self.methods)
        usual = draw.choice((1, 2, 3)) if method.client_streaming else 1
        count = draw.choice((usual,) * 12 + (0, 2, 5))
        messages = [self._message(method.input_type) for _ in range(count)]
        return f"/{method.containing_service.full_name}/{method.name}", messages

    def _message(self, kind: object) -> bytes:
        """A strange message of a kind as bytes; many are a good one's, changed."""
        good = self.good.get(kind.full_name)
        if good and self.draw.random() < 0.4:
            return mutated(self.draw.choice(good).SerializeToString(), self.draw)
        made = self._strange.message(kind).SerializeToString()
        return mutated(made, self.draw) if self.draw.random() < 0.2 else made

    def _metadata(self) -> list[tuple[str, str | bytes]]:
        """Mostly none."""
        draw, found = self.draw, []
        if draw.random() < 0.06:
            found.append(("padan-handshake-bin", draw.randbytes(draw.choice((0, 1, 40, 3000)))))
        if draw.random() < 0.03:
            found.append(("padan-party", draw.choice(("bkn", MARK, "", "a" * 2000))))
        if draw.random() < 0.05:
            size = draw.choice((10, 7000, 20_000))
            found.append(("x-strange-bin", draw.randbytes(size)))
        if draw.random() < 0.05:
            found.append(("grpc-accept-encoding", MARK))
        return found


def resume_request(agreement: str) -> object:
    """What resumes an agreement."""
    from padan.v1 import agreement_service_pb2

    return agreement_service_pb2.ResumeAgreementRequest(name=agreement)


def _next_release(party: PartyClient) -> int:
    """The version that the party's next release must have, as the server says; 0 if none may come.

    Its agreement lets it publish a hundred a day.
    """
    try:
        party.release(1_000_000)
    except grpc.RpcError as error:
        return int(refusal(error).metadata.get("version", 0))
    raise AssertionError("a release came out of order")


def _open_datasets(party: PartyClient):
    """What deletes each open dataset of a party."""
    from padan.v1 import dataset_service_pb2 as pb

    listing = party.datasets.ListDatasets(
        pb.ListDatasetsRequest(parent=party.parent, page_size=1000)
    )
    for found in listing.datasets:
        if found.state == pb.Dataset.STATE_OPEN:
            request = pb.DeleteDatasetRequest(name=found.name)
            yield lambda request=request: party.datasets.DeleteDataset(request)


async def _ended(call) -> tuple[str, str, str]:
    """Code, reason and details that a call ended with."""
    try:
        async for _ in call:
            pass
    except asyncio.CancelledError:
        return "CANCELLED", "", ""
    except grpc.aio.AioRpcError as error:
        return error.code().name, _reason(error.trailing_metadata() or ()), error.details() or ""
    except Exception as error:  # noqa: BLE001 - the client's own, about what it was given
        return "CLIENT", type(error).__name__, ""
    return "OK", "", ""


def _reason(metadata) -> str:
    for key, value in metadata:
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                told = error_details_pb2.ErrorInfo()
                if detail.Unpack(told):
                    return told.reason
    return ""


if __name__ == "__main__":
    sys.exit(main())
