"""Where a server doubts its store or its clock, it erases nothing, and says what to do."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import timedelta

import pytest
from server_fixture import NOW, FixedClock

from padan_server.base.accepting import Acceptable, Acceptances
from padan_server.store.doubts import StoreDoubtError
from padan_server.store.port import DamagedStoreError


@pytest.fixture
def left(make_unit):
    """The house of a unit that held one registry and has been stopped."""
    unit = make_unit()
    provider, _ = unit.pair()
    provider.publish(10)
    unit.stop()
    return unit.house


def stored(house):
    """Paths of what the house's unit keeps of datasets."""
    return sorted((house.data_dir / "datasets").rglob("*.npy"))


def store_of(house):
    """The database's files."""
    return sorted(house.data_dir.glob("unit.sqlite*"))


def lose(house):
    """No database at all."""
    for path in store_of(house):
        path.unlink()


def empty(house):
    """A database of no byte."""
    lose(house)
    (house.data_dir / "unit.sqlite").touch()


def swap(house, make_house, make_unit):
    """The database of another unit."""
    other = make_unit(house=make_house())
    other.stop()
    lose(house)
    for path in store_of(other.house):
        shutil.copy(path, house.data_dir)


def rewind(house, make_unit):
    """The database as it was before the unit's last start."""
    kept = {path.name: path.read_bytes() for path in store_of(house)}
    make_unit(house=house).stop()
    lose(house)
    for name, content in kept.items():
        (house.data_dir / name).write_bytes(content)


@pytest.mark.parametrize("kind", ["lost", "empty", "another", "older"])
def test_a_store_that_is_not_its_files_stops_the_server_until_it_is_accepted(
    left, make_unit, make_house, unit_log, kind
):
    {
        "lost": lambda: lose(left),
        "empty": lambda: empty(left),
        "another": lambda: swap(left, make_house, make_unit),
        "older": lambda: rewind(left, make_unit),
    }[kind]()
    before = stored(left)
    for _ in range(2):  # a second start believes it no more than the first
        with pytest.raises(StoreDoubtError, match=r"accept store .*nothing was erased"):
            make_unit(house=left)
    assert stored(left) == before

    Acceptances(left.data_dir).leave(Acceptable.STORE)
    unit = make_unit(house=left)
    named = kind == "older"  # the older store knows the registry, the others do not
    aside = list((left.data_dir / "aside").glob("*.dataset.*"))
    assert (bool(stored(left)), bool(aside)) == (named, not named)
    assert ("set_aside" in unit_log.getvalue()) is not named
    unit.stop()
    make_unit(house=left)  # accepted once, it is believed from then on


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[" * 5000, b'{"name": "a", "starts": 1, "latest": "2026-11-20T03:00:00"}'],
)
def test_a_mark_that_cannot_be_read_is_doubted_and_can_be_accepted(left, make_unit, content):
    (left.data_dir / "mark.json").write_bytes(content)
    before = stored(left)
    with pytest.raises(StoreDoubtError, match=r"mark\.json cannot be read"):
        make_unit(house=left)
    Acceptances(left.data_dir).leave(Acceptable.STORE)
    make_unit(house=left)
    assert stored(left) == before


def test_a_clock_that_was_accepted_as_earlier_makes_no_store_look_older(left, make_unit):
    unit = make_unit(house=left, clock=FixedClock(NOW + timedelta(days=1)))
    unit.unit._keep_time()
    unit.clock.forward(days=-1)
    unit.unit.clock.accept()
    beside = (left.data_dir / "mark.json").read_bytes()
    unit.unit._keep_time()
    unit.stop()
    (left.data_dir / "mark.json").write_bytes(beside)  # as a power cut between the two leaves it
    make_unit(house=left)


def test_a_store_from_before_there_were_marks_is_taken(left, make_unit):
    unit = make_unit(house=left)
    with unit.unit._store.write() as tx:
        tx.marks._connection.exec_driver_sql("DELETE FROM marks")
    unit.stop()
    (left.data_dir / "mark.json").unlink()
    before = stored(left)
    make_unit(house=left)
    assert stored(left) == before


def test_files_without_any_store_are_doubted_from_the_first_start(left, make_unit):
    lose(left)
    (left.data_dir / "mark.json").unlink()
    with pytest.raises(StoreDoubtError, match="its database is lost or empty"):
        make_unit(house=left)


@pytest.mark.parametrize("damage", ["header", "page"])
def test_a_damaged_store_is_told_and_left_as_it_is(left, make_unit, damage):
    path = left.data_dir / "unit.sqlite"
    content = bytearray(path.read_bytes())
    if damage == "header":
        content[:100] = bytes(100)
    else:  # a sector of every page but the first
        for at in range(4096, len(content), 4096):
            content[at : at + 512] = bytes(512)
    path.write_bytes(content)
    before = stored(left)
    with pytest.raises(DamagedStoreError, match=r"restore it from a backup"):
        make_unit(house=left)
    assert stored(left) == before
    assert path.read_bytes() == content


def test_the_command_says_what_to_do_and_does_it(left, make_unit_process):
    lose(left)
    process = make_unit_process(house=left, engine="real")
    command = [sys.executable, "-m", "padan_server"]
    start = [*command, "unit", "--config", str(process.config)]
    refused = subprocess.run(start, capture_output=True, text=True, check=False)
    assert refused.returncode == 3
    assert "Traceback" not in refused.stderr
    remedy = f"padan-server accept store --data-dir {left.data_dir}"
    assert remedy in refused.stderr
    accepted = subprocess.run(
        [*command, *remedy.split()[1:]], capture_output=True, text=True, check=True
    )
    assert "30" in accepted.stdout
    process.start()
    assert process.stop() == 0


def test_a_folder_that_is_no_servers_accepts_nothing(tmp_path):
    command = [sys.executable, "-m", "padan_server", "accept", "clock", "--data-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "bukan direktori data" in done.stderr
    assert not list(tmp_path.iterdir())


def test_what_no_record_explains_is_put_aside_and_goes_in_time(left, make_unit, unit_log):
    folder = left.data_dir
    for name in ("datasets/" + "b" * 32, "runs/" + "c" * 32):
        (folder / name).mkdir(parents=True)
    (folder / "releases" / f"{'d' * 32}.sealed").write_bytes(b"sealed")
    (folder / "releases" / f"{'e' * 32}.sealed.writing").write_bytes(b"half")
    (folder / "aside").mkdir()
    (folder / "aside" / "2026-99-99.catatan.txt").write_text("an operator's own")
    clock = FixedClock()
    unit = make_unit(house=left, clock=clock)
    kinds = {path.name.split(".")[1] for path in (folder / "aside").iterdir()}
    assert kinds == {"dataset", "run", "release", "catatan"}
    assert unit_log.getvalue().count('"set_aside"') == 3
    assert not list((folder / "releases").iterdir())
    assert stored(left)  # the registry, which a record names, stays
    for days, remaining in ((29, 3), (2, 0)):
        unit.clock.forward(days=days)
        unit.unit.clock.accept()
        unit.unit._maintenance.sweep()
        assert len(list((folder / "aside").iterdir())) == remaining + 1  # the note stays


# The clock


def boot(make_unit, house, **later):
    """Start again on a house, so much later by the clock."""
    return make_unit(house=house, clock=FixedClock(NOW + timedelta(**later)))


def test_a_clock_that_is_wrong_at_the_start_erases_nothing(left, make_unit, unit_log):
    unit = boot(make_unit, left, days=40)
    unit.unit._keep_time()
    unit.unit._maintenance.sweep()
    assert stored(left)
    assert unit_log.getvalue().count("clock_doubted") == 1
    unit.stop()
    again = boot(make_unit, left, days=40)  # not believed by the next start either
    assert stored(left)
    again.clock.forward(days=-40)  # set right
    again.unit._keep_time()
    assert again.unit.clock.believed
    assert stored(left)


@pytest.mark.parametrize("days", [-40, 40])
def test_the_clock_that_is_doubted_is_told_as_it_stands(left, make_unit, unit_log, days):
    """Behind the latest moment too: an operator whose clock is right sees that it is."""
    boot(make_unit, left, days=days)
    (line,) = [each for each in unit_log.getvalue().splitlines() if "clock_doubted" in each]
    assert json.loads(line)["now"] == (NOW + timedelta(days=days)).isoformat()


def test_an_operator_accepts_a_long_absence(left, make_unit):
    unit = boot(make_unit, left, days=40)
    Acceptances(left.data_dir).leave(Acceptable.CLOCK)
    unit.unit._keep_time()
    unit.unit._maintenance.sweep()
    assert not stored(left)


@pytest.mark.parametrize(("hours", "erased"), [(71, True), (73, False)])
def test_a_weekend_off_needs_nobody(make_unit, hours, erased):
    unit = make_unit()
    provider, _ = unit.pair()
    provider.publish(10)
    unit.clock.forward(days=29)
    unit.unit.clock.accept()
    unit.unit._keep_time()
    unit.stop()
    boot(make_unit, unit.house, days=29, hours=hours)
    assert bool(stored(unit.house)) is not erased


def test_a_clock_set_back_readmits_nobody(left, make_unit):
    later = boot(make_unit, left, days=400)  # the agreement is over
    later.unit.clock.accept()
    later.unit._keep_time()
    later.stop()
    unit = boot(make_unit, left, days=1)
    assert unit.unit.clock.now() == NOW + timedelta(days=400)
    assert not unit.unit.clock.believed


def test_a_provider_destroys_no_table_by_a_clock_in_doubt(make_provider, unit_log):
    provider = make_provider()
    provider.stop()
    tables = provider.publisher.tables_dir
    wrong = make_provider(publisher=provider.publisher, clock=FixedClock(NOW + timedelta(days=900)))
    wrong.provider._sweep()
    assert list(tables.glob("[!.]*"))
    assert "clock_doubted" in unit_log.getvalue()
    wrong.provider.clock.accept()
    wrong.provider._sweep()
    assert not list(tables.glob("[!.]*"))
