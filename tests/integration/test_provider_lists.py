"""Lists of blinded elements: committed to, charged, evaluated; and whoever tries for more."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from direct_party import KEYS, Asked, asked, set_terms
from parties import refusal
from patience import PATIENCE
from provider_fixture import Publisher

from padan.v1 import direct_service_pb2 as pb
from padan_linkage.direct import oprf
from padan_linkage.direct.blinding import verify_proof
from padan_linkage.direct.commitment import Commitment, ListLayout
from padan_server.base.clock import jakarta_day
from padan_server.direct import lists


def refused(call, *args, **kwargs):
    """The refusal of a call that must be refused."""
    with pytest.raises(grpc.RpcError) as caught:
        list(call(*args, **kwargs))
    return refusal(caught.value)


def evaluate(client, message):
    """One chunk, by the single call."""
    return client.direct.EvaluateElements(message)


def used(provider):
    """Records charged today, and elements to each key of epoch 1."""
    with provider.provider._store.read() as tx:
        day = tx.quotas.used("kemnaker-bkn-2024", "asn-status", jakarta_day(provider.clock.now()))
        return day, *map(tx.lists.key_used, provider.publisher.public_keys(1))


def outputs(provider, mine, answers):
    """What the requester makes of the answers to all chunks; checks the proofs."""
    (key,) = provider.publisher.public_keys(1)
    assert mine.chunks == len(answers) == 1
    return mine.blinding.finalise(answers[0].evaluated, answers[0].proof, key)


def count(client, name):
    """Elements evaluated so far."""
    return client.direct.GetBlindedList(pb.GetBlindedListRequest(name=name)).evaluated_count


# The way it is meant


def test_a_requester_gets_the_function_of_its_values(make_provider):
    provider = make_provider()
    client, values = provider.client(), [b"one", b"two", b"three"]
    mine = Asked.of(values)
    made = mine.commit(client)
    assert (made.epoch, made.element_count, made.evaluated_count) == (1, 3, 0)
    assert made.root == mine.commitment.root
    answer = evaluate(client, mine.message(made.name, 0))
    key = provider.publisher.keys(1)["nik"]
    assert (outputs(provider, mine, [answer]) == key.evaluate(values)).all()
    assert count(client, made.name) == 3
    assert used(provider) == (3, 3)


def test_a_stream_answers_in_order_and_while_it_is_being_sent(make_provider):
    client, mine = make_provider().client(), asked(2100)
    made = mine.commit(client)
    answered = threading.Event()

    def messages():
        for chunk in (2, 0):
            yield mine.message(made.name, chunk)
        assert answered.wait(PATIENCE)  # sends on only when it has the first answers
        yield mine.message(made.name, 1)

    seen = []
    for answer in client.direct.EvaluateElementStream(messages()):
        seen.append((answer.chunk, len(answer.evaluated), len(answer.proof)))
        if len(seen) == 2:
            answered.set()
    assert seen == [(2, 52 * 32, 64), (0, 1024 * 32, 64), (1, 1024 * 32, 64)]
    assert count(client, made.name) == 2100


def test_the_same_chunk_again_is_free_and_the_same(make_provider):
    provider = make_provider(minimum=1)
    client, mine = provider.client(), asked(5)
    made = mine.commit(client)
    message = mine.message(made.name, 0)
    first = evaluate(client, message)
    repeated = [evaluate(client, message)]
    repeated += client.direct.EvaluateElementStream(iter([message, message]))
    assert {r.evaluated for r in repeated} == {first.evaluated}
    assert used(provider) == (5, 5)
    assert count(client, made.name) == 5


def test_a_request_id_commits_once(make_provider):
    provider = make_provider()
    client, request_id = provider.client(), "6a7a2c50-1111-4222-8333-000000000001"
    made = asked(5).commit(client, request_id=request_id)
    assert asked(5).commit(client, request_id=request_id) == made
    assert used(provider) == (5, 5)
    assert provider.provider.metrics.committed._value.get() == 5
    found = refused(asked(6).commit, client, request_id=request_id)
    assert found.reason == "REQUEST_ID_REUSED"
    assert asked(5).commit(client, request_id="").name != made.name
    assert used(provider) == (10, 10)


# More than was committed to


def test_elements_that_are_not_of_the_list_are_refused(make_provider):
    provider = make_provider()
    client, mine, other = provider.client(), asked(2100), asked(2100, "other")
    made = mine.commit(client)
    path = mine.commitment.audit_path(0)
    swapped = mine.elements(0)[32:64] + mine.elements(0)[:32] + mine.elements(0)[64:]
    lies = [
        other.message(made.name, 0),
        mine.message(made.name, 0, elements=other.elements(0)),
        mine.message(made.name, 0, elements=swapped),
        mine.message(made.name, 1, chunk=0),
        mine.message(made.name, 2, chunk=3),
        mine.message(made.name, 0, chunk=-1),
        mine.message(made.name, 0, audit_path=path[:-1]),
        mine.message(made.name, 0, audit_path=path[:-32]),
        mine.message(made.name, 0, audit_path=path + path),
        mine.message(made.name, 0, audit_path=b""),
        mine.message(made.name, 0, elements=mine.elements(0) + other.elements(0)),
        mine.message(made.name, 0, elements=mine.elements(0)[:-32]),
        mine.message(made.name, 0, elements=mine.elements(0)[:-1]),
        mine.message(made.name, 0, elements=b""),
    ]
    for lie in lies:
        found = refused(evaluate, client, lie)
        assert (found.code, found.reason) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "CHUNK_NOT_COMMITTED",
        )
        streamed = refused(client.direct.EvaluateElementStream, iter([lie]))
        assert streamed.reason == "CHUNK_NOT_COMMITTED"
    assert count(client, made.name) == 0


def test_a_count_that_is_not_the_lists_evaluates_nothing_more(make_provider):
    """Committing to fewer elements than the root holds leaves the others out of reach."""
    client, mine = make_provider().client(), asked(2100)
    short = mine.commit(client, element_count=1024)
    for chunk in range(3):
        found = refused(evaluate, client, mine.message(short.name, chunk))
        assert found.reason == "CHUNK_NOT_COMMITTED"


@pytest.mark.parametrize(
    "bad",
    [
        bytes(32),  # the identity
        b"\xff" * 32,  # not canonical: the number is above the field's
        bytes([1]) + bytes(31),  # negative
        bytes([2]) + bytes(31),  # no square root: no point
    ],
)
def test_what_is_no_usable_point_is_refused(make_provider, bad):
    provider = make_provider()
    client, good = provider.client(), asked(3).elements(0)
    for elements in (bad, bad + good, good + bad):
        commitment = Commitment.to(ListLayout(len(elements) // 32, (1,)), elements)
        made = asked(3).commit(client, element_count=len(elements) // 32, root=commitment.root)
        message = pb.EvaluateElementsRequest(
            blinded_list=made.name, elements=elements, audit_path=commitment.audit_path(0)
        )
        found = refused(evaluate, client, message)
        assert (found.code, found.reason) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "ELEMENTS_INVALID",
        )
        assert count(client, made.name) == 0


def test_a_bad_chunk_ends_a_stream_after_the_answers_before_it(make_provider):
    client, mine = make_provider().client(), asked(2100)
    made = mine.commit(client)
    messages = [mine.message(made.name, 0), mine.message(made.name, 2, chunk=1)]
    stream = client.direct.EvaluateElementStream(iter([*messages, mine.message(made.name, 2)]))
    assert next(stream).chunk == 0
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    assert refusal(caught.value).reason == "CHUNK_NOT_COMMITTED"
    assert count(client, made.name) == 1024


def test_another_requesters_list_does_not_exist(make_provider):
    provider = make_provider()
    client = provider.client()
    made = asked(3).commit(client)
    unknown = made.name[:-32] + "0" * 32
    for name in (unknown,):
        found = refused(evaluate, client, asked(3).message(name, 0))
        assert (found.code, found.reason) == (grpc.StatusCode.NOT_FOUND, "LIST_NOT_FOUND")
    with provider.provider._store.write() as tx:
        tx.lists._connection.exec_driver_sql("UPDATE blinded_lists SET owner = 'bpjskes'")
    found = refused(evaluate, client, asked(3).message(made.name, 0))
    assert found.reason == "LIST_NOT_FOUND"


def test_an_oversized_message_is_refused(make_provider):
    client, mine = make_provider().client(), asked(3)
    made = mine.commit(client)
    message = mine.message(made.name, 0, elements=bytes(4 * 1024 * 1024))
    assert refused(evaluate, client, message).code is grpc.StatusCode.RESOURCE_EXHAUSTED


# The quota


def test_a_list_keeps_within_the_agreements_bounds(make_provider):
    client = make_provider(day=100, per_list=40, minimum=10).client()
    found = refused(asked(41).commit, client)
    assert (found.reason, found.metadata["limit"]) == ("QUOTA_LIST_EXCEEDED", "40")
    found = refused(asked(9).commit, client)
    assert (found.reason, found.metadata["limit"]) == ("BATCH_TOO_SMALL", "10")
    asked(40).commit(client)
    asked(10).commit(client)


def test_a_list_is_charged_by_records_and_each_asks_every_key(make_house, make_provider):
    """The flow's own keys: so many elements a record, and no others."""
    provider = make_provider(Publisher(make_house()))
    client = provider.client()
    with pytest.raises(grpc.RpcError, match=r"blinded_list.element_count.*14"):
        asked(6).commit(client)
    asked(28).commit(client)
    assert used(provider) == (2, 4, 8, 2, 4, 4, 2, 2, 2)


def of_two_keys(make_house, make_provider):
    """A provider whose flow asks one element a record under one key, and 16 under another."""
    keys = KEYS.replace("]\n", ', { id = "nik-nama", exact = ["nik", "nama:edits"] }]\n')
    terms = 100_000, 100_000, 1
    house = make_house(edit=lambda text: set_terms(text, *terms).replace(KEYS, keys, 1))
    return make_provider(Publisher(house))


def test_each_key_answers_its_own_chunks_and_none_of_anothers(make_house, make_provider):
    provider = of_two_keys(make_house, make_provider)
    client, values = provider.client(), [b"%d" % i for i in range(17 * 70)]
    mine = Asked.of(values, (1, 16))
    made = mine.commit(client)
    answers = list(
        client.direct.EvaluateElementStream(mine.message(made.name, n) for n in range(mine.chunks))
    )
    nik, name = provider.publisher.keys(1).values()
    evaluated = b"".join(answer.evaluated for answer in answers)
    assert evaluated[: 32 * 70] == nik.evaluate_blinded(mine.elements(0), bytes(32))[0]
    for answer in answers[1:]:
        blinded = mine.elements(answer.chunk)
        assert answer.evaluated == name.evaluate_blinded(blinded, bytes(32))[0]
        verify_proof(blinded, answer.evaluated, answer.proof, name.public_key)
        with pytest.raises(oprf.OprfError):
            verify_proof(blinded, answer.evaluated, answer.proof, nik.public_key)
    assert used(provider) == (70, 70, 16 * 70)


def test_an_epoch_ends_with_the_key_that_is_asked_most(make_house, make_provider, monkeypatch):
    provider = of_two_keys(make_house, make_provider)
    client = provider.client()
    monkeypatch.setattr(lists, "MAX_EVALUATIONS", 100)
    asked(17 * 4).commit(client)
    found = refused(asked(17 * 3).commit, client)
    assert found.reason == "EVALUATIONS_EXHAUSTED"
    assert (found.metadata["limit"], found.metadata["used"]) == ("100", "64")
    assert used(provider) == (4, 4, 64), "a refused list is charged to no key"
    asked(17 * 2).commit(client)
    assert used(provider) == (6, 6, 96)


def test_splitting_a_list_beats_no_quota(make_provider):
    provider = make_provider(day=100, per_list=40, minimum=10)
    client = provider.client()
    for _ in range(10):
        asked(10).commit(client)
    found = refused(asked(10, "more").commit, client)
    assert (found.code, found.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "QUOTA_DAY_EXCEEDED",
    )
    assert (found.metadata["limit"], found.metadata["used"]) == ("100", "100")
    assert used(provider) == (100, 100)


def test_who_enumerates_is_stopped_whatever_restarts(make_provider):
    """NIK after NIK, list after list, the provider restarted in between: the quota stands."""
    provider = make_provider(day=50, per_list=20, minimum=1)
    learned = 0
    for number in range(10):
        client, mine = provider.client(), asked(10, f"nik {number}")
        try:
            made = mine.commit(client)
        except grpc.RpcError as error:
            assert refusal(error).reason == "QUOTA_DAY_EXCEEDED"  # noqa: PT017 - some pass
        else:
            learned += len(evaluate(client, mine.message(made.name, 0)).evaluated) // 32
        provider.stop()
        provider = make_provider(provider.publisher, clock=provider.clock)
    assert learned == 50
    assert used(provider) == (50, 50)
    provider.clock.forward(days=1)
    asked(20).commit(provider.client())
    assert used(provider) == (20, 70)


def test_parallel_lists_never_overshoot(make_provider):
    provider = make_provider(day=100, per_list=40, minimum=1)
    clients = [provider.client() for _ in range(4)]

    def commit(number):
        try:
            asked(7, f"list {number}").commit(clients[number % 4])
        except grpc.RpcError as error:
            return refusal(error).reason
        return ""

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(commit, range(24)))
    assert found.count("") == 14
    assert set(found) == {"", "QUOTA_DAY_EXCEEDED"}
    assert used(provider) == (98, 98)


def test_a_key_is_exhausted_for_good(make_provider, monkeypatch):
    provider = make_provider()
    client = provider.client()
    monkeypatch.setattr(lists, "MAX_EVALUATIONS", 25)
    made = asked(20).commit(client)
    found = refused(asked(6).commit, client)
    assert (found.code, found.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "EVALUATIONS_EXHAUSTED",
    )
    assert (found.metadata["limit"], found.metadata["used"]) == ("25", "20")
    provider.clock.forward(days=2)
    assert refused(asked(6).commit, client).reason == "EVALUATIONS_EXHAUSTED"
    assert used(provider) == (0, 20), "a refused list is charged nowhere"
    asked(5).commit(client)
    evaluate(client, asked(20).message(made.name, 0))
    provider.publisher.publish("b", epoch=2)
    provider.rescan()
    asked(6).commit(client, epoch=2)


def test_the_limit_of_a_key_is_that_of_the_design():
    assert lists.MAX_EVALUATIONS == 1 << 24


# Trouble


def test_a_suspension_stops_a_stream_at_the_next_chunk(make_provider):
    from padan.v1 import agreement_service_pb2 as agreement_pb

    provider = make_provider()
    client, mine = provider.client(), asked(2100)
    made = mine.commit(client)
    suspended = threading.Event()

    def messages():
        yield mine.message(made.name, 0)
        assert suspended.wait(PATIENCE)
        yield mine.message(made.name, 1)

    stream = client.direct.EvaluateElementStream(messages())
    assert next(stream).chunk == 0
    provider.client("bkn").agreements.SuspendAgreement(
        agreement_pb.SuspendAgreementRequest(
            name="agreements/kemnaker-bkn-2024", article="Pasal 10 ayat (2)"
        )
    )
    suspended.set()
    assert refused(lambda: stream).reason == "AGREEMENT_SUSPENDED"
    assert count_kept(provider) == 1024


def count_kept(provider):
    """Elements evaluated, as the store has it."""
    with provider.provider._store.read() as tx:
        query = "SELECT sum(evaluated_count) FROM blinded_lists"
        return tx.lists._connection.exec_driver_sql(query).scalar()


def test_a_caller_that_hangs_up_leaves_nothing_behind(make_provider):
    provider = make_provider()
    client, mine = provider.client(), asked(2100)
    made = mine.commit(client)
    gone = threading.Event()

    def messages():
        yield mine.message(made.name, 0)
        gone.wait(PATIENCE)

    stream = client.direct.EvaluateElementStream(messages())
    assert next(stream).chunk == 0
    stream.cancel()
    gone.set()
    while any(t.name == "chunks" for t in threading.enumerate()):
        pass
    assert evaluate(client, mine.message(made.name, 1)).chunk == 1


def test_a_worker_that_dies_is_replaced(make_provider):
    provider = make_provider(own=True)
    client, mine = provider.client(), asked(5)
    made = mine.commit(client)
    evaluators = provider.provider._evaluators
    worker = evaluators._idle.get()
    evaluators._idle.put(worker)
    worker._process.kill()
    worker._process.wait()
    answer = evaluate(client, mine.message(made.name, 0))
    assert len(outputs(provider, mine, [answer])) == 5
