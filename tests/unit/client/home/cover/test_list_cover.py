"""The file that the cover people of an epoch's lists are kept in."""

import os

import pyarrow as pa
import pytest
from agency import make_session, small_passes
from signing import write_signed

from padan_client.home.cover.list_cover import ListCover
from padan_client.home.jobs import JobStore
from padan_client.home.sealed_file import SealedFileError
from padan_linkage.cover import recur
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.schema import Schema

SCHEMA = Schema.model_validate(
    {
        "fields": [{"name": "nik", "kind": "nik"}, {"name": "nama", "kind": "person_name"}],
        "passes": [{"id": "nik", "exact": ["nik"]}],
    }
)
PEOPLE = {
    "nik": pa.array([f"31710105058{i:05d}" for i in range(60)]),
    "nama": pa.array([f"warga{i} kampung{i}" for i in range(60)]),
}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    signed = write_signed(tmp_path_factory.mktemp("signed"), edit=small_passes)
    return make_session(signed, "asn-status", provider=False)


@pytest.fixture
def asked(session, tmp_path):
    """A function: the cover people that a job's list gets, from another process each time."""
    calls = []

    def ask(job, people=PEOPLE, epoch=1):
        def make(kept):
            calls.append(kept)
            seed = job.seed_bytes()
            return recur(SCHEMA, kept, people, 100, b"k" * 16, Drbg(seed))

        store = ListCover(tmp_path / "lists", session.identity, os.urandom)
        cover = store.of_list(session.place, epoch, job, make)
        return sorted(zip(*(c.to_pylist() for c in cover.values()), strict=True))

    ask.calls = calls
    ask.store = ListCover(tmp_path / "lists", session.identity, os.urandom)
    ask.files = lambda: [p for p in (tmp_path / "lists").rglob("*") if p.is_file()]
    return ask


@pytest.fixture
def job(session, tmp_path):
    jobs = JobStore(tmp_path / "jobs", session.identity, os.urandom)

    def start(number, *, anew=False):
        place = {"agreement": "a", "flow": "f", "epoch": 1}
        job = jobs.open("confirm", bytes([number]) * 32, **place)
        jobs.release(job)
        return jobs.renew(job) if anew else job

    return start


def test_the_next_list_of_the_same_people_has_the_same_cover(asked, job):
    assert asked(job(1)) == asked(job(2))
    assert [kept is None for kept in asked.calls] == [True, False]
    assert asked(job(3), epoch=2) != asked(job(1))  # another epoch begins anew


def test_a_job_that_goes_on_after_a_crash_has_its_cover_and_is_seen_once(asked, job):
    """Also where another list was asked in between, on which these people are not."""
    others = {name: pa.array([f"9{v[1:]}" for v in c.to_pylist()]) for name, c in PEOPLE.items()}
    first = asked(job(1))
    between = asked(job(2), others)
    assert asked(job(1)) == first
    assert asked(job(2), others) == between
    assert len(asked.calls) == 2
    assert not set(first) & set(between)


def test_a_job_begun_anew_is_another_list(asked, job):
    first = asked(job(1))
    assert asked(job(1, anew=True)) == first
    assert len(asked.calls) == 2


def test_when_the_job_is_done_its_list_is_forgotten_and_the_epoch_remembered(asked, job, session):
    first = asked(job(1))
    (before,) = [p.stat().st_size for p in asked.files() if p.suffix == ".sealed"]
    asked.store.done(session.place, 1, job(1))
    (after,) = [p.stat().st_size for p in asked.files() if p.suffix == ".sealed"]
    assert after < before
    assert asked(job(2)) == first


def test_nothing_of_it_can_be_read_and_all_goes_with_the_epoch(asked, job, session):
    cover = asked(job(1))
    whole = b"".join(path.read_bytes() for path in asked.files())
    for value in [PEOPLE["nik"][0].as_py(), PEOPLE["nama"][7].as_py(), *cover[0]]:
        assert value.encode() not in whole
    asked.store.forget_epoch(session.place, 1)
    assert asked.files() == []


def test_an_altered_file_stops_and_a_lost_one_begins_anew(asked, job):
    first = asked(job(1))
    (path,) = [p for p in asked.files() if p.suffix == ".sealed"]
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    with pytest.raises(SealedFileError):
        asked(job(2))
    path.unlink()
    assert not set(asked(job(2))) & set(first)
