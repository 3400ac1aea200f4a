"""Columns on disk: what is written is found again, cut back to what was acknowledged."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from padan_linkage.answering.answers import PassAnswers
from padan_linkage.matching import MetPairs
from padan_linkage.schema import Layout, Pass, Schema
from padan_linkage.tables import PassTable
from padan_server.base.damage import DamagedFileError
from padan_server.store.files.columns import ColumnFiles
from padan_server.store.files.disk import Disk
from padan_server.store.files.sums import file_sums
from padan_server.store.files.writing import layout_columns
from padan_server.store.port import StoreFullError

SCHEMA = Schema.model_validate(
    {
        "fields": [{"name": "nik", "kind": "nik"}, {"name": "nama", "kind": "person_name"}],
        "passes": [{"id": "nik", "exact": ["nik"], "similar": [{"fields": ["nama"], "bits": 64}]}],
    }
)
PASS: Pass = SCHEMA.passes[0]
LAYOUT = Layout.of(SCHEMA, PASS, provider=True)
DELTA = Layout.of(SCHEMA, PASS, provider=True, delta=True)
ID = "a" * 32


class FullDisk(Disk):
    """A disk with room for so many bytes."""

    def __init__(self, room):
        self.room = room

    def write(self, descriptor, data):
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "no space")
        written = super().write(descriptor, memoryview(data)[: self.room])
        self.room -= written
        return written


@pytest.fixture
def table():
    """Ten random rows."""
    rng = np.random.default_rng(1)
    columns = {n: rng.integers(0, 256, (10, w), dtype=np.uint8) for n, w in DELTA.columns()}
    return PassTable("nik", DELTA, columns)


def rows(table, layout, start, stop):
    return {n: table.columns[n][start:stop].tobytes() for n, _ in layout.columns()}


def vouched(writer):
    """Keep the sums of what a writer has written, as an upload does at its end."""
    writer.sync()
    writer.keep_sums({p.name: file_sums(p) for p in writer._folder.glob("*.npy")})


def test_a_table_comes_back_as_a_read_only_map(tmp_path, table):
    files = ColumnFiles(tmp_path)
    with files.upload_writer(ID, "nik", LAYOUT, 10, 0) as writer:
        writer.append(rows(table, LAYOUT, 0, 4))
        writer.append(rows(table, LAYOUT, 4, 10))
        vouched(writer)
    found = files.table(ID, "nik", LAYOUT)
    for name, _ in LAYOUT.columns():
        np.testing.assert_array_equal(found.columns[name], table.columns[name])
        assert isinstance(found.columns[name].base, np.memmap)
        assert not found.columns[name].flags.writeable


@pytest.mark.parametrize("acknowledged", [0, 1, 4, 6])
def test_what_was_not_acknowledged_is_cut_off(tmp_path, table, acknowledged):
    files = ColumnFiles(tmp_path)
    with files.upload_writer(ID, "nik", LAYOUT, 10, 0) as writer:
        writer.append(rows(table, LAYOUT, 0, 6))
        # A crash in the middle of a row: one column is ahead of the others.
        writer._write(writer._files["keys"], b"\xff\xff\xff")
    with files.upload_writer(ID, "nik", LAYOUT, 10, acknowledged) as writer:
        writer.append(rows(table, LAYOUT, acknowledged, 10))
        vouched(writer)
    found = files.table(ID, "nik", LAYOUT)
    for name, _ in LAYOUT.columns():
        np.testing.assert_array_equal(found.columns[name], table.columns[name])


def test_a_file_shorter_than_its_record_is_never_taken_for_whole(tmp_path, table):
    files = ColumnFiles(tmp_path)
    with files.upload_writer(ID, "nik", LAYOUT, 10, 0) as writer:
        writer.append(rows(table, LAYOUT, 0, 3))
    with pytest.raises(DamagedFileError, match=r"keys\.npy: 134 bytes long, written were 136"):
        files.upload_writer(ID, "nik", LAYOUT, 10, 4)


@pytest.mark.parametrize("room", [0, 10, 500, 900])
def test_a_full_disk_is_told_as_such(tmp_path, table, room):
    disk = FullDisk(room)
    files = ColumnFiles(tmp_path, disk)
    with pytest.raises(StoreFullError), files.upload_writer(ID, "nik", LAYOUT, 10, 0) as writer:
        writer.append(rows(table, LAYOUT, 0, 10))
    disk.room = 10**6
    with files.upload_writer(ID, "nik", LAYOUT, 10, 0) as writer:
        writer.append(rows(table, LAYOUT, 0, 10))
        vouched(writer)
    assert (
        files.table(ID, "nik", LAYOUT).digest()
        == PassTable("nik", LAYOUT, {n: table.columns[n] for n, _ in LAYOUT.columns()}).digest()
    )


def test_a_delta_is_kept_apart_from_its_merge(tmp_path, table):
    files = ColumnFiles(tmp_path)
    with files.upload_writer(ID, "nik", DELTA, 10, 0) as writer:
        writer.append(rows(table, DELTA, 0, 10))
        vouched(writer)
    files.start_merge(ID)
    with files.merge_writer(ID, "nik", layout_columns(LAYOUT), 10) as writer:
        writer.append(rows(table, LAYOUT, 0, 10))
        vouched(writer)
    files.finish_merge(ID)
    assert len(files.table(ID, "nik", LAYOUT)) == 10
    assert files.upload(ID, "nik", DELTA).digest() == table.digest()
    files.start_merge(ID)  # a second try clears what the first one made
    with pytest.raises(DamagedFileError, match="missing"):
        files.table(ID, "nik", LAYOUT)
    files.drop_delta(ID)
    with pytest.raises(DamagedFileError, match="missing"):
        files.upload(ID, "nik", DELTA)


#: One question that met two rows.
MET = MetPairs.sorted(np.array([9, 4], np.uint64), np.array([1, 1], np.uint64))


def answers(outcome, matched, fields=0):
    return PassAnswers(
        "nik",
        np.array(outcome, np.uint8),
        np.full((matched, 44), 7, np.uint8),
        np.ones((matched, fields), np.uint8),
    )


@pytest.mark.parametrize(
    "kept", [answers([1, 1], 0), answers([1, 2, 2], 2), answers([2, 3], 1, fields=1)]
)
def test_answers_come_back_even_where_nothing_matched(tmp_path, kept):
    files = ColumnFiles(tmp_path)
    files.write_result(ID, answers([2], 1), MET)
    files.write_result(ID, kept, MetPairs())  # repeating replaces
    found = files.result(ID, "nik")
    assert found.pass_id == "nik"
    assert len(files.met(ID, "nik")) == 0
    for name in ("outcome", "sealed", "confirmations"):
        assert getattr(found, name).dtype == getattr(kept, name).dtype
        np.testing.assert_array_equal(getattr(found, name), getattr(kept, name))


def test_erased_is_gone(tmp_path, table):
    files = ColumnFiles(tmp_path)
    with files.upload_writer(ID, "nik", LAYOUT, 10, 0) as writer:
        writer.append(rows(table, LAYOUT, 0, 10))
    files.write_result(ID, answers([1], 0), MET)
    assert files.dataset_ids() == {ID}
    assert files.run_ids() == {ID}
    files.erase_dataset(ID)
    files.erase_dataset(ID)
    files.erase_run(ID)
    assert not any(p.is_file() for p in tmp_path.rglob("*"))
