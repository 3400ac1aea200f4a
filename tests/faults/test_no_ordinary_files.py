"""What is no file in a file's place: named at the start and by fsck, waited for by neither.

Whatever a unit keeps right in its data directory is found by itself; to it comes what a unit would
look for, had it died or been told something.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from functools import partial

import pytest
from damaged import started
from no_files import a_circle, a_device, a_full_folder, a_link_to_nowhere, a_pipe, in_time

from padan_server.base.accepting import LOCK, Acceptable
from padan_server.base.ordinary import (
    NotOrdinaryError,
    lies_ordinary,
    open_ordinary,
    ordinary_file,
    read_ordinary,
)
from padan_server.roles.checking import examine, shown

#: Left by a unit that died, or by whoever told it something.
ALSO = (
    *(f"accept-{thing}" for thing in Acceptable),
    "questions-0.journal",
    "unit.sqlite-wal",
    "unit.sqlite-shm",
    "unit.sqlite-journal",
)


WAYS = (a_pipe, a_device, a_circle, a_link_to_nowhere, a_full_folder)


def kind_of(path):
    held = path.lstat()
    return held.st_mode, held.st_ino


def names_in(house):
    return sorted(path.name for path in house.data_dir.iterdir() if path.is_file())


def test_there_is_something_to_try(left):
    assert {"unit.sqlite", "unit.sqlite-count", "mark.json", "page-token.key", LOCK} <= {
        *names_in(left)
    }


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_each_is_named_and_left_as_it_is(lived, tmp_path, way):
    for name in (*names_in(lived.house), *ALSO):
        house = replace(lived.house, folder=tmp_path / name, channels=[])
        shutil.copytree(lived.house.folder, house.folder)
        path = house.data_dir / name
        path.unlink(missing_ok=True)
        way(path)
        there = kind_of(path)
        looked = in_time(partial(examine, house.data_dir))
        told = str(looked) if name == LOCK else shown(looked, as_json=False)
        assert name in told
        refused = in_time(partial(started, house))
        assert isinstance(refused, OSError | RuntimeError), (name, refused)
        assert name in str(refused)
        assert " / " in str(refused)
        assert kind_of(path) == there, name


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize(
    "use",
    [
        read_ordinary,
        ordinary_file,
        lies_ordinary,
        lambda path: open_ordinary(path, os.O_WRONLY | os.O_CREAT),
        lambda path: open_ordinary(path, os.O_RDWR | os.O_CREAT | os.O_APPEND),
    ],
)
def test_nothing_else_than_a_file_is_opened(tmp_path, way, use):
    way(tmp_path / "odd")
    told = in_time(lambda: use(tmp_path / "odd"))
    assert isinstance(told, NotOrdinaryError)
    assert told.path == tmp_path / "odd"
