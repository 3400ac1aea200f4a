"""A publication, a list and a run, every step repeatable: drives a unit that keeps being killed."""

from __future__ import annotations

import random
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Self, TypeVar

import grpc
import numpy as np
from parties import PartyClient, answers, refusal
from patience import PATIENCE
from server_fixture import UnitProcess

from padan.v1 import confirmation_service_pb2 as confirmation_pb
from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import release_service_pb2 as release_pb
from padan.v1 import resources_pb2 as resources_pb
from padan.v1 import run_service_pb2 as run_pb
from padan_linkage.tables import PassTable

T = TypeVar("T")
RECORDS = 20
CONFIRMED = 3


@dataclass
class Driver:
    """Talks to a unit that may die at any moment, and starts it again when it has.

    ``failpoints`` are armed one after another, one for each life of the process.
    """

    unit: UnitProcess
    failpoints: Iterator[str]
    deaths: list[str] = field(default_factory=list)
    armed: str = ""
    born: threading.Event = field(default_factory=threading.Event)
    clients: dict[str, PartyClient] = field(default_factory=dict)
    acknowledged: dict[tuple[str, str], int] = field(default_factory=dict)
    #: Calls that were answered.
    steps: int = 0

    def start(self) -> None:
        """Begin a life; a fail point during start-up ends it at once and the next begins."""
        while True:
            self.unit.house.close()
            self.clients.clear()
            self.armed = next(self.failpoints, "")
            try:
                self.unit.start(self.armed)
            except AssertionError:
                assert self.unit.process is not None
                assert self.unit.process.returncode == -9
                self.deaths.append(self.armed)
                continue
            self.born.set()
            return

    def ask(self, party: str, call: Callable[[PartyClient], T]) -> T:
        """Repeat a call until the unit has lived to answer it."""
        while True:
            if party not in self.clients:
                self.clients[party] = self.unit.client(party)
            try:
                answer = call(self.clients[party])
            except grpc.RpcError as error:
                if error.code() not in {
                    grpc.StatusCode.UNAVAILABLE,
                    grpc.StatusCode.CANCELLED,
                    grpc.StatusCode.UNKNOWN,
                }:
                    raise AssertionError(refusal(error)) from error
                self.bury()
            else:
                self.steps += 1
                return answer

    def bury(self) -> None:
        """Wait until the unit, which was killed, is dead, and start it again."""
        assert self.unit.process is not None
        assert self.unit.process.wait(PATIENCE) == -9, self.unit.log.read_text()
        self.deaths.append(self.armed)
        self.born.clear()
        self.start()

    def safe_rows(self, party: str, dataset: str, pass_id: str) -> tuple[int, bool]:
        """Rows that the unit says are safe; never fewer than it has said before."""
        found = self.ask(
            party,
            lambda c: c.datasets.QueryWriteStatus(
                dataset_pb.QueryWriteStatusRequest(table=f"{dataset}/tables/{pass_id}")
            ),
        )
        key = (dataset, pass_id)
        assert found.committed_rows >= self.acknowledged.get(key, 0)
        self.acknowledged[key] = found.committed_rows
        return found.committed_rows, found.complete

    def publish(
        self, party: str, tables: dict[str, PassTable], request_id: str, base: str = ""
    ) -> dataset_pb.Dataset:
        """Create, upload and commit; goes on wherever the unit died."""
        seal = resources_pb.Seal(seal_id=b"s" * 16, encapsulated_key=b"e" * 32)
        changes = {"base_dataset": base} | ({"seal": seal} if party == "bkn" else {})
        made = self.ask(party, lambda c: c.create(RECORDS, request_id, **changes))
        for table in tables.values():
            self._upload(party, made, table)
        done = self.ask(party, lambda c: c.commit(made))
        assert done.state == dataset_pb.Dataset.STATE_COMMITTED
        return done

    def _upload(self, party: str, dataset: dataset_pb.Dataset, table: PassTable) -> None:
        key = (dataset.name, table.pass_id)
        while True:
            start, complete = self.safe_rows(party, dataset.name, table.pass_id)
            if complete:
                return
            answer = self.ask_once(
                party, lambda c, start=start: c.send(dataset, table, start=start, step=60)
            )
            if answer is not None:
                assert answer.complete
                self.acknowledged[key] = answer.committed_rows

    def ask_once(self, party: str, call: Callable[[PartyClient], T]) -> T | None:
        """One try: None if the unit died over it (it lives again then)."""
        deaths = len(self.deaths)
        tried = False

        def once(client: PartyClient) -> T | None:
            nonlocal tried
            if tried and len(self.deaths) > deaths:
                return None
            tried = True
            return call(client)

        return self.ask(party, once)


@dataclass
class Journey:
    """One round: registry (or a delta of the last one), list, run, answers, a question, erasure."""

    driver: Driver
    number: int
    registry: dict[str, PassTable]
    base: str = ""

    def go(self) -> str:
        """Make the round; returns the name of the registry."""
        driver, mark = self.driver, f"{self.number:08d}"
        registry = driver.publish("bkn", self.registry, _request(mark, 1), self.base)
        mine = driver.ask(
            "kemnaker", lambda c: c.tables(RECORDS, seed=self.number, same_as=self.registry)
        )
        listed = driver.publish("kemnaker", mine, _request(mark, 2))
        operation = driver.ask("kemnaker", lambda c: c.start_run(listed, _request(mark, 3)))
        run = driver.ask("kemnaker", lambda c: c.watch(c.run_of(operation).name))
        assert run.state == run_pb.Run.STATE_SUCCEEDED, run.failure_reason
        assert run.provider_dataset == registry.name
        self._check(run)
        self._ask_again(registry, mine, _request(mark, 4))
        self._release(_request(mark, 6))
        erase = dataset_pb.DeleteDatasetRequest(name=listed.name, request_id=_request(mark, 5))
        driver.ask("kemnaker", lambda c: c.datasets.DeleteDataset(erase))
        return registry.name

    def _release(self, request_id: str) -> None:
        """A release, handed in twice under one request id, and then erased."""
        content, version = bytes([self.number % 256]) * 3000, self.number + 1
        made = [
            self.driver.ask("bkn", lambda c: c.release(version, content, request_id=request_id))
            for _ in range(2)
        ]
        assert made[0] == made[1]
        read = release_pb.DownloadReleaseRequest(name=made[0].name)
        pieces = self.driver.ask("kemnaker", lambda c: list(c.releases.DownloadRelease(read)))
        assert b"".join(piece.content for piece in pieces) == content
        older = release_pb.DeleteReleaseRequest(name=made[0].name)
        self.driver.ask("bkn", lambda c: c.releases.DeleteRelease(older))

    def _check(self, run: run_pb.Run) -> None:
        """Every code that the list must find has come back, sealed as it was sent."""
        found = self.driver.ask(
            "kemnaker",
            lambda c: answers(c.runs.StreamResults(run_pb.StreamResultsRequest(name=run.name))),
        )
        for pass_id, rows in found.items():
            outcomes = np.frombuffer(rows.outcomes, np.uint8)
            assert outcomes[:RECORDS].tolist() == [2] * RECORDS
            wanted = self.registry[pass_id].columns["sealed_codes"][:RECORDS].tobytes()
            assert rows.sealed_codes[: len(wanted)] == wanted

    def _ask_again(self, registry, mine: dict[str, PassTable], request_id: str) -> None:
        """A question, asked twice under one request id."""
        table = next(iter(mine.values()))

        def ask(client: PartyClient):
            return client.confirmations.ConfirmRecords(
                confirmation_pb.ConfirmRecordsRequest(
                    parent=client.parent,
                    encoding=client.encoding(),
                    pass_id=table.pass_id,
                    rows=resources_pb.TableRows(row_count=CONFIRMED, **table.rows(0, CONFIRMED)),
                    request_id=request_id,
                )
            )

        first, second = self.driver.ask("kemnaker", ask), self.driver.ask("kemnaker", ask)
        assert first == second
        assert first.provider_dataset == registry.name


def books(unit: UnitProcess) -> dict[str, int]:
    """What the unit's database says when nobody runs it: quota used, runs, datasets, releases."""
    with closing(sqlite3.connect(unit.house.data_dir / "unit.sqlite")) as connection:
        (used,) = connection.execute(
            "SELECT sum(used) FROM quota_days WHERE flow = 'asn-status'"
        ).fetchone()
        (released,) = connection.execute("SELECT sum(used) FROM quota_days").fetchone()
        (releases,) = connection.execute("SELECT count(*) FROM releases WHERE erased").fetchone()
        (runs,) = connection.execute("SELECT count(*) FROM runs").fetchone()
        (datasets,) = connection.execute("SELECT count(*) FROM datasets").fetchone()
    return {
        "used": used,
        "runs": runs,
        "datasets": datasets,
        "released": released - used,
        "erased": releases,
    }


def held_as_counted(unit: UnitProcess) -> bool:
    """Whether the sums of what datasets hold are what adding the datasets up gives."""
    key = "agreement, agreement_digest, flow, owner, pass_id, is_delta"
    with closing(sqlite3.connect(unit.house.data_dir / "unit.sqlite")) as connection:
        kept = connection.execute(f"SELECT {key}, rows FROM held_rows WHERE rows").fetchall()
        counted = connection.execute(
            "SELECT agreement, agreement_digest, flow, owner, pass_id, base <> '' AS is_delta,"
            " sum(max(rows, upload_rows)) FROM datasets JOIN dataset_tables ON dataset = id"
            f" WHERE state <> 'deleted' GROUP BY {key}"
        ).fetchall()
    return bool(kept) and sorted(kept) == sorted(counted)


class Killer:
    """Kills the driver's unit at random moments of its lives, at most ``most`` times.

    And at most ``_A_STEP`` times before a call is answered: a unit that never lives long enough for
    a pass would in the end, rightly, give up the run, and how long a pass takes is the machine's.
    """

    #: Twice this, for a run is leased while CreateRun and WatchRun are answered, and the two kills
    #: that may come just behind an answer, are fewer than ``run_attempts``.
    _A_STEP = 8

    def __init__(self, driver: Driver, seed: int, longest: float, most: int) -> None:
        self._driver = driver
        self._random = random.Random(seed)
        self._longest = longest
        self._left = most
        self._step, self._in_step = 0, 0
        self._victim: object = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._driver.born.set()
        self._thread.join()
        if self._victim is self._driver.unit.process:
            self._driver.bury()

    def _run(self) -> None:
        while self._left and not self._ended.is_set():
            self._driver.born.wait()
            self._driver.born.clear()
            if self._ended.wait(self._random.uniform(0, self._longest)):
                return
            if not self._spared_enough():
                return
            process = self._driver.unit.process
            if process is not None and process.poll() is None:
                self._victim = process
                process.kill()
                self._left -= 1
                self._in_step += 1

    def _spared_enough(self) -> bool:
        """Wait until a call is answered, after many kills in one; False if that is the end."""
        while self._driver.steps == self._step and self._in_step >= self._A_STEP:
            if self._ended.wait(0.01):
                return False
        if self._driver.steps != self._step:
            self._step, self._in_step = self._driver.steps, 0
        return True


def _request(mark: str, step: int) -> str:
    """A request id that is the same for every try of a step."""
    return str(uuid.UUID(f"{mark}-0000-4000-8000-{step:012d}"))
