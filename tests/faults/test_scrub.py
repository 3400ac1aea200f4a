"""A running unit compares everything at rest bit by bit: damage is known before it is asked for."""

from __future__ import annotations

import json
import threading

import pytest
from damaged import missing, one_bit, started, tree, tried, zeros

from padan_server.store.files import sums

KEYS = "datasets/{}/nik/keys.npy"


@pytest.fixture
def unit(left):
    running = started(left, scrub_mib=10_000)
    yield running
    left.close()
    running.stop()


def told(log, event):
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["event"] == event]


def counted(unit, name):
    return unit.unit.metrics.registry.get_sample_value(name)


def rotted(monkeypatch, unit, path):
    """Damage that no write has made: nothing that is asked of the file system tells of it."""
    before = sums._look(path)
    one_bit(path)
    real = sums._look
    monkeypatch.setattr(sums, "_look", lambda p: before if p == str(path) else real(p))


def test_nothing_is_answered_any_more_from_a_table_that_rots_under_its_index(
    lived, left, unit, unit_log, monkeypatch
):
    name = KEYS.format(lived.registry)
    assert lived.uses(unit) == lived.answers
    requester = unit.client("kemnaker")
    rotted(monkeypatch, unit, left.data_dir / name)
    tried(lambda: lived.confirmed(requester, "nik"))
    assert not told(unit_log, "file_damaged")  # what only a scrub can see
    before = tree(left, "datasets", "releases")
    for _ in range(2):
        unit.unit._scrub.round()
        assert tried(lambda: lived.confirmed(requester, "nik")).reason == "DATA_DAMAGED"
    assert [line["file"] for line in told(unit_log, "file_damaged")] == [name]
    assert tree(left, "datasets", "releases") == before
    assert counted(unit, "padan_damaged_files") == 1


def test_an_index_in_use_stays_while_its_whole_table_is_read(lived, unit, monkeypatch):
    """A slow round must not make a question read the table again."""
    requester = unit.client("kemnaker")
    lived.confirmed(requester, "nik")
    made, kept = [], unit.unit._confirmations._indexes
    monkeypatch.setattr(kept, "_prepared", lambda *a: made.append(a))
    blocks = counted(unit, "padan_blocks_checked_total")

    def asked(size):
        assert lived.confirmed(requester, "nik") == lived.answers["confirm nik"]

    monkeypatch.setattr(unit.unit._scrub, "_pace", asked)
    unit.unit._scrub.round()
    assert counted(unit, "padan_blocks_checked_total") > blocks
    assert not made


def test_a_provider_goes_round_its_tables_and_seeds(make_provider, unit_log):
    """And takes one that is erased meanwhile for none that is damaged."""
    provider = make_provider(published=False, settings={"scrub_mib": 10_000})
    publisher, scrub = provider.publisher, provider.provider._scrub
    whole, rotten = (publisher.publish(n, epoch=e).table for e, n in enumerate("ab", 1))
    gone = publisher.publish("c", epoch=3, days=1).table
    provider.rescan()
    scrub.round()
    assert not told(unit_log, "file_damaged")
    one_bit(publisher.tables_dir / rotten / "rows.bin")
    seeds = f"seeds/{provider.house.signed.agreement.id}/{provider.house.flow_id}"
    one_bit(provider.house.folder / seeds / "1.seed")
    provider.clock.forward(days=1)
    provider.provider.clock.accept()
    found = provider.provider._tables.scrub(lambda _size: provider.provider._sweep())
    wanted = {f"tables/{rotten}/rows.bin", f"{seeds}/1.seed"}
    assert {damage.file for damage in found} == wanted
    assert not (publisher.tables_dir / gone).exists()
    scrub.round()
    assert {line["file"] for line in told(unit_log, "file_damaged")} == wanted
    assert provider.provider.metrics.registry.get_sample_value("padan_damaged_files") == 2
    assert (publisher.tables_dir / whole).exists()


def test_everything_that_was_acknowledged_is_gone_round(lived, left, unit, unit_log):
    releases = sorted((left.data_dir / "releases").iterdir())
    run, registry = f"runs/{lived.run[-32:]}", f"datasets/{lived.registry}"
    names = [
        f"{run}/nik/outcomes.npy",
        f"{registry}/calibrations.json",
        f"{registry}/lahir/sums.json",
        f"datasets/{lived.listed[-32:]}/nik/keys.npy",
        releases[0].relative_to(left.data_dir).as_posix(),
    ]
    kept = {name: (left.data_dir / name).read_bytes() for name in names}
    for name, way in zip(names, (zeros, one_bit, missing, missing, one_bit), strict=True):
        way(left.data_dir / name)
    unit.unit._scrub.round()
    unit.unit._scrub.round()
    assert sorted(line["file"] for line in told(unit_log, "file_damaged")) == sorted(names)
    assert counted(unit, "padan_damaged_files") == len(names)
    for name, content in kept.items():
        (left.data_dir / name).write_bytes(content)
    unit.unit._scrub.round()
    assert {line["file"] for line in told(unit_log, "file_damage_ended")} == set(names)
    assert counted(unit, "padan_damaged_files") == 0
    assert lived.uses(unit) == lived.answers


def test_a_directory_that_rots_is_made_again_before_the_next_answer(lived, left, unit):
    requester = unit.client("kemnaker")
    lived.confirmed(requester, lived.filter)
    folder = left.data_dir / f"datasets/{lived.registry}/{lived.filter}/directory"
    one_bit(folder / "order.npy")
    damaged = tree(left)
    unit.unit._scrub.round()
    assert lived.confirmed(requester, lived.filter) == lived.answers[f"confirm {lived.filter}"]
    assert tree(left) != damaged


def test_a_unit_stops_in_the_middle_of_a_round(left, unit_log):
    unit = started(left, scrub_mib=0.001)
    scrub = threading.Thread(target=unit.unit._scrub.round, daemon=True)
    scrub.start()
    left.close()
    unit.stop()
    scrub.join(20)
    assert not scrub.is_alive()
    assert not told(unit_log, "scrubbed")


@pytest.mark.parametrize("mib", [0, 8])
def test_nobody_has_to_have_it(left, mib):
    unit = started(left, scrub_mib=mib)
    names = [ticker._name for ticker in unit.unit._tickers]
    unit.stop()
    assert ("scrub" in names) == (mib > 0)


def test_nothing_more_is_counted_on_a_list_whose_meetings_rot(lived, left, unit):
    requester = unit.client("kemnaker")
    lived.confirmed(requester, "nik")
    (path,) = (left.data_dir / "meters").glob(f"*/1/{lived.run[-32:]}")
    content = path.read_bytes()
    one_bit(path)
    lived.confirmed(requester, "nik")  # the meter was read when it was opened
    for _ in range(2):
        unit.unit._scrub.round()
        refused = tried(lambda: lived.confirmed(requester, "nik"))
        assert refused.reason == "DATA_DAMAGED"
        assert left.data_dir / refused.metadata["file"] == path
    path.write_bytes(content)
    assert lived.confirmed(requester, "nik") == lived.answers["confirm nik"]
