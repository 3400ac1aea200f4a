"""Runs: charged once, leased, watched, cancelled, resumed, read."""

from __future__ import annotations

import shutil
import threading
import uuid

import grpc
import numpy as np
import pytest
from engines import FakeEngine, Gate
from google.longrunning import operations_pb2
from google.rpc import error_details_pb2
from parties import answers, refusal
from patience import PATIENCE

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import run_service_pb2 as run_pb
from padan_linkage.agreement import example, load_agreement
from padan_server.base.clock import jakarta_day
from padan_server.base.model import ENDED

_FLOW = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
PASSES = [p.id for p in _FLOW.schema.passes]


def refused(call, *args, **kwargs):
    """The refusal of a call that must be refused."""
    with pytest.raises(grpc.RpcError) as caught:
        list(call(*args, **kwargs))
    return refusal(caught.value)


@pytest.fixture
def matched(make_unit):
    """Makes a unit with a registry and a list of 30 people who are all in it."""

    def make(**options):
        unit = make_unit(**options)
        provider, requester = unit.pair()
        registry = provider.tables(40)
        provider.publish(40, tables=registry)
        listed = requester.publish(30, tables=requester.tables(30, same_as=registry))
        return unit, provider, requester, listed

    return make


def start(requester, listed, **options):
    return requester.run_of(requester.start_run(listed, **options))


def get(requester, run):
    return requester.runs.GetRun(run_pb.GetRunRequest(name=run.name))


def stored(unit, run):
    """The run as the store has it."""
    with unit.unit._store.read() as tx:
        return tx.runs.get(run.name[-32:])


def results(requester, run, **options):
    return requester.runs.StreamResults(run_pb.StreamResultsRequest(name=run.name, **options))


def quota_used(unit):
    """What lists have used of the day, without what is held ahead for questions."""
    day = "kemnaker-bkn-2024", "asn-status", jakarta_day(unit.clock.now())
    with unit.unit._store.read() as tx:
        return tx.quotas.used(*day) - unit.unit._ledger.held(*day)


# Quotas and request ids


#: What a list of 30 is charged: the 256 rows of a padded table.
CHARGED = 256


def test_a_run_is_charged_once_for_a_request(matched):
    unit, _, requester, listed = matched()
    request_id = str(uuid.uuid4())
    first = requester.start_run(listed, request_id)
    again = requester.start_run(listed, request_id)
    assert first.name == again.name
    assert quota_used(unit) == CHARGED
    other = requester.publish(30)
    found = refused(requester.start_run, other, request_id)
    assert (found.code, found.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert requester.start_run(listed).name != first.name
    assert quota_used(unit) == 2 * CHARGED


def day_quota(records):
    return lambda text: text.replace(
        "records_per_day = 22_000_000", f"records_per_day = {records}", 1
    )


def test_a_spent_quota_is_refused_until_tomorrow_in_jakarta(matched):
    unit, _, requester, listed = matched(edit=day_quota(300))
    requester.start_run(listed)
    found = refused(requester.start_run, listed)
    assert (found.code, found.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "QUOTA_DAY_EXCEEDED",
    )
    assert (found.metadata["limit"], found.metadata["used"]) == ("300", str(CHARGED))
    assert found.metadata["article"] == "Pasal 2 angka 2"
    unit.clock.forward(hours=13, minutes=59)  # 23.59 in Jakarta
    assert refused(requester.start_run, listed).reason == "QUOTA_DAY_EXCEEDED"
    unit.clock.forward(minutes=2)
    requester.start_run(listed)


def test_parallel_calls_cannot_overshoot_the_quota(matched):
    unit, _, requester, listed = matched(edit=day_quota(800), settings={"run_workers": 0})
    outcomes = []

    def ask():
        try:
            requester.start_run(listed)
            outcomes.append("granted")
        except grpc.RpcError as error:
            outcomes.append(refusal(error).reason)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["QUOTA_DAY_EXCEEDED"] * 5 + ["granted"] * 3
    assert quota_used(unit) == 3 * CHARGED
    runs = requester.runs.ListRuns(run_pb.ListRunsRequest(parent=requester.parent)).runs
    assert len(runs) == 3


# What a run needs


def test_a_run_needs_committed_sides_of_this_flow(make_unit):
    unit = make_unit()
    provider, requester = unit.pair()
    open_list = requester.create(10)
    assert refused(requester.start_run, open_list).reason == "DATASET_STATE_INVALID"
    listed = requester.publish(10)
    assert refused(requester.start_run, listed).reason == "REGISTRY_NOT_PUBLISHED"
    open_registry = provider.create(10)
    found = refused(requester.start_run, listed, registry=open_registry.name)
    assert found.reason == "DATASET_STATE_INVALID"
    found = refused(requester.start_run, listed, registry=listed.name)
    assert found.reason == "DATASET_NOT_FOUND"
    found = refused(requester.start_run, dataset_pb.Dataset())
    assert found.reason == "FIELD_INVALID"
    assert quota_used(unit) == 0


def test_sides_are_compared_again_when_a_run_starts(make_unit):
    unit = make_unit()
    provider, requester = unit.pair()
    listed = requester.publish(10)
    provider.contribute(2)
    requester.contribute(2)
    provider.publish(10, encoding=provider.encoding(epoch=2, key_check_value=b"2" * 16))
    assert refused(requester.start_run, listed).reason == "EPOCH_MISMATCH"
    assert quota_used(unit) == 0


# Watching, operations, cancelling


def test_a_run_is_watched_from_its_queue_to_its_end(matched):
    gate = Gate()
    _, _, requester, listed = matched(engine=FakeEngine(gate))
    run = start(requester, listed)
    stream = requester.runs.WatchRun(run_pb.WatchRunRequest(name=run.name))
    assert gate.reached.wait(PATIENCE)
    gate.opened.set()
    seen = list(stream)
    assert seen[-1].state == run_pb.Run.STATE_SUCCEEDED
    progress = [r.progress for r in seen]
    assert progress == sorted(progress)
    assert seen[-1].end_time.seconds > 0


def test_an_operation_tells_the_same(matched):
    gate = Gate()
    _, _, requester, listed = matched(engine=FakeEngine(gate))
    operation = requester.start_run(listed)
    assert operation.name.startswith("operations/")
    assert not operation.done
    asked = operations_pb2.GetOperationRequest(name=operation.name)
    assert not requester.operations.GetOperation(asked).done
    wait = operations_pb2.WaitOperationRequest(name=operation.name)
    wait.timeout.FromMilliseconds(1)
    assert not requester.operations.WaitOperation(wait).done
    gate.opened.set()
    done = requester.operations.WaitOperation(
        operations_pb2.WaitOperationRequest(name=operation.name)
    )
    response = run_pb.Run()
    assert done.done
    assert done.response.Unpack(response)
    assert response == get(requester, requester.run_of(operation))
    (shown,) = requester.operations.ListOperations(
        operations_pb2.ListOperationsRequest()
    ).operations
    assert shown == done
    with pytest.raises(grpc.RpcError) as caught:
        requester.operations.DeleteOperation(
            operations_pb2.DeleteOperationRequest(name=operation.name)
        )
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_runs_and_operations_are_their_owners_alone(matched):
    unit, provider, requester, listed = matched()
    operation = requester.start_run(listed)
    run = requester.run_of(operation)
    asked = operations_pb2.GetOperationRequest(name=operation.name)
    assert refused(provider.operations.GetOperation, asked).reason == "RUN_NOT_FOUND"
    assert not provider.operations.ListOperations(operations_pb2.ListOperationsRequest()).operations
    assert refused(get, provider, run).reason == "ROLE_NOT_PERMITTED"
    assert refused(results, provider, run).reason == "ROLE_NOT_PERMITTED"
    other = unit.client("kemnaker", "asn-perbaikan")
    moved = run_pb.Run(name=run.name.replace("asn-status", "asn-perbaikan"))
    assert refused(get, other, moved).reason == "RUN_NOT_FOUND"


def test_a_cancelled_run_stops_and_leaves_nothing(matched):
    gate = Gate()
    unit, _, requester, listed = matched(engine=FakeEngine(gate))
    operation = requester.start_run(listed)
    run = requester.run_of(operation)
    assert gate.reached.wait(PATIENCE)
    assert get(requester, run).state == run_pb.Run.STATE_RUNNING
    cancelled = requester.runs.CancelRun(run_pb.CancelRunRequest(name=run.name))
    assert cancelled.state == run_pb.Run.STATE_CANCELLED
    gate.opened.set()
    assert requester.watch(run.name).state == run_pb.Run.STATE_CANCELLED
    assert refused(results, requester, run).reason == "RUN_NOT_SUCCEEDED"
    done = requester.operations.GetOperation(
        operations_pb2.GetOperationRequest(name=operation.name)
    )
    assert (done.done, done.error.code) == (True, grpc.StatusCode.CANCELLED.value[0])
    # The worker is free for the next run, and the cancelled one's files are gone.
    second = start(requester, listed)
    assert requester.watch(second.name).state == run_pb.Run.STATE_SUCCEEDED
    assert [p.name for p in (unit.house.data_dir / "runs").iterdir()] == [second.name[-32:]]
    again = requester.runs.CancelRun(run_pb.CancelRunRequest(name=second.name))
    assert again.state == run_pb.Run.STATE_SUCCEEDED


def test_a_waiting_run_is_cancelled_at_once(matched):
    _, _, requester, listed = matched(settings={"run_workers": 0})
    operation = requester.start_run(listed)
    requester.operations.CancelOperation(operations_pb2.CancelOperationRequest(name=operation.name))
    run = get(requester, requester.run_of(operation))
    assert run.state == run_pb.Run.STATE_CANCELLED


def test_watches_are_no_calls_and_have_a_bound_of_their_own(matched):
    _, _, requester, listed = matched(
        settings={"run_workers": 0, "limits": {"calls_per_party": 1, "watches_per_party": 2}}
    )
    run = start(requester, listed)
    request = run_pb.WatchRunRequest(name=run.name)
    watching = [requester.runs.WatchRun(request) for _ in range(2)]
    for stream in watching:
        assert next(stream).state == run_pb.Run.STATE_PENDING
    found = refused(requester.runs.WatchRun, request)
    assert (found.code, found.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
    assert found.metadata["limit"] == "2"
    assert get(requester, run).state == run_pb.Run.STATE_PENDING
    requester.runs.CancelRun(run_pb.CancelRunRequest(name=run.name))
    assert [[r.state for r in stream] for stream in watching] == [[run_pb.Run.STATE_CANCELLED]] * 2


# Trouble


def test_a_pass_that_fails_is_tried_again_and_what_was_done_is_kept(matched):
    failures = {PASSES[2]: 2}

    def before(pass_id):
        if failures.get(pass_id, 0):
            failures[pass_id] -= 1
            raise ValueError("a fault")

    engine = FakeEngine(before)
    _, _, requester, listed = matched(engine=engine)
    run = requester.watch(start(requester, listed).name)
    assert run.state == run_pb.Run.STATE_SUCCEEDED
    assert engine.calls == [*PASSES[:2], PASSES[2], PASSES[2], *PASSES[2:]]
    assert [p.pass_id for p in run.passes] == PASSES


def test_a_run_that_always_fails_ends(matched):
    def before(pass_id):
        raise ValueError("3201010101900001")

    engine = FakeEngine(before)
    _, _, requester, listed = matched(engine=engine)
    operation = requester.start_run(listed)
    run = requester.watch(requester.run_of(operation).name)
    assert run.state == run_pb.Run.STATE_FAILED
    assert run.failure_reason == "RUN_WORKER_FAILED"
    assert engine.calls == [PASSES[0]] * 3
    done = requester.operations.GetOperation(
        operations_pb2.GetOperationRequest(name=operation.name)
    )
    assert done.done
    told = error_details_pb2.ErrorInfo()
    assert done.error.details[0].Unpack(told)
    assert told.reason == "RUN_WORKER_FAILED"
    assert done.error.code == grpc.StatusCode.INTERNAL.value[0]
    assert refused(results, requester, run).reason == "RUN_NOT_SUCCEEDED"


def test_a_run_that_the_unit_fails_is_not_charged(matched):
    def before(pass_id):
        raise ValueError

    engine = FakeEngine(before)
    unit, _, requester, listed = matched(engine=engine)
    for charged in (0, 0, 0, CHARGED):  # a list fails for nothing three times
        run = requester.watch(start(requester, listed).name)
        assert run.state == run_pb.Run.STATE_FAILED
        assert quota_used(unit) == charged
    engine.before = lambda pass_id: None
    assert requester.watch(start(requester, listed).name).state == run_pb.Run.STATE_SUCCEEDED
    assert quota_used(unit) == 2 * CHARGED


def test_a_suspension_stops_a_run_between_passes(matched):
    gate = Gate()
    engine = FakeEngine(gate)
    unit, provider, requester, listed = matched(engine=engine)
    run = start(requester, listed)
    assert gate.reached.wait(PATIENCE)
    name = "agreements/kemnaker-bkn-2024"
    provider.agreements.SuspendAgreement(
        agreement_pb.SuspendAgreementRequest(name=name, article="Pasal 10 ayat (2)")
    )
    gate.opened.set()
    while stored(unit, run).state not in ENDED:
        pass
    provider.agreements.ResumeAgreement(agreement_pb.ResumeAgreementRequest(name=name))
    found = requester.watch(run.name)
    assert found.state == run_pb.Run.STATE_FAILED
    assert found.failure_reason == "AGREEMENT_SUSPENDED"
    assert engine.calls == PASSES[:1]


def test_a_list_erased_under_a_run_ends_it(matched):
    gate = Gate()
    unit, _, requester, listed = matched(engine=FakeEngine(gate))
    run = start(requester, listed)
    assert gate.reached.wait(PATIENCE)
    requester.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=listed.name))
    gate.opened.set()
    found = requester.watch(run.name)
    assert found.state == run_pb.Run.STATE_FAILED
    assert found.failure_reason == "DATASET_STATE_INVALID"
    assert not list((unit.house.data_dir / "runs").iterdir())


def test_a_stopping_unit_gives_its_run_back(make_house, make_unit, matched):
    gate = Gate()
    house = make_house()
    first, _, requester, listed = matched(house=house, engine=FakeEngine(gate))
    run = start(requester, listed)
    assert gate.reached.wait(PATIENCE)
    stopper = threading.Thread(target=first.stop)
    stopper.start()
    first.unit._stopping.wait()
    gate.opened.set()
    stopper.join()
    house.close()
    second = make_unit(house)
    again = second.client("kemnaker")
    assert again.watch(run.name).state == run_pb.Run.STATE_SUCCEEDED
    assert stored(second, run).attempts == 1


# Reading


@pytest.mark.parametrize("result_bytes", [16 * 1024, 1024 * 1024])
def test_answers_come_in_pieces_from_any_row(matched, result_bytes):
    _, _, requester, _ = matched(settings={"limits": {"result_bytes": result_bytes}})
    listed = requester.publish(1000)
    run = requester.watch(start(requester, listed).name)
    pieces = list(results(requester, run))
    assert len(pieces) == len(PASSES) * (1 if result_bytes > 500_000 else 4)
    whole = answers(pieces)
    assert list(whole) == PASSES
    assert all(rows.row_count == 1280 for rows in whole.values())
    rest = list(results(requester, run, pass_id="nik-depan", row_offset=700))
    assert rest[0].rows.row_offset == 700
    assert b"".join(p.rows.outcomes for p in rest) == whole["nik-depan"].outcomes[700:]
    assert not list(results(requester, run, pass_id="nik-depan", row_offset=1280))
    found = refused(results, requester, run, pass_id="nik-depan", row_offset=1281)
    assert found.reason == "FIELD_INVALID"
    assert refused(results, requester, run, row_offset=3).reason == "FIELD_INVALID"
    assert refused(results, requester, run, pass_id="none").reason == "FIELD_INVALID"


def test_a_resumed_stream_gives_the_same_codes(matched):
    _, _, requester, listed = matched()
    run = requester.watch(start(requester, listed).name)
    whole = answers(results(requester, run))["nik-depan"]
    (rest,) = results(requester, run, pass_id="nik-depan", row_offset=10)
    assert rest.rows.sealed_codes == whole.sealed_codes[10 * 44 :]
    assert rest.HasField("seal")


def test_answers_that_are_missing_are_told_and_are_not_an_empty_answer(matched):
    unit, _, requester, listed = matched()
    run = requester.watch(start(requester, listed).name)
    shutil.rmtree(unit.house.data_dir / "runs" / run.name[-32:])
    found = refused(results, requester, run)
    assert (found.code, found.reason) == (grpc.StatusCode.DATA_LOSS, "DATA_DAMAGED")
    assert found.metadata["file"].startswith(f"runs/{run.name[-32:]}/")
    assert str(unit.house.data_dir) not in found.message


def test_an_erased_list_takes_its_answers_with_it(matched):
    unit, _, requester, listed = matched()
    run = requester.watch(start(requester, listed).name)
    assert list((unit.house.data_dir / "runs").iterdir())
    requester.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=listed.name))
    assert not list((unit.house.data_dir / "runs").iterdir())
    assert refused(results, requester, run).reason == "DATASET_STATE_INVALID"


def test_confirmed_fields_are_compared_by_tag(make_unit):
    unit = make_unit(flow_id="asn-perbaikan")
    provider, requester = unit.pair()
    registry = provider.tables(20)
    mine = requester.tables(20, same_as=registry)
    confirming = next(p.id for p in requester.schema.passes if len(p.confirm) > 3)
    plain = [p.id for p in requester.schema.passes if not p.confirm]
    # Of the confirmed fields of row 3 the second and the fourth agree.
    for field in (1, 3):
        span = slice(8 * field, 8 * field + 8)
        mine[confirming].columns["tags"][3, span] = registry[confirming].columns["tags"][3, span]
    provider.publish(20, tables=registry)
    run = requester.watch(start(requester, requester.publish(20, tables=mine)).name)
    found = answers(results(requester, run))
    assert found[confirming].confirmations[3] == 0b01010
    assert found[confirming].confirmations[4] == 0
    assert all(found[pass_id].confirmations == b"" for pass_id in plain)
    assert np.frombuffer(found[confirming].outcomes, np.uint8)[:20].tolist() == [2] * 20
