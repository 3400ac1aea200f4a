"""A bit of SQLite's log flips after a kill: what was acknowledged is not lifted in silence."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from damaged import fsck
from direct_party import asked
from patience import PATIENCE

from padan.v1 import agreement_service_pb2 as pb
from padan_server.base.accepting import Acceptable, Acceptances
from padan_server.store.doubts import StoreDoubtError
from padan_server.store.sql.wal import read_log

NAME = "agreements/kemnaker-bkn-2024"


def suspend(running):
    request = pb.SuspendAgreementRequest(name=NAME, article="Pasal 10 ayat (2)")
    running.client("bkn").agreements.SuspendAgreement(request)


def agreed(running):
    return running.client("kemnaker").agreements.GetAgreement(pb.GetAgreementRequest(name=NAME))


def as_killed(running, folder):
    """Leave the data directory as a SIGKILL now would have."""
    data = running.house.data_dir
    shutil.copytree(data, folder)
    running.house.close()
    running.stop()
    shutil.rmtree(data)
    shutil.copytree(folder, data)


def flip_the_end(house, store="unit.sqlite"):
    """Within the last commit: what the file has behind it is older."""
    path = house.data_dir / f"{store}-wal"
    content = bytearray(path.read_bytes())
    content[32 + read_log(path).frames * (24 + 4096) - 100] ^= 1
    path.write_bytes(content)
    return path.name


def charge(unit):
    provider, requester = unit.pair()
    provider.publish(40)
    started = requester.start_run(requester.publish(30))
    # Its end: a copy beside its commits would be of several moments, as no kill leaves it.
    requester.watch(requester.run_of(started).name)


def commit(unit):
    provider, _ = unit.pair()
    provider.publish(40)


@pytest.mark.parametrize("what", [suspend, charge, commit])
def test_a_unit_does_not_go_on_from_a_log_that_ends_too_early(make_unit, tmp_path, what):
    unit = make_unit()
    what(unit)
    as_killed(unit, tmp_path / "killed")
    name = flip_the_end(unit.house)
    assert fsck(unit.house)[1][name]["kind"] == "damaged"
    before = (unit.house.data_dir / name).read_bytes()
    for _ in range(2):
        with pytest.raises(StoreDoubtError, match=f"{name} is damaged or incomplete.*accept store"):
            make_unit(house=unit.house)
    assert (unit.house.data_dir / name).read_bytes() == before

    Acceptances(unit.house.data_dir).leave(Acceptable.STORE)
    again = make_unit(house=unit.house)
    assert set(agreed(again).suspended_by) == {"bkn", "kemnaker"}
    again.house.close()
    again.stop()
    assert fsck(unit.house)[0] == 0


def test_a_unit_that_was_killed_goes_on(make_unit, tmp_path):
    unit = make_unit()
    charge(unit)
    suspend(unit)
    as_killed(unit, tmp_path / "killed")
    assert fsck(unit.house) == (0, {})
    assert agreed(make_unit(house=unit.house)).suspended_by == ["bkn"]


def test_a_provider_does_not_forget_what_a_key_was_asked(make_provider, tmp_path):
    provider = make_provider()
    asked(3).commit(provider.client())
    as_killed(provider, tmp_path / "killed")
    name = flip_the_end(provider.house, "provider.sqlite")
    assert fsck(provider.house)[1][name]["kind"] == "damaged"
    with pytest.raises(StoreDoubtError, match=f"{name} is damaged or incomplete"):
        make_provider(provider.publisher)


def test_the_command_refuses_by_name(make_unit_process):
    process = make_unit_process()
    process.start()
    suspend(process)
    process.kill()
    name = flip_the_end(process.house)
    command = [sys.executable, "-m", "padan_server", "unit", "--config", str(process.config)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert refused.returncode == 3
    assert f"{name} rusak atau tidak lengkap" in refused.stderr
