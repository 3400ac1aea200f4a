"""Pieces of a run and directories of tables: whole and undamaged, or not there."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from padan_linkage.matching import Directory
from padan_server.store.files.derived import DirectoryFiles, PassJournal
from padan_server.store.files.disk import Disk


@pytest.fixture
def directory():
    """Three slots of a table of 2,000 rows."""
    order = np.random.default_rng(5).permutation(2000)
    return Directory(order, np.array([0, 700, 1500, 2000]), seed=2**63 + 1, shared=3)


@pytest.fixture
def kept(tmp_path, directory):
    """A directory that is kept, and where."""
    files = DirectoryFiles(Disk(), tmp_path / "directory")
    files.save(directory)
    return files, tmp_path / "directory"


def test_a_directory_comes_back_mapped_and_read_only(kept, directory):
    found = kept[0].load()
    assert np.array_equal(found.order, directory.order)
    assert np.array_equal(found.start, directory.start)
    assert len(found.mask) == 0
    assert (found.seed, found.shared) == (directory.seed, directory.shared)
    assert isinstance(found.order.base, np.memmap)
    assert not found.order.flags.writeable


@pytest.mark.parametrize("other", ["d/lahir", "e/nik"])
def test_a_directory_of_another_table_is_none(tmp_path, directory, other):
    mine, moved = tmp_path / "d/nik/directory", tmp_path / other / "directory"
    for folder in (mine.parent, moved.parent):
        folder.mkdir(parents=True)
    DirectoryFiles(Disk(), mine).save(directory)
    shutil.copytree(mine, moved)
    assert DirectoryFiles(Disk(), mine).load() is not None
    assert DirectoryFiles(Disk(), moved).load() is None


def test_a_directory_stays_its_tables_when_a_merge_is_whole(tmp_path, directory):
    merging = tmp_path / "d.merging/nik"
    merging.mkdir(parents=True)
    DirectoryFiles(Disk(), merging / "directory").save(directory)
    merging.parent.rename(tmp_path / "d")
    assert DirectoryFiles(Disk(), tmp_path / "d/nik/directory").load() is not None


def test_a_range_under_another_name_is_none(tmp_path):
    journal = PassJournal(Disk(), tmp_path / "work")
    journal.save("one", b"content")
    (tmp_path / "work/one").rename(tmp_path / "work/other")
    assert journal.load("other") is None


@pytest.mark.parametrize("name", ["order", "start"])
@pytest.mark.parametrize("place", [-1, -4000 // 8])
def test_one_flipped_bit_is_noticed(kept, name, place):
    files, folder = kept
    content = bytearray((folder / f"{name}.npy").read_bytes())
    content[max(place, -8)] ^= 4
    (folder / f"{name}.npy").write_bytes(content)
    assert files.load() is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "order.npy").unlink(),
        lambda folder: (folder / "start.npy").write_bytes(b"\x93NUMPY"),
        lambda folder: (folder / "order.npy").write_bytes(b""),
        lambda folder: (folder / "directory.json").unlink(),
        lambda folder: (folder / "directory.json").write_text("{"),
        lambda folder: (folder / "directory.json").write_text("[]"),
    ],
)
def test_what_is_not_whole_is_not_there(kept, damage):
    files, folder = kept
    damage(folder)
    assert files.load() is None


def test_another_format_is_not_read(kept):
    files, folder = kept
    notes = json.loads((folder / "directory.json").read_text())
    (folder / "directory.json").write_text(json.dumps({**notes, "format": 0}))
    assert files.load() is None


def test_a_directory_is_replaced_and_never_brings_an_erased_table_back(kept, tmp_path, directory):
    files, folder = kept
    files.save(Directory(directory.order[:4], np.array([0, 4])))
    assert len(files.load().order) == 4
    (folder.parent / "directory").rename(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError):
        DirectoryFiles(Disk(), tmp_path / "erased" / "directory").save(directory)
    assert not (tmp_path / "erased").exists()


def test_pieces_come_back_or_are_absent(tmp_path):
    journal = PassJournal(Disk(), tmp_path / "work")
    assert journal.load("1-2") is None
    journal.save("1-2", b"done")
    assert PassJournal(Disk(), tmp_path / "work").load("1-2") == b"done"
    path = tmp_path / "work" / "1-2"
    path.write_bytes(path.read_bytes()[:-1])
    assert journal.load("1-2") is None
    journal.save("1-2", b"")
    assert journal.load("1-2") == b""
