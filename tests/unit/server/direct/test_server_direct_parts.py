"""Small parts of the provider: pipelining, seeds, workers."""

from __future__ import annotations

import threading

import pytest
from library_requester import blind
from patience import PATIENCE

from padan_linkage.direct import oprf
from padan_server.base.damage import DamagedFileError, MissingFileError
from padan_server.base.model import FlowKey
from padan_server.direct import worker
from padan_server.direct.seeds import EpochDestroyedError, Seeds
from padan_server.services.pipeline import pipelined

FLOW = FlowKey("a", b"d" * 32, "f")
SEED = b"s" * 32


class NumberedWork:
    """Work that notes whether it was called off."""

    def __init__(self, number):
        self.number = number
        self.called_off = threading.Event()

    def cancel(self):
        self.called_off.set()


def test_answers_keep_the_order_of_the_requests():
    assert list(pipelined(iter(range(50)), NumberedWork, lambda w: w.number, 3)) == list(range(50))


def test_no_more_than_so_many_are_begun_ahead():
    begun, release = [], threading.Event()

    def begin(number):
        begun.append(number)
        return NumberedWork(number)

    def finish(work):
        release.wait(0.05)
        # The one being finished, those that wait, and the one that waits for a place.
        assert len(begun) <= work.number + 1 + 2 + 1
        return work.number

    assert len(list(pipelined(iter(range(20)), begin, finish, 2))) == 20


def test_an_error_comes_after_the_answers_before_it():
    def begin(number):
        if number == 2:
            raise KeyError
        return NumberedWork(number)

    answers = pipelined(iter(range(5)), begin, lambda w: w.number, 4)
    assert [next(answers), next(answers)] == [0, 1]
    with pytest.raises(KeyError):
        next(answers)


def test_who_stops_listening_calls_off_what_waits():
    begun = []
    full = threading.Event()

    def begin(number):
        begun.append(NumberedWork(number))
        if number == 3:
            full.set()
        return begun[-1]

    answers = pipelined(iter(range(100)), begin, lambda w: w.number, 2)
    assert next(answers) == 0
    assert full.wait(PATIENCE)
    answers.close()
    assert begun[1].called_off.wait(PATIENCE)
    assert begun[2].called_off.wait(PATIENCE)
    assert len(begun) < 7


def test_a_request_to_a_worker_is_read_as_it_was_written():
    request = worker.EvaluationRequest.of(SEED, b"p" * 32, FLOW, 2**40, "nik", b"e" * 64)
    assert worker.EvaluationRequest.unpack(request.pack()) == request
    assert "eee" not in repr(request)
    assert "sss" not in repr(request)


def test_a_worker_answers_for_the_right_key_alone():
    flow = {"agreement_digest": FLOW.digest, "flow_id": FLOW.flow, "epoch": 3}
    key = oprf.epoch_key(SEED, **flow, key_id="nik")
    blinding = blind([b"one", b"two"])

    def ask(epoch=3, elements=blinding.elements, seed=SEED, key_id="nik"):
        request = worker.EvaluationRequest.of(seed, key.public_key, FLOW, epoch, key_id, elements)
        return worker.answer(request.pack())

    done = ask()
    assert done[:1] == worker.DONE
    outputs = blinding.finalise(done[1:-64], done[-64:], key.public_key)
    assert (outputs == key.evaluate([b"one", b"two"])).all()
    assert ask(epoch=4) == worker.CHANGED
    assert ask(seed=b"t" * 32) == worker.CHANGED
    assert ask(key_id="nip") == worker.CHANGED
    assert ask(elements=bytes(32)) == worker.REFUSED
    assert ask(elements=b"x") == worker.REFUSED
    assert worker.answer(b"")[:1] == worker.FAULT


def test_parties_take_turns_at_the_workers_whoever_has_more_waiting(evaluators):
    request = worker.EvaluationRequest.of(SEED, b"p" * 32, FLOW, 1, "nik", b"e" * 64)
    order, done = [], threading.Semaphore(0)

    def ask(party):
        def ended(_):
            order.append(party)
            done.release()

        evaluators.submit(request, party).add_done_callback(ended)

    held = evaluators._idle.get()  # its only worker
    for party in ["busy"] * 20 + ["calm"] * 2:
        ask(party)
    evaluators._idle.put(held)
    for _ in range(22):
        assert done.acquire(timeout=PATIENCE)
    assert order[:6].count("calm") == 2


def test_a_seed_is_its_owners_alone(tmp_path):
    seeds = Seeds(tmp_path)
    path = tmp_path / "a" / "f" / "3.seed"
    with pytest.raises(DamagedFileError, match="missing"):
        seeds.read(FLOW, 3)
    path.parent.mkdir(parents=True)
    path.write_bytes(SEED)
    path.chmod(0o644)
    with pytest.raises(DamagedFileError, match="others"):
        seeds.read(FLOW, 3)
    path.chmod(0o600)
    assert seeds.read(FLOW, 3) == SEED
    path.write_bytes(SEED + b"\n")
    with pytest.raises(DamagedFileError, match="not 32 bytes"):
        seeds.read(FLOW, 3)


def test_a_seed_that_is_gone_is_lost_unless_its_publisher_destroyed_it(tmp_path):
    seeds, path = Seeds(tmp_path / "seeds"), tmp_path / "seeds" / "a" / "f" / "3.json"
    path.parent.mkdir(parents=True)
    for record in (None, b'{"epoch":3,"destroyed":null}', b"[]", b"{", b'{"epoch":3}'):
        if record is not None:
            path.write_bytes(record)
        with pytest.raises(MissingFileError, match=r"seeds/a/f/3\.seed: missing"):
            seeds.read(FLOW, 3)
    path.write_bytes(b'{"epoch":3,"destroyed":"2026-11-20T03:00:00Z"}')
    with pytest.raises(EpochDestroyedError):
        seeds.read(FLOW, 3)


def test_what_is_no_seed_is_told_before_who_may_read_it(tmp_path):
    path = tmp_path / "a" / "f" / "3.seed"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"nik;nama\n")
    path.chmod(0o644)
    with pytest.raises(DamagedFileError, match="not 32 bytes"):
        Seeds(tmp_path).read(FLOW, 3)
