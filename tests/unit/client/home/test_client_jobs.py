"""Pending jobs: found again by the same input, shared with nobody, gone when done."""

from __future__ import annotations

import json
import os
import pickle

import pyarrow as pa
import pytest

from padan_client.base.errors import BadInputError
from padan_client.home.identity import Identity
from padan_client.home.jobs import JobStore, input_digest

PLACE = {"agreement": "a", "flow": "f", "epoch": 1}
TABLE = pa.table({"nik": ["3174010101800001", ""], "nama": ["SITI RAHAYU", "BUDI"]})
KEY = bytes(32)
OWNER = Identity("bkn", bytes(32), bytes(range(32)))


@pytest.fixture
def store(tmp_path):
    return JobStore(tmp_path / "jobs", OWNER, os.urandom)


def again(store, tmp_path):
    """What the next process sees."""
    return JobStore(tmp_path / "jobs", OWNER, os.urandom)


def test_the_same_input_finds_the_same_job(store, tmp_path):
    job = store.open("confirm", b"d" * 32, **PLACE)
    store.remember(job, dataset="agreements/a/flows/f/datasets/1")
    store.keep(job, {"key": b"\x00\xff"})
    store.release(job)
    found = again(store, tmp_path).open("confirm", b"d" * 32, **PLACE)
    assert found == job
    assert found.secret("key") == b"\x00\xff"
    assert found.secret("other") is None
    assert len(found.seed_bytes()) == 32


def test_a_job_that_cannot_be_opened_is_nobodys(store, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "full")

    with monkeypatch.context() as patch:
        patch.setattr("padan_client.home.sealed_file.write_private", full)
        with pytest.raises(OSError, match="full"):
            store.open("confirm", b"d" * 32, **PLACE)
    assert again(store, tmp_path).open("confirm", b"d" * 32, **PLACE).kind == "confirm"


def test_another_input_or_kind_is_another_job(store):
    job = store.open("confirm", b"d" * 32, **PLACE)
    others = [store.open("publish", b"d" * 32, **PLACE), store.open("confirm", b"e" * 32, **PLACE)]
    for other in others:
        assert other.seed != job.seed
        assert not set(other.request_ids.values()) & set(job.request_ids.values())


def test_a_job_is_open_in_one_process_only(store, tmp_path):
    job = store.open("confirm", b"d" * 32, **PLACE)
    with pytest.raises(BadInputError, match="proses lain"):
        again(store, tmp_path).open("confirm", b"d" * 32, **PLACE)
    store.release(job)
    again(store, tmp_path).open("confirm", b"d" * 32, **PLACE)


def test_a_job_of_another_version_is_no_damage_and_stays(store, tmp_path):
    job = store.open("confirm", b"d" * 32, **PLACE)
    path = tmp_path / "jobs" / f"{job.id}.job"
    later = json.dumps(json.loads(job.model_dump_json()) | {"new": "of a later version"})
    store._files.write(path, b"padan/v1 job\x00" + job.id.encode(), later.encode())
    store.release(job)
    kept = path.read_bytes()
    with pytest.raises(BadInputError, match="Padan versi lain"):
        again(store, tmp_path).open("confirm", b"d" * 32, **PLACE)
    assert path.read_bytes() == kept


def test_a_closed_job_leaves_nothing(store, tmp_path):
    job = store.open("confirm", b"d" * 32, **PLACE)
    store.close(job)
    assert list((tmp_path / "jobs").iterdir()) == []
    assert again(store, tmp_path).open("confirm", b"d" * 32, **PLACE).seed != job.seed


def test_a_renewed_job_starts_over(store):
    job = store.open("confirm", b"d" * 32, **PLACE)
    store.remember(job, dataset="x")
    fresh = store.renew(job)
    assert (fresh.id, fresh.names) == (job.id, {})
    assert fresh.request_ids != job.request_ids


def test_job_files_are_private_and_damage_is_named(store, tmp_path):
    job = store.open("confirm", b"d" * 32, **PLACE)
    path = tmp_path / "jobs" / f"{job.id}.job"
    assert path.stat().st_mode & 0o777 == 0o600
    assert repr(job) == f"Job({job.id!r})"
    whole = path.read_bytes()
    store.release(job)
    other = store.open("confirm", b"e" * 32, **PLACE)
    moved = (tmp_path / "jobs" / f"{other.id}.job").read_bytes()
    for content in (b"", b"{", whole[:-1], whole + b"x", moved):
        path.write_bytes(content)
        with pytest.raises(BadInputError, match="rusak"):
            store.pending()


def test_a_job_shows_nothing_to_whoever_has_the_disk(store, tmp_path):
    job = store.open("confirm", b"d" * 32, **PLACE)
    store.keep(job, {"seal of pass nik": b"\x01" * 32})
    content = (tmp_path / "jobs" / f"{job.id}.job").read_bytes()
    hidden = [job.seed, *job.secrets.values(), *job.request_ids.values(), *job.secrets, "seed"]
    assert not [text for text in hidden if text.encode() in content]
    assert job.seed_bytes() not in content
    stranger = JobStore(tmp_path / "jobs", Identity("bkn", bytes(32), b"x" * 32), os.urandom)
    with pytest.raises(BadInputError, match="identitas lain"):
        stranger.pending()
    with pytest.raises(TypeError, match="not serialised"):
        pickle.dumps(job)


def test_a_destroyed_epoch_takes_its_jobs_along(store):
    job = store.open("confirm", b"d" * 32, **PLACE)
    other = store.open("confirm", b"e" * 32, **{**PLACE, "epoch": 2})
    assert store.forget_epoch("a", "f", 1) == 1
    assert [j.id for j in store.pending()] == [other.id]
    assert job.id != other.id


def test_the_input_digest_follows_every_value_and_stays_with_its_key():
    digest = input_digest(KEY, ("x", 1), TABLE)
    assert digest == input_digest(KEY, ("x", 1), pa.concat_tables([TABLE[:1], TABLE[1:]]))
    others = [
        input_digest(b"k" * 32, ("x", 1), TABLE),
        input_digest(KEY, ("x", 2), TABLE),
        input_digest(KEY, ("x1",), TABLE),
        input_digest(KEY, ("x", 1), TABLE[:1]),
        input_digest(KEY, ("x", 1), TABLE.rename_columns(["nik", "name"])),
        input_digest(
            KEY, ("x", 1), pa.table({"nik": ["3174010101800001", "S"], "nama": ["ITI RAHAYU", ""]})
        ),
    ]
    assert len({digest, *others}) == 7


def test_what_a_death_at_the_end_of_a_job_left_goes_when_the_next_begins(store, tmp_path):
    job, kept = (store.open("confirm", digest * 32, **PLACE) for digest in (b"d", b"e"))
    for each in (job, kept):
        (store.folder_of(each) / "rows").write_bytes(b"x")
        store.release(each)
    (tmp_path / "jobs" / f"{job.id}.job").unlink()
    later = again(store, tmp_path)
    later.release(later.open("publish", b"f" * 32, **PLACE))
    left = {path.name for path in (tmp_path / "jobs").iterdir()}
    assert not {name for name in left if job.id in name}
    assert f"{kept.id}.d" in left, "a job that is pending keeps what it made"
