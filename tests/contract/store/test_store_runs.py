"""What every store promises of runs and their leases."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from padan_linkage.answering.answers import PassCounts
from padan_server.base.model import RunState

FIRST = 2**62
MINUTE = timedelta(minutes=1)
COUNTS = PassCounts("nik", 256, 512, 30, 2, 1)


@pytest.fixture
def queued(store, run):
    """Two runs that wait, oldest first."""
    with store.write() as tx:
        return [tx.runs.add(run(i * 32)) for i in "12"]


def lease(store, worker, now):
    with store.write() as tx:
        return tx.runs.lease(worker, now, now + MINUTE)


def found(store, run_id):
    with store.read() as tx:
        return tx.runs.get(run_id)


def test_a_run_comes_back_as_it_was(store, queued):
    assert found(store, queued[0].id) == queued[0]
    assert found(store, "f" * 32) is None


def test_each_run_is_leased_once_oldest_first(store, queued, start):
    assert lease(store, "w1", start).id == queued[0].id
    assert lease(store, "w2", start).id == queued[1].id
    assert lease(store, "w3", start) is None


@pytest.fixture
def turns(store, run, start):
    """Queues the runs that are named, a party's initial and a number; leases the next ones."""

    class QueuedRuns:
        def queue(self, *names):
            with store.write() as tx:
                for name in names:
                    tx.runs.add(run(name, owner=name[0]))

        def next(self, now=start):
            leased = lease(store, "w", now)
            return leased and leased.id

        def end(self, name):
            with store.write() as tx:
                assert tx.runs.end(name, RunState.SUCCEEDED, start, worker="w")

        def aside(self, name):
            with store.write() as tx:
                assert tx.runs.release(name, "w", counted=False)

        def others_wait(self, owner):
            with store.read() as tx:
                return tx.runs.is_awaited(owner)

        def all(self, count):
            """Each ends before the next is leased."""
            order = []
            for _ in range(count):
                order.append(self.next())
                self.end(order[-1])
            return order

    return QueuedRuns()


def test_parties_take_turns_whoever_queued_more_or_first(turns):
    turns.queue("a1", "a2", "a3", "a4", "b1", "b2", "c1")
    assert turns.all(7) == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]


def test_the_party_whose_turn_is_longest_ago_is_next(turns):
    turns.queue("a1", "b1", "a2")
    assert turns.all(2) == ["a1", "b1"]
    turns.queue("b2", "c1")
    assert turns.all(3) == ["c1", "a2", "b2"]


def test_a_party_with_a_worker_lets_others_have_the_next(turns):
    turns.queue("a1", "a2", "b1", "b2")
    assert [turns.next(), turns.next()] == ["a1", "b1"]
    turns.end("b1")  # its turn is the later one, but it has no other
    assert turns.next() == "b2"


def test_a_run_that_is_set_aside_goes_on_after_the_others_turns(turns):
    turns.queue("a1", "a2", "b1", "c1")
    assert turns.next() == "a1"
    turns.aside("a1")
    assert turns.all(4) == ["b1", "c1", "a1", "a2"]


def test_only_a_party_with_fewer_under_way_is_waited_for(turns):
    turns.queue("a1", "a2", "a3")
    assert turns.next() == "a1"
    assert not turns.others_wait("a")
    turns.queue("b1", "b2")
    assert turns.others_wait("a")
    assert turns.next() == "b1"
    assert not turns.others_wait("a")
    assert turns.next() == "a2"
    assert turns.others_wait("a")
    assert not turns.others_wait("b")


def test_a_lapsed_lease_waits_for_its_turn(turns, start):
    turns.queue("a1", "b1")
    assert turns.next() == "a1"
    assert [turns.next(start + 2 * MINUTE) for _ in "ba"] == ["b1", "a1"]


def test_turns_outlive_a_restart(turns, open_store, start):
    turns.queue("a1", "a2", "b1", "b2")
    assert [*turns.all(1), turns.next()] == ["a1", "b1"]
    again = open_store()
    with again.write() as tx:
        assert tx.runs.release_all() == 1
    assert lease(again, "w", start).id == "a2"
    assert lease(again, "w", start).id == "b1"


def test_two_workers_never_share_a_run(store, run, start):
    with store.write() as tx:
        for i in range(8):
            tx.runs.add(run(f"{i:032x}"))
    taken: list[str] = []
    lock = threading.Lock()

    def work(worker):
        while (leased := lease(store, worker, start)) is not None:
            with lock:
                taken.append(leased.id)

    workers = [threading.Thread(target=work, args=(f"w{i}",)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == [f"{i:032x}" for i in range(8)]


def test_a_lease_that_is_over_may_be_taken_and_the_old_worker_is_fenced_off(store, queued, start):
    run_id = queued[0].id
    lease(store, "w1", start)
    again = lease(store, "w2", start + 2 * MINUTE)
    assert (again.id, again.attempts) == (run_id, 2)
    with store.write() as tx:
        assert not tx.runs.renew(run_id, "w1", start + 9 * MINUTE)
        assert not tx.runs.add_pass(run_id, "w1", COUNTS)
        assert not tx.runs.end(run_id, RunState.SUCCEEDED, start, worker="w1")
        tx.runs.release(run_id, "w1", counted=False)
        assert tx.runs.renew(run_id, "w2", start + 9 * MINUTE)
    assert found(store, run_id).state is RunState.RUNNING
    assert lease(store, "w3", start + 8 * MINUTE).id == queued[1].id


def test_a_renewed_lease_is_not_taken(store, queued, start):
    lease(store, "w1", start)
    with store.write() as tx:
        assert tx.runs.renew(queued[0].id, "w1", start + 5 * MINUTE)
    assert lease(store, "w2", start + 2 * MINUTE).id == queued[1].id


@pytest.mark.parametrize(("counted", "attempts"), [(True, 2), (False, 1)])
def test_a_released_run_waits_again(store, queued, start, counted, attempts):
    lease(store, "w1", start)
    with store.write() as tx:
        tx.runs.release(queued[0].id, "w1", counted=counted)
    assert found(store, queued[0].id).state is RunState.PENDING
    assert lease(store, "w2", start).attempts == attempts


def test_release_all_frees_running_runs_alone(store, queued, start):
    lease(store, "w1", start)
    with store.write() as tx:
        tx.runs.end(queued[1].id, RunState.CANCELLED, start)
        assert tx.runs.release_all() == 1
    assert found(store, queued[0].id).state is RunState.PENDING
    assert found(store, queued[1].id).state is RunState.CANCELLED


def test_passes_are_kept_in_order_and_clear_the_attempts(store, open_store, queued, start):
    lease(store, "w1", start)
    lease(store, "w2", start + 2 * MINUTE)
    with store.write() as tx:
        assert tx.runs.add_pass(queued[0].id, "w2", COUNTS)
        assert tx.runs.add_pass(queued[0].id, "w2", replace(COUNTS, pass_id="a"))
    kept = found(open_store(), queued[0].id)
    assert kept.passes == (COUNTS, replace(COUNTS, pass_id="a"))
    assert kept.attempts == 1


def test_a_run_ends_once(store, queued, start):
    lease(store, "w1", start)
    with store.write() as tx:
        assert tx.runs.end(queued[0].id, RunState.FAILED, start + MINUTE, worker="w1", reason="X")
        assert not tx.runs.end(queued[0].id, RunState.CANCELLED, start + 2 * MINUTE)
    kept = found(store, queued[0].id)
    assert (kept.state, kept.failure_reason) == (RunState.FAILED, "X")
    assert kept.end_time == start + MINUTE
    assert lease(store, "w2", start + 9 * MINUTE).id == queued[1].id


def test_runs_are_found_by_flow_owner_and_dataset(store, run, flow):
    with store.write() as tx:
        for i, changes in enumerate(
            (
                {},
                {"flow": replace(flow, flow="other")},
                {"owner": "bkn"},
                {"requester_dataset": "x" * 32},
                {"provider_dataset": "x" * 32},
            )
        ):
            tx.runs.add(run(str(i) * 32, **changes))
    with store.read() as tx:
        page = tx.runs.page(flow, "kemnaker", before=FIRST, limit=2)
        assert [r.id[0] for r in page] == ["4", "3"]
        rest = tx.runs.page(flow, "kemnaker", before=page[-1].sequence, limit=9)
        assert [r.id[0] for r in rest] == ["0"]
        mine = tx.runs.of_owner("kemnaker", before=FIRST, limit=9)
        assert [r.id[0] for r in mine] == ["4", "3", "1", "0"]
        assert [r.id[0] for r in tx.runs.of_dataset("x" * 32)] == ["3", "4"]
