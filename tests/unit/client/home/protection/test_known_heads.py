"""What a home has seen of servers' pasts: it never goes back, and is written often enough."""

from __future__ import annotations

import json
import os

import pytest

from padan.v1.reason_texts import ServerKind
from padan_client import BadInputError
from padan_client.home.protection.known_heads import KnownHeads, KnownServerPast, ProviderServer
from padan_linkage.crypto.heads import Head, step

STORE, NAME = b"s" * 16, "agreements/a"


def past(events, store=STORE):
    head = Head.first(store, NAME).followed_by(step(bytes([i])) for i in range(events))
    return KnownServerPast("0.1.0", {NAME: head})


def seen(home):
    """What another process finds in the files."""
    found = KnownHeads(home, "a").of(ServerKind.UNIT).heads
    return found[NAME].generation if found else None


def test_what_moves_all_the_while_is_known_at_once_and_written_within_a_second(
    tmp_path, monkeypatch
):
    now = [1000.0]
    monkeypatch.setattr("padan_client.home.protection.known_heads.time.monotonic", lambda: now[0])
    heads = KnownHeads(tmp_path, "a")
    written = []
    for events in (1, 2, 3):
        heads.keep(ServerKind.UNIT, past(events), at_once=False)
        assert heads.of(ServerKind.UNIT).heads[NAME].generation == events
        written.append(seen(tmp_path))
        now[0] += 0.6
    assert written == [1, 1, 3]
    heads.keep(ServerKind.UNIT, past(4), at_once=False)
    heads.flush()
    assert seen(tmp_path) == 4


def test_two_commands_side_by_side_never_take_it_back(tmp_path):
    one, other = KnownHeads(tmp_path, "a"), KnownHeads(tmp_path, "a")
    one.keep(ServerKind.UNIT, past(5))
    other.keep(ServerKind.UNIT, past(3))
    assert seen(tmp_path) == 5
    assert one.of(ServerKind.UNIT).heads[NAME] == other.of(ServerKind.UNIT).heads[NAME]
    assert one.of(ServerKind.PROVIDER).heads == {}


def test_what_an_officer_accepts_takes_the_place_of_what_was_seen(tmp_path):
    heads = KnownHeads(tmp_path, "a")
    heads.keep(ServerKind.UNIT, past(5))
    heads.accept(ServerKind.UNIT, past(1, b"t" * 16))
    assert seen(tmp_path) == 1


def test_what_was_left_is_remembered_until_it_is_accepted_again(tmp_path):
    heads, others = (KnownHeads(tmp_path, "a") for _ in range(2))
    stores = [bytes([i]) * 16 for i in range(3)]
    heads.keep(ServerKind.UNIT, past(5, stores[0]))
    for store in stores[1:]:
        heads.accept(ServerKind.UNIT, past(1, store))
        others.keep(ServerKind.UNIT, past(2, store))
    assert KnownHeads(tmp_path, "a").of(ServerKind.UNIT).left == set(stores[:2])
    heads.accept(ServerKind.UNIT, past(1, stores[0]))
    assert heads.of(ServerKind.UNIT).left == set(stores[1:])


def test_what_waits_of_a_store_that_was_left_is_dropped(tmp_path):
    """A client that stays open while an officer accepts a restore, in its process or another's."""
    one, other = KnownHeads(tmp_path, "a"), KnownHeads(tmp_path, "a")
    one.keep(ServerKind.UNIT, past(1))
    one.keep(ServerKind.UNIT, past(3), at_once=False)
    other.accept(ServerKind.UNIT, past(1, b"t" * 16))
    assert one.of(ServerKind.UNIT).stores == {b"t" * 16}
    one.flush()
    one.keep(ServerKind.UNIT, past(9))  # an answer that was under way
    assert KnownHeads(tmp_path, "a").of(ServerKind.UNIT).stores == {b"t" * 16}
    assert seen(tmp_path) == 1


def test_a_file_that_mixes_a_store_that_was_left_with_the_present_one_is_read_without(tmp_path):
    """An earlier version wrote such files."""
    heads = KnownHeads(tmp_path, "a")
    heads.keep(ServerKind.UNIT, past(1))
    heads.accept(ServerKind.UNIT, past(1, b"t" * 16))
    file = tmp_path / "heads/unit/a.json"
    document = json.loads(file.read_bytes())
    document["heads"].append(document["heads"][0] | {"name": f"{NAME}/flows/f", "store": "73" * 16})
    file.write_text(json.dumps(document))
    assert set(KnownHeads(tmp_path, "a").of(ServerKind.UNIT).heads) == {NAME}


def test_a_file_of_the_version_that_remembered_no_stores_is_read(tmp_path):
    KnownHeads(tmp_path, "a").keep(ServerKind.UNIT, past(1))
    file = tmp_path / "heads/unit/a.json"
    document = json.loads(file.read_bytes())
    del document["left"]
    file.write_text(json.dumps(document | {"format": 1}))
    heads = KnownHeads(tmp_path, "a")
    assert heads.of(ServerKind.UNIT).heads[NAME].generation == 1
    heads.keep(ServerKind.UNIT, past(2))
    assert json.loads(file.read_bytes())["format"] == 2


def of_provider(home, party, *, alone=False):
    return KnownHeads(home, "a", ProviderServer(party, alone))


def test_the_servers_of_two_providers_are_known_apart(tmp_path):
    for party, store in (("bkn", STORE), ("kemnaker", b"t" * 16)):
        of_provider(tmp_path, party).keep(ServerKind.PROVIDER, past(2, store))
    for party, store in (("bkn", STORE), ("kemnaker", b"t" * 16)):
        assert of_provider(tmp_path, party).of(ServerKind.PROVIDER).stores == {store}
    assert KnownHeads(tmp_path, "a").of(ServerKind.PROVIDER).heads == {}


def test_a_file_of_before_is_read_where_it_can_be_of_one_provider_alone(tmp_path):
    of_provider(tmp_path, "bkn").keep(ServerKind.PROVIDER, past(3))
    file = tmp_path / "heads/provider/bkn/a.json"
    file.rename(tmp_path / "heads/provider/a.json")
    assert of_provider(tmp_path, "bkn").of(ServerKind.PROVIDER).heads == {}
    heads = of_provider(tmp_path, "bkn", alone=True)
    assert heads.of(ServerKind.PROVIDER).heads[NAME].generation == 3
    heads.keep(ServerKind.PROVIDER, past(2))
    assert of_provider(tmp_path, "bkn").of(ServerKind.PROVIDER).heads[NAME].generation == 3


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"format": 2}', b"[" * 100_000])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    heads = KnownHeads(tmp_path, "a")
    heads.keep(ServerKind.UNIT, past(1))
    file = tmp_path / "heads/unit/a.json"
    file.write_bytes(content)
    with pytest.raises(BadInputError, match=r"a\.json"):
        KnownHeads(tmp_path, "a").of(ServerKind.UNIT)


def written(home, **changed):
    """The file of a home that saw five events, with something else in the place of what it says."""
    KnownHeads(home, "a").keep(ServerKind.UNIT, past(5))
    path = home / "heads" / "unit" / "a.json"
    document = json.loads(path.read_text())
    if heads := changed.pop("heads", None):
        document["heads"] = heads
    document["heads"] = [{**each, **changed} for each in document["heads"]]
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    "changed",
    [
        {"generation": 1 << 63},
        {"generation": 1 << 64},
        {"generation": -1},
        {"generation": "5"},
        {"store": "ab"},
        {"digest": "00" * 31},
        {"name": "agreements/" + "a" * 100_000},
        {"name": "agreements/a/flows/../b"},
        {"heads": [{"name": f"agreements/a/flows/f{n}"} for n in range(200)]},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_no_head_can_be_is_told_as_an_unreadable_file(tmp_path, changed):
    head = {"store": "ab" * 16, "generation": 1, "digest": "cd" * 32}
    if "heads" in changed:
        changed = {"heads": [{**head, **each} for each in changed["heads"]]}
    path = written(tmp_path, **changed)
    with pytest.raises(BadInputError, match=f"{path.name} tidak terbaca"):
        KnownHeads(tmp_path, "a").of(ServerKind.UNIT)


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(tmp_path):
    path = written(tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(BadInputError, match=path.name):
        KnownHeads(tmp_path, "a").of(ServerKind.UNIT)


def test_a_server_that_names_ever_more_chains_fills_no_file(tmp_path):
    heads = KnownHeads(tmp_path, "a")
    heads.keep(ServerKind.UNIT, past(5))
    for number in range(100):
        name = f"{NAME}/flows/f{number}"
        heads.keep(ServerKind.UNIT, KnownServerPast("0.1.0", {name: Head.first(STORE, name)}))
    known = KnownHeads(tmp_path, "a").of(ServerKind.UNIT).heads
    assert len(known) == 32
    assert known[NAME].generation == 5
