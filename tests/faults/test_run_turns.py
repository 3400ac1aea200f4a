"""Parties take turns at a unit's workers: whoever queues many or long runs holds nobody up."""

from __future__ import annotations

import json

import pytest
from agency import filtered
from engines import FakeEngine, Gate
from google.longrunning import operations_pb2
from hostile_peers import second_agreement, second_party
from parties import answers
from patience import PATIENCE

from padan.v1 import run_service_pb2 as run_pb

#: Ranges so short that a run has many, and a turn ends after each.
SHORT = {"range_pairs": 50, "run_turn_seconds": 0.0, "run_resume_share": 1.0, "run_workers": 0}


def published(provider, requester, people, listed):
    """A list of some of the people in a registry."""
    provider.contribute()
    requester.contribute()
    registry = provider.tables(people)
    provider.publish(people, tables=registry)
    return requester.publish(listed, tables=requester.tables(listed, same_as=registry))


def queued(client, listed, runs):
    return [client.run_of(client.start_run(listed)).name for _ in range(runs)]


def begin_to_work(unit):
    """Let a worker begin, now that all runs are queued."""
    assert unit.stop() == 0
    text = unit.config.read_text()
    unit.config.write_text(text.replace("run_workers = 0", "run_workers = 1"))
    unit.start()


def events(unit, name):
    """What the log tells of runs, in its order."""
    lines = [json.loads(line) for line in unit.log.read_bytes().splitlines()]
    return [line for line in lines if line.get("event") == name]


def told(client, name):
    rows = answers(client.runs.StreamResults(run_pb.StreamResultsRequest(name=name)))
    return {pass_id: (r.outcomes, r.sealed_codes) for pass_id, r in rows.items()}


def test_a_small_list_waits_for_no_run_of_another_party(make_unit_process):
    unit = make_unit_process(engine="real", settings=SHORT, edit=filtered)
    signed = second_agreement(unit.house)
    unit.start()
    hoarder = unit.client("kemnaker")
    long = queued(hoarder, published(unit.client("bkn"), hoarder, 1500, 1000), 3)
    other = second_party(unit, signed, "bpjstk")
    provider = second_party(unit, signed, "imigrasi")
    short = queued(other, published(provider, other, 40, 30), 2)
    begin_to_work(unit)
    hoarder, other = unit.client("kemnaker"), second_party(unit, signed, "bpjstk")
    for client, names in ((other, short), (hoarder, long)):
        for name in names:
            assert client.watch(name).state == run_pb.Run.STATE_SUCCEEDED
    ids = [name[-32:] for name in (*short, *long)]
    assert [line["run"] for line in events(unit, "run_ended")] == ids
    # The first was set aside, also inside a pass, the last one never: the answers are the same.
    leased = [(line["run"], line["passes_done"]) for line in events(unit, "run_leased")]
    of_run = {name: [done for run, done in leased if run == name] for name in ids}
    first, last = of_run[long[0][-32:]], of_run[long[-1][-32:]]
    assert len(first) > len(set(first))
    assert last == [0]
    assert told(hoarder, long[0]) == told(hoarder, long[-1])


class RangedEngine(FakeEngine):
    """One whose passes have three ranges; remembers which it had to work on."""

    def __init__(self, gate):
        super().__init__()
        self.gate = gate
        self.worked = []

    def match_pass(self, schema, p, provider, *rest, progress, journal, **options):
        for i in range(3):
            if journal.load(f"range-{i}") is None:
                self.worked.append((len(provider), p.id, i))
                self.gate(p.id)
                journal.save(f"range-{i}", b"done")
            progress((i + 1) / 4)
        return super().match_pass(
            schema, p, provider, *rest, progress=progress, journal=journal, **options
        )


@pytest.fixture
def beside(make_house, make_unit):
    """A unit where one party's run waits in its first range and another's behind it."""
    house = make_house()
    signed = second_agreement(house)
    gate = Gate()
    # One attempt: a turn is none.
    settings = {**SHORT, "run_workers": 1, "run_attempts": 1}
    unit = make_unit(house=house, engine=RangedEngine(gate), settings=settings)
    long, short = unit.client("kemnaker"), second_party(unit, signed, "bpjstk")
    provider = second_party(unit, signed, "imigrasi")
    lists = [
        published(unit.client("bkn"), long, 300, 30),
        published(provider, short, 40, 30),
    ]
    first = queued(long, lists[0], 1)[0]
    assert gate.reached.wait(PATIENCE)
    yield unit, gate, (long, first), (short, queued(short, lists[1], 1)[0])
    gate.opened.set()


def test_nothing_is_worked_on_twice_and_a_turn_is_no_attempt(beside):
    unit, gate, (long, first), (short, second) = beside
    seen = long.runs.WatchRun(run_pb.WatchRunRequest(name=first))
    shares = [next(seen).progress]
    gate.opened.set()
    shares += [run.progress for run in seen]
    assert short.watch(second).state == run_pb.Run.STATE_SUCCEEDED
    assert long.watch(first).state == run_pb.Run.STATE_SUCCEEDED
    worked = unit.engine.worked
    assert (
        len(worked)
        == len(set(worked))
        == 3 * sum(len(client.schema.passes) for client in (long, short))
    )
    sizes = [size for size, *_ in worked]
    assert sizes[:4] == [sizes[0], sizes[1], sizes[0], sizes[1]]
    assert len(set(sizes)) == 2
    assert shares == sorted(shares)
    assert shares[-1] == 1
    with unit.unit._store.read() as tx:
        kept = tx.runs.get(first[-32:])
    assert (kept.attempts, kept.deaths) == (1, 0)


def test_a_run_that_is_set_aside_can_be_cancelled(beside):
    unit, gate, (long, first), (short, second) = beside
    held = Gate()

    def hold(pass_id):
        if len(unit.engine.worked) > 1:
            held(pass_id)

    unit.engine.gate = hold
    gate.opened.set()
    assert held.reached.wait(PATIENCE)
    long.operations.CancelOperation(
        operations_pb2.CancelOperationRequest(name=f"operations/{first[-32:]}")
    )
    held.opened.set()
    assert short.watch(second).state == run_pb.Run.STATE_SUCCEEDED
    assert long.watch(first).state == run_pb.Run.STATE_CANCELLED
    assert [p.name for p in (unit.house.data_dir / "runs").glob("*")] == [second[-32:]]
    assert sum(size == unit.engine.worked[0][0] for size, *_ in unit.engine.worked) == 1
