"""A bit of SQLite's log flips after a kill: what was acknowledged is not lifted in silence."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from at_rest import as_killed
from damaged import fsck
from direct_party import asked
from engines import FakeEngine
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
    requester.watch(requester.run_of(started).name)


def commit(unit):
    provider, _ = unit.pair()
    provider.publish(40)


class SlowDirectories(FakeEngine):
    """Every directory takes its time, as those of large tables do."""

    def directory(self, p, provider, seed):
        time.sleep(0.05)
        return super().directory(p, provider, seed)


def test_a_copy_waits_for_the_directories_that_a_commit_has_begun(make_unit, tmp_path):
    unit = make_unit(engine=SlowDirectories())
    commit(unit)
    as_killed(unit, tmp_path / "killed")
    assert list(unit.house.data_dir.glob("**/order.npy"))
    assert not list(unit.house.data_dir.glob("**/*.writing"))


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
