"""What is no file in the place of a home's file: told as that by whatever comes to read it.

Whatever a home keeps after a list, a table and a question is found by itself. Nothing hangs, and
nothing ends as a defect of ours.
"""

from __future__ import annotations

import shutil
from functools import partial

import pytest
from agency import people, registry_table
from no_files import a_circle, a_device, a_full_folder, a_link_to_nowhere, a_pipe, in_time

from padan_client import Home, ProviderClient, RequesterClient
from padan_client.base.errors import PadanError

PEOPLE = people(24, seed=61)


def publish(folder, names):
    with ProviderClient(Home.open(folder, jitter=lambda: 0.0), *names, threads=1) as client:
        return client.publish(registry_table(PEOPLE), id_column="id", status_column="status")


def confirm(folder, names):
    with RequesterClient(Home.open(folder, jitter=lambda: 0.0), *names) as client:
        client.confirm_one(PEOPLE[0])
        return client.confirm(PEOPLE[:12])


def files_of(folder):
    return sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())


WAYS = (
    a_pipe,
    a_link_to_nowhere,
    *(pytest.param(way, marks=pytest.mark.slow) for way in (a_full_folder, a_device, a_circle)),
)


def publish_table(folder, names):
    with ProviderClient(Home.open(folder, jitter=lambda: 0.0), *names, threads=1) as client:
        return client.publish_table(registry_table(PEOPLE), id_column="id", status_column="status")


def confirm_directly(folder, names):
    with RequesterClient(Home.open(folder, jitter=lambda: 0.0), *names) as client:
        return client.confirm(PEOPLE[:6], mode="direct")


def wrongly_told(uses, names, folder, way):
    """What each use says of each file of its home in whose place something else lies, if wrong."""
    wrong = {}
    for use, home in uses:
        files = files_of(home.folder)
        assert len(files) > 6
        for name in files:
            copy = folder / use.__name__ / str(name).replace("/", "-")
            shutil.copytree(home.folder, copy)
            (copy / name).unlink()
            way(copy / name)
            there = (copy / name).lstat().st_ino
            told = in_time(partial(use, copy, names))
            named = any(part in str(told) for part in (name.name, str(name.parent)))
            if isinstance(told, Exception) and not (isinstance(told, PadanError) and named):
                wrong[use.__name__, str(name)] = told
            elif (copy / name).lstat().st_ino != there:
                wrong[use.__name__, str(name)] = "made anew, and forgot what it said"
            shutil.rmtree(copy)
    return wrong


@pytest.mark.parametrize("way", WAYS)
def test_each_is_told_by_its_name(small_pair, tmp_path, way):
    pair = small_pair
    uses = (publish, pair.provider), (confirm, pair.requester)
    for use, home in uses:
        use(home.folder, pair.names)
    assert wrongly_told(uses, pair.names, tmp_path, way) == {}


@pytest.mark.parametrize("way", WAYS)
def test_each_of_direct_mode_is_told_by_its_name(make_direct, tmp_path, way):
    pair = make_direct()
    pair.publish(registry_table(PEOPLE))
    uses = (publish_table, pair.provider), (confirm_directly, pair.requester)
    for use, home in uses:
        use(home.folder, pair.names)
    assert wrongly_told(uses, pair.names, tmp_path, way) == {}
