"""Label tables: which are served, in what order, until when; and the resumable download."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import grpc
import pytest
from direct_party import asked
from parties import refusal
from provider_fixture import table_id
from server_fixture import NOW
from signing import former_manifest

from padan.v1 import direct_service_pb2 as pb
from padan_linkage.direct.manifest import verify_manifest
from padan_linkage.direct.table import CHUNK_BYTES, ROW_BYTES, split_hashes, verify_chunk
from padan_server.roles.published import PublishedFiles
from padan_server.store.files.sums import at_once


def refused(call, *args, **kwargs):
    """The refusal of a call that must be refused."""
    with pytest.raises(grpc.RpcError) as caught:
        list(call(*args, **kwargs))
    return refusal(caught.value)


def listed(client, **paging):
    """Tables as the provider lists them."""
    request = pb.ListLabelTablesRequest(parent=client.parent, **paging)
    return client.direct.ListLabelTables(request)


def damaged(client):
    """The file that the provider names when it refuses to list, however often."""
    told = {refused(lambda c: listed(c).label_tables, client).metadata["file"] for _ in range(2)}
    return told.pop() if len(told) == 1 else told


def ids(client):
    """Their ids."""
    return [t.name.rpartition("/")[2] for t in listed(client).label_tables]


def download(client, name, start=0):
    """The chunks of a table from ``start`` on."""
    table = f"{client.parent}/labelTables/{table_id(name)}"
    request = pb.DownloadLabelTableRequest(name=table, start_chunk=start)
    return client.direct.DownloadLabelTable(request)


def named(*names):
    """Table ids of names."""
    return [table_id(n) for n in names]


def test_what_is_served_verifies(make_provider):
    provider = make_provider(published=False)
    provider.publisher.publish(rows=3 * 4096 + 10)
    provider.rescan()
    client = provider.client()
    (table,) = listed(client).label_tables
    signer = provider.house.signed.agreement.party("bkn").sign_key_bytes
    manifest = verify_manifest(table.manifest, table.signature, signer)
    leaves = split_hashes(table.chunk_hashes, manifest.rows, bytes.fromhex(manifest.root))
    chunks = list(download(client, "a"))
    assert [c.chunk for c in chunks] == [0, 1, 2, 3]
    for chunk in chunks:
        verify_chunk(leaves, manifest.rows, chunk.chunk, chunk.rows)
    assert len(chunks[-1].rows) == 10 * ROW_BYTES
    assert [c.rows for c in download(client, "a", 2)] == [c.rows for c in chunks[2:]]
    assert list(download(client, "a", 4)) == []
    for start in (-1, 5):
        assert refused(download, client, "a", start).metadata["field"] == "start_chunk"


def test_a_download_that_is_cut_goes_on(make_provider):
    provider = make_provider(published=False)
    provider.publisher.publish(rows=5 * 4096)
    provider.rescan()
    client = provider.client()
    stream = download(client, "a")
    got = [next(stream), next(stream)]
    stream.cancel()
    got += download(client, "a", 2)
    path = provider.publisher.tables_dir / table_id("a") / "rows.bin"
    assert b"".join(c.rows for c in got) == path.read_bytes()
    assert {len(c.rows) for c in got} == {CHUNK_BYTES}


def test_without_a_table_there_is_nothing_to_ask(make_provider):
    client = make_provider(published=False).client()
    assert listed(client) == pb.ListLabelTablesResponse()
    found = refused(asked(3).commit, client)
    assert (found.code, found.reason) == (grpc.StatusCode.NOT_FOUND, "TABLE_NOT_FOUND")
    assert refused(download, client, "a").reason == "TABLE_NOT_FOUND"


def test_deltas_follow_their_base_and_a_gap_is_damage(make_provider):
    provider = make_provider()
    client, publish = provider.client(), provider.publisher.publish
    publish("other", base="elsewhere", sequence=1)  # of a base that is older than this one
    provider.rescan()
    assert ids(client) == named("a")
    publish("d2", base="a", sequence=2)
    provider.rescan()
    assert damaged(client) == f"tables/{table_id('d2')}"
    publish("d1", base="a", sequence=1)
    provider.rescan()
    assert ids(client) == named("a", "d1", "d2")


def test_a_delta_of_a_base_that_nobody_has_seen_is_damage_until_a_newer_base(make_provider):
    provider = make_provider()
    client, publish = provider.client(), provider.publisher.publish
    publish("d", base="lost", sequence=1, created=NOW + timedelta(days=1))
    provider.rescan()
    assert damaged(client) == f"tables/{table_id('d')}"
    publish("b", created=NOW + timedelta(days=2))
    provider.rescan()
    assert ids(client) == named("b")


def test_pages(make_provider):
    provider = make_provider()
    client = provider.client()
    for number in (1, 2, 3):
        provider.publisher.publish(f"d{number}", base="a", sequence=number)
    provider.rescan()
    whole = list(listed(client).label_tables)
    first = listed(client, page_size=3)
    second = listed(client, page_size=3, page_token=first.next_page_token)
    assert [*first.label_tables, *second.label_tables] == whole
    assert not second.next_page_token
    provider.publisher.publish("b", epoch=2)
    provider.rescan()
    found = refused(listed, client, page_size=3, page_token=first.next_page_token)
    assert found.reason == "PAGE_TOKEN_INVALID"


def test_a_page_fits_its_message(make_provider):
    provider = make_provider(published=False, settings={"limits": {"message_bytes": 64 * 1024}})
    client = provider.client()
    provider.publisher.publish("a", rows=4096)
    for number in range(1, 4):
        provider.publisher.publish(f"d{number}", base="a", sequence=number, rows=4096)
    provider.rescan()
    served = provider.provider._tables._reading.served
    for table in served.values():  # as long as those of a hundred million rows
        object.__setattr__(table, "chunk_hashes", bytes(25_000))
    first = listed(client)
    assert len(first.label_tables) == 1
    assert first.next_page_token


# Epochs


def test_epochs_overlap_until_the_old_one_expires(make_provider):
    provider = make_provider(published=False)
    client, publish = provider.client(), provider.publisher.publish
    publish("a", days=10)
    publish("b", epoch=2, days=30)
    provider.rescan()
    assert ids(client) == named("b")
    assert len(list(download(client, "a"))) == 1
    old = asked(3).commit(client, epoch=1)
    asked(3).commit(client, epoch=2)
    assert refused(asked(3).commit, client, epoch=3).reason == "TABLE_NOT_FOUND"
    provider.clock.forward(days=10)
    for call in (
        lambda: asked(3).commit(client, epoch=1),
        lambda: download(client, "a"),
        lambda: client.direct.EvaluateElements(asked(3).message(old.name, 0)),
    ):
        found = refused(call)
        assert (found.code, found.reason) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "TABLE_EXPIRED",
        )
    asked(3).commit(client, epoch=2)


def test_an_expired_table_is_destroyed_and_that_is_recorded(make_provider, unit_log):
    provider = make_provider(published=False)
    publish = provider.publisher.publish
    publish("a", days=10)
    publish("d", base="a", sequence=1, days=10)
    publish("b", epoch=2, days=30)
    provider.rescan()
    provider.clock.forward(days=10)
    provider.provider.clock.accept()
    stream = download(provider.client(), "b")
    provider.provider._sweep()
    folders = {p.name for p in provider.publisher.tables_dir.glob("[!.]*")}
    assert folders == set(named("b"))
    assert len(list(stream)) == 1
    with provider.provider._store.read() as tx:
        for name in ("a", "d"):
            assert tx.label_tables.get(table_id(name)).destroy_time == provider.clock.now()
        assert tx.label_tables.get(table_id("b")).destroy_time is None
    assert unit_log.getvalue().count("table_destroyed") == 2


def test_a_destroyed_table_does_not_come_back(make_provider):
    provider = make_provider(published=False)
    provider.publisher.publish("a", days=10)
    provider.rescan()
    for days in (10, -5):
        provider.clock.forward(days=days)
        provider.provider.clock.accept()
        provider.provider._sweep()
    provider.publisher.publish("a", days=30)
    provider.rescan()
    assert ids(provider.client()) == []


def test_an_epoch_that_was_destroyed_answers_nothing_and_one_whose_seed_is_lost_is_damage(
    make_provider, unit_log
):
    provider = make_provider()
    client, mine = provider.client(), asked(3)
    made = mine.commit(client)
    message = mine.message(made.name, 0)
    seeds = provider.publisher.seeds_dir / "kemnaker-bkn-2024" / "asn-status"
    record, seed = seeds / "1.json", (seeds / "1.seed").read_bytes()
    (seeds / "1.seed").unlink()
    asks = [
        lambda: client.direct.EvaluateElements(message),
        lambda: mine.commit(client),
        lambda: listed(client),
        lambda: download(client, "a"),
    ]

    def reasons(asks):
        return {(told.reason, told.metadata.get("file", "")) for told in map(refused, asks)}

    line = "seeds/kemnaker-bkn-2024/asn-status/1.seed"
    assert reasons(asks) == {("DATA_DAMAGED", line)}
    # Another seed under the same number evaluates nothing for the list of the first.
    (seeds / "1.seed").write_bytes(bytes(32))
    (seeds / "1.seed").chmod(0o600)
    assert reasons(asks[:-1]) == {("DATA_DAMAGED", line)}  # a download needs no key
    assert unit_log.getvalue().count("file_damaged") == 1
    (seeds / "1.seed").unlink()
    record.write_text('{"epoch": 1, "destroyed": "2026-11-20T03:00:00Z"}')
    assert {refused(asks[n]).reason for n in (0, 1, 3)} == {"TABLE_EXPIRED"}
    assert ids(client) == []
    record.unlink()
    (seeds / "1.seed").write_bytes(seed)
    (seeds / "1.seed").chmod(0o600)
    provider.rescan()
    assert unit_log.getvalue().count("file_damage_ended") == 1
    assert len(client.direct.EvaluateElements(message).evaluated) == 96


def test_tables_of_a_destroyed_epoch_may_go(make_provider):
    provider = make_provider()
    seeds = provider.publisher.seeds_dir / "kemnaker-bkn-2024" / "asn-status"
    (seeds / "1.json").write_text('{"epoch": 1, "destroyed": "2026-11-20T03:00:00Z"}')
    (seeds / "1.seed").unlink()
    shutil.rmtree(provider.publisher.tables_dir / table_id("a"))
    provider.rescan()
    (seeds / "1.json").unlink()  # it is recorded by now
    provider.rescan()
    assert ids(provider.client()) == []
    assert refused(download, provider.client(), "a").reason == "TABLE_EXPIRED"


# What is not served


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"agreement_digest": "00" * 32}, "agreement_digest"),
        ({"flow": "tidak-ada"}, "flow"),
        ({"flow": "casn-agregat"}, "flow"),
        ({"agreement": "lain"}, "agreement"),
        ({"direct_schema_digest": "00" * 32}, "direct_schema_digest"),
        ({"expires": "2026-11-20T03:00:00Z", "created": "2026-11-19T03:00:00Z"}, "expires"),
    ],
)
def test_a_table_of_something_else_is_not_served(make_provider, unit_log, changes, problem):
    provider = make_provider(published=False)
    provider.publisher.publish("a", claims=changes)
    provider.rescan()
    provider.rescan()
    assert ids(provider.client()) == []
    (told,) = [line for line in unit_log.getvalue().splitlines() if "table_refused" in line]
    assert f'"problem": "{problem}"' in told


@pytest.mark.parametrize(
    ("changes", "file"),
    [
        ({"public_keys": {"nik": "00" * 32}}, "seeds/kemnaker-bkn-2024/asn-status/1.seed"),
        ({"root": "00" * 32}, f"tables/{table_id('a')}/rows.bin"),
        ({"rows": 101}, f"tables/{table_id('a')}/rows.bin"),
        ({"table": "00" * 16}, f"tables/{'00' * 16}"),
    ],
)
def test_what_was_signed_and_is_not_there_so_is_damage(make_provider, unit_log, changes, file):
    provider = make_provider(published=False)
    provider.publisher.publish("a", claims=changes)
    provider.rescan()
    provider.rescan()
    assert damaged(provider.client()) == file
    (told,) = [json.loads(x) for x in unit_log.getvalue().splitlines() if "file_damaged" in x]
    assert (told["file"], told["level"]) == (file, "error")
    provider.publisher.publish("b", created=NOW + timedelta(seconds=1))
    provider.rescan()
    assert ids(provider.client()) == named("b")


def make_former(provider, name, *, recorded):
    """Leave a table as the version before did; ``recorded`` if its server saw it."""
    publisher = provider.publisher
    folder = publisher.tables_dir / table_id(name)
    signer = publisher.house.signed.identities["bkn"].sign
    written = former_manifest((folder / "manifest.json").read_bytes(), signer)
    for file, content in zip(("manifest.json", "manifest.sig"), written, strict=True):
        (folder / file).write_bytes(content)
    if recorded:
        with provider.provider._store.write() as tx:
            tx.label_tables.describe(table_id(name), *written)


@pytest.mark.parametrize("lost", [False, True])
def test_a_table_of_an_earlier_version_is_told_as_that_until_a_new_base_follows(
    make_provider, unit_log, lost
):
    provider = make_provider()
    make_former(provider, "a", recorded=True)
    if lost:
        shutil.rmtree(provider.publisher.tables_dir / table_id("a"))
    provider.stop()
    provider = make_provider(provider.publisher, clock=provider.clock)
    place = f"tables/{table_id('a')}"
    assert damaged(provider.client()) == (place if lost else f"{place}/manifest.json")
    told = [json.loads(x) for x in unit_log.getvalue().splitlines() if "file_damaged" in x]
    assert ("missing" if lost else "an earlier Padan") in told[0]["problem"]
    found = refused(asked(3).commit, provider.client())
    assert found.reason == "DATA_DAMAGED"
    provider.publisher.publish("b", created=NOW + timedelta(seconds=1))
    provider.clock.forward(seconds=1)
    provider.rescan()
    assert ids(provider.client()) == named("b")
    asked(3).commit(provider.client())


def test_a_table_of_an_earlier_version_that_no_server_saw_is_left_out(make_provider, unit_log):
    provider = make_provider(published=False)
    provider.publisher.publish("a")
    make_former(provider, "a", recorded=False)
    provider.rescan()
    assert ids(provider.client()) == []
    (told,) = [json.loads(x) for x in unit_log.getvalue().splitlines() if "table_refused" in x]
    assert told["problem"] == "format"


def test_fsck_tells_of_tables_of_an_earlier_version_until_a_new_base_follows(make_provider):
    provider = make_provider()
    make_former(provider, "a", recorded=True)

    def flaws():
        publisher, store = provider.publisher, provider.provider._store
        found = PublishedFiles(publisher.tables_dir, publisher.seeds_dir, store, at_once).flaws()
        return [(flaw.file, "an earlier Padan" in flaw.problem[1]) for flaw in found]

    assert flaws() == [(f"tables/{table_id('a')}/manifest.json", True)]
    provider.publisher.publish("b", created=NOW + timedelta(seconds=1))
    provider.rescan()
    assert flaws() == []


def test_what_is_being_written_is_not_looked_at(make_provider, unit_log):
    provider = make_provider(published=False)
    provider.publisher.publish("a")
    folder = provider.publisher.tables_dir
    (folder / table_id("a")).rename(folder / f".{table_id('a')}.new")
    provider.rescan()
    assert "table_refused" not in unit_log.getvalue()
    assert ids(provider.client()) == []
    (folder / "catatan 3201010101900001").mkdir()
    provider.rescan()
    assert "table_refused" in unit_log.getvalue()
    assert "3201010101900001" not in unit_log.getvalue()


@pytest.mark.parametrize(("mode", "length"), [(0o640, 32), (0o604, 32), (0o600, 31), (0o600, 33)])
def test_a_seed_that_others_may_read_is_not_used(make_provider, unit_log, mode, length):
    provider = make_provider(published=False)
    provider.publisher.publish("a")
    (seed,) = provider.publisher.seeds_dir.rglob("*.seed")
    seed.write_bytes((seed.read_bytes() + b"x")[:length])
    seed.chmod(mode)
    provider.rescan()
    assert damaged(provider.client()) == "seeds/kemnaker-bkn-2024/asn-status/1.seed"
    (told,) = [json.loads(x) for x in unit_log.getvalue().splitlines() if "file_damaged" in x]
    assert told["problem"] == (
        "not 32 bytes long" if length != 32 else "others may read it; chmod 600"
    )
