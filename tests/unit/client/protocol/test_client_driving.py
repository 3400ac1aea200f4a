"""A job's life: what is delivered is safe before anything is let go of, whatever the job does."""

from __future__ import annotations

import os
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from agency import make_session, small_passes
from signing import write_signed

from padan_client.base.effects import run_here
from padan_client.base.errors import BadInputError, RefusedError, UnavailableError
from padan_client.base.version import VERSION
from padan_client.home.jobs import JobStore, input_digest
from padan_client.protocol.direct.publishing import job_records
from padan_client.protocol.jobs import JobInput, Stepper, drive
from padan_client.records.registry import Registry
from padan_linkage.normalise import NORMALISER_VERSION

RECORDS = pa.table({"nik": ["3174010101800001"]})


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    signed = write_signed(tmp_path_factory.mktemp("signed"), edit=small_passes)
    return make_session(signed, "asn-status", provider=False)


@pytest.fixture
def home(session, tmp_path):
    jobs = JobStore(tmp_path / "jobs", session.identity, os.urandom)
    return SimpleNamespace(identity=session.identity, jobs=jobs)


@pytest.fixture
def given(session):
    return JobInput("confirm", session.place, 1, b"s" * 32, RECORDS)


class Script(Stepper[str]):
    """Notes what is done to it; fails where it is told to."""

    HOPELESS = frozenset({"RUN_NOT_FOUND"})

    def __init__(self, home, *, gone=False, fails=None, error=None):
        self.jobs, self.gone, self.fails, self.error = home.jobs, gone, fails, error
        self.done, self.seeds = [], []

    def note(self, step, job=None):
        self.done.append((step, len(self.jobs.pending())))
        if job:
            self.seeds.append(job.seed)
        if step == self.fails:
            raise self.error
        yield from ()

    def is_gone(self, job):
        yield from self.note("is_gone", job)
        return self.gone

    def carry_out(self, job):
        yield from self.note("carry_out", job)
        self.jobs.remember(job, dataset="7")
        return "made"

    def deliver(self, result):
        yield from self.note("deliver")
        return f"{result}, delivered"

    def clean_up(self, job):
        assert job.names == ({} if self.fails == "carry_out" else {"dataset": "7"})
        yield from self.note("clean_up")


def test_a_result_is_delivered_before_its_job_is_closed_and_what_it_left_erased(home, given):
    script = Script(home)
    assert run_here(drive(home, given, script)) == "made, delivered"
    assert script.done == [("is_gone", 1), ("carry_out", 1), ("deliver", 1), ("clean_up", 0)]


@pytest.mark.parametrize("step", ["is_gone", "carry_out", "deliver"])
def test_whatever_fails_leaves_a_job_that_goes_on(home, given, step):
    failing = Script(home, fails=step, error=UnavailableError("away"))
    with pytest.raises(UnavailableError):
        run_here(drive(home, given, failing))
    again = Script(home)
    assert run_here(drive(home, given, again)) == "made, delivered"
    assert set(again.seeds) == set(failing.seeds)


def test_what_cannot_be_cleaned_up_does_not_bring_the_job_back(home, given):
    with pytest.raises(UnavailableError):
        run_here(drive(home, given, Script(home, fails="clean_up", error=UnavailableError("no"))))
    assert home.jobs.pending() == []


@pytest.mark.parametrize(("reason", "left"), [("RUN_NOT_FOUND", 0), ("AGREEMENT_SUSPENDED", 1)])
def test_a_refusal_without_hope_closes_the_job(home, given, reason, left):
    failing = Script(home, fails="carry_out", error=RefusedError("no", reason))
    with pytest.raises(RefusedError):
        run_here(drive(home, given, failing))
    assert len(home.jobs.pending()) == left
    assert ("clean_up" in dict(failing.done)) is (not left)


def test_a_refusal_while_delivering_keeps_what_was_made(home, given):
    failing = Script(home, fails="deliver", error=RefusedError("no", "RUN_NOT_FOUND"))
    with pytest.raises(RefusedError):
        run_here(drive(home, given, failing))
    assert len(home.jobs.pending()) == 1


def test_a_job_whose_data_are_gone_starts_anew(home, given):
    script = Script(home, gone=True)
    run_here(drive(home, given, script))
    begun, carried = script.seeds
    assert begun != carried
    assert home.jobs.pending() == []


def test_a_job_is_not_driven_twice_at_once(home, given):
    steps = drive(home, given, Script(home))
    effect = next(steps)  # the digest
    steps.send(effect.function())  # at work
    with pytest.raises(BadInputError, match="proses lain"):
        run_here(drive(home, given, Script(home)))
    steps.close()
    assert run_here(drive(home, given, Script(home))) == "made, delivered"


def test_a_pending_job_of_an_earlier_version_of_the_driver_is_found(session):
    place, schema = session.place, b"s" * 32
    versions = (schema, NORMALISER_VERSION, VERSION)
    flow = (place.digest, place.flow.id)
    key = bytes(32)
    former = {
        ("publish", 3, ("base", "a", "b")): (*flow, 3, *versions, "base", "a", "b"),
        ("confirm", 3, ()): (*flow, 3, *versions),
        ("publish-direct", 2, ("", 31, "a")): (*flow, 2, *versions, "", 31, "a"),
        ("confirm-direct", 0, (1,)): (*flow, *versions, 1),
    }
    for (kind, epoch, more), context in former.items():
        given = JobInput(kind, place, epoch, schema, RECORDS, more)
        assert given.digest(key) == input_digest(key, context, RECORDS), kind


def test_a_pending_label_table_of_an_earlier_version_is_found():
    """By the digest that the registry's table had there, after a round trip through Arrow."""
    registry = Registry(
        ids=pa.array(["a", "b"]),
        records={"nik": pa.array(["1", "2"])},
        payloads=np.arange(32, dtype=np.uint8).reshape(2, 16),
        quarantine=pa.table({}),
    )
    digest = input_digest(b"k" * 32, ("x", 1), job_records(registry))
    assert digest.hex() == "4b5dc1624bc2964dc10d09c235b51c9a43877efa3c3e7598e290a6f3e2fbc8e4"
