"""What a provider of direct mode serves, damaged in many ways: named, refused, nothing erased.

A base and two deltas are served once. Every case damages them, beside a server that runs and before
one that starts: what is asked for is answered bit for bit as before, or refused with the file that
it rests on. An older table never answers in a newer one's place.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import timedelta

import pytest
from at_rest import at_rest
from damaged import emptied, fsck, halved, missing, one_bit, tried
from direct_party import asked
from provider_fixture import table_id
from server_fixture import NOW

from padan.v1 import direct_service_pb2 as pb
from padan_server.base.accepting import Acceptable, Acceptances
from padan_server.roles.checking import examine
from padan_server.store.doubts import StoreDoubtError
from padan_server.store.marks import SIGN

SEED = "seeds/kemnaker-bkn-2024/asn-status/1.seed"
FOLDERS = ("tables", "seeds")


def folder_of(name):
    """Where a table lies."""
    return f"tables/{table_id(name)}"


def gone(path):
    """A whole folder is lost."""
    shutil.rmtree(path)


def hidden(path):
    """A folder has another name."""
    path.rename(path.with_name(f".{path.name}"))


def a_file(path):
    """A file lies where a folder was."""
    shutil.rmtree(path)
    path.write_bytes(b"x")


def open_to_all(path):
    """Others may read it."""
    path.chmod(0o644)


def swapped(one, other):
    """Two files or folders change places."""

    def swap(folder):
        first, second = folder / one, folder / other
        first.rename(folder / "between")
        second.rename(first)
        (folder / "between").rename(second)

    return swap


def at(place, way):
    """A way to damage, at a place."""
    return lambda folder: way(folder / place)


#: By name: the damage, and what names it: one of the files that it hits.
CASES = {
    **{
        f"{name} {file} {way.__name__}": (at(f"{folder_of(name)}/{file}", way), file)
        for name in ("a", "d1", "d2")
        for file, ways in {
            "rows.bin": (one_bit, halved, emptied, missing),
            "manifest.json": (one_bit, halved, emptied, missing),
            "manifest.sig": (one_bit, halved, missing),
        }.items()
        for way in ways
    },
    **{
        f"{name} {way.__name__}": (at(folder_of(name), way), table_id(name))
        for name in ("a", "d1", "d2")
        for way in (gone, hidden, a_file)
    },
    **{
        f"{file} swapped": (swapped(f"{folder_of('a')}/{file}", f"{folder_of('d2')}/{file}"), file)
        for file in ("rows.bin", "manifest.json", "manifest.sig")
    },
    "deltas swapped": (swapped(folder_of("d1"), folder_of("d2")), "manifest.json"),
    **{
        f"seed {way.__name__}": (at(SEED, way), SEED)
        for way in (one_bit, halved, emptied, missing, open_to_all)
    },
    "tables gone": (at("tables", gone), "tables"),
    "tables hidden": (at("tables", hidden), "tables"),
    "seeds gone": (at("seeds", gone), SEED),
}
#: Each kind once before a start: a start costs what a hundred looks cost.
STARTED = [
    "a rows.bin one_bit",
    "d1 manifest.json one_bit",
    "d2 rows.bin missing",
    "d2 gone",
    "d2 hidden",
    "deltas swapped",
    "seed missing",
    "seed open_to_all",
    "tables gone",
]


def publish_all(publisher):
    """A base and two deltas, a day after each other."""
    days = {"a": 3, "d1": 2, "d2": 1}
    for sequence, (name, ago) in enumerate(days.items()):
        base = "a" if sequence else None
        created = NOW - timedelta(days=ago)
        publisher.publish(name, base=base, sequence=sequence, created=created)


class Served:
    """A provider's folders as they were left whole, and what was answered from them."""

    def __init__(self, provider):
        self.provider = provider
        self.folder = provider.house.folder
        self.clients = {}
        self.mine = asked(3)
        self.name = self.mine.commit(provider.client()).name
        self.answers = self.uses(provider)
        self.kept = self.folder / "kept"
        at_rest(provider.server)  # it reads the folders when it is told to
        for name in FOLDERS:
            shutil.copytree(self.folder / name, self.kept / name)

    def uses(self, provider):
        """What each use answers: bytes, or a refusal."""
        if provider.port not in self.clients:
            self.clients[provider.port] = provider.client()
        client = self.clients[provider.port]
        chunk = self.mine.message(self.name, 0)

        def download(name):
            table = f"{client.parent}/labelTables/{table_id(name)}"
            request = pb.DownloadLabelTableRequest(name=table)
            return b"".join(c.rows for c in client.direct.DownloadLabelTable(request))

        def listed():
            request = pb.ListLabelTablesRequest(parent=client.parent)
            return client.direct.ListLabelTables(request).SerializeToString()

        calls = {
            "list": listed,
            "base": lambda: download("a"),
            "delta": lambda: download("d2"),
            "commit": lambda: bool(asked(1).commit(client).name),
            "evaluate": lambda: client.direct.EvaluateElements(chunk).evaluated,
        }
        return {use: tried(call) for use, call in calls.items()}

    def restore(self):
        """Put everything back; the server's own records stay."""
        for name in FOLDERS:
            for place in (self.folder / name, self.folder / f".{name}"):
                shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(self.kept / name, self.folder / name)

    def there(self):
        """What lies in the folders, by digest; which store served them is the server's to say."""
        found = {}
        for path in sorted(p for n in FOLDERS for p in self.folder.glob(f"*{n}/**/*")):
            if path.is_file() and path.name != SIGN:
                name = path.relative_to(self.folder).as_posix()
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def check(self, told, expected):
        """Every use is answered as ever or refused by a name; nothing is listed."""
        files = set()
        for use, answer in told.items():
            if answer != self.answers[use]:
                assert answer.reason == "DATA_DAMAGED", (use, answer)
                files.add(answer.metadata["file"])
        assert "list" in told
        assert told["list"] != self.answers["list"]
        assert len(files) == 1
        assert expected in (named := files.pop()) or named.startswith(expected)


@pytest.fixture
def served(make_provider):
    """A provider whose tables have been served."""
    provider = make_provider(published=False)
    publish_all(provider.publisher)
    provider.rescan()
    return Served(provider)


def fsck_of(house):
    """What ``fsck`` says of a provider."""
    folders = [f"--{name}-dir={house.folder / name}" for name in FOLDERS]
    return fsck(house, *folders)


def test_damage_beside_a_running_server_is_refused_by_name_and_heals(served, unit_log):
    provider, told_before = served.provider, 0
    for case, (damage, expected) in CASES.items():
        damage(served.folder)
        before = served.there()
        provider.rescan()
        told = served.uses(provider)
        assert served.there() == before, case
        served.check(told, expected)
        lines = [json.loads(line) for line in unit_log.getvalue().splitlines()[told_before:]]
        damaged = [line["file"] for line in lines if line["event"] == "file_damaged"]
        assert 0 < len(damaged) == len(set(damaged)), case
        served.restore()
        provider.rescan()
        assert served.uses(provider) == served.answers, case
        told_before = len(unit_log.getvalue().splitlines())
    ended = unit_log.getvalue().count("file_damage_ended")
    assert ended == unit_log.getvalue().count('"file_damaged"')


def test_fsck_names_what_a_provider_has_lost(served):
    served.provider.stop()
    assert fsck_of(served.provider.house) == (0, {})
    folders = (served.folder / name for name in FOLDERS)
    assert examine(served.provider.house.data_dir, *folders).blocks == 3
    for case, (damage, expected) in CASES.items():
        damage(served.folder)
        before = served.there()
        code, found = fsck_of(served.provider.house)
        assert code == 1, case
        assert any(expected in file for file in found), (case, found)
        assert served.there() == before, case
        served.restore()
    assert fsck_of(served.provider.house) == (0, {})


@pytest.mark.parametrize("case", STARTED)
def test_damage_before_a_start_is_refused_by_name(served, make_provider, case):
    served.provider.stop()
    damage, expected = CASES[case]
    damage(served.folder)
    before = served.there()
    again = make_provider(publisher=served.provider.publisher, published=False)
    served.check(served.uses(again), expected)
    assert served.there() == before


@pytest.mark.parametrize(
    ("damage", "file"),
    [
        (at(f"{folder_of('d2')}/rows.bin", one_bit), f"{folder_of('d2')}/rows.bin"),
        (at(f"{folder_of('d2')}/manifest.json", halved), f"{folder_of('d2')}/manifest.json"),
        (at(f"{folder_of('d2')}/manifest.sig", one_bit), f"{folder_of('d2')}/manifest.sig"),
        (at(folder_of("d1"), gone), folder_of("d2")),
        (at(folder_of("a"), gone), folder_of("d1")),
    ],
)
def test_damage_that_came_before_any_server_saw_the_tables(
    make_publisher, make_provider, damage, file
):
    publisher = make_publisher()
    publisher.publish("old", created=NOW - timedelta(days=9))
    publish_all(publisher)
    damage(publisher.house.folder)
    provider = make_provider(publisher=publisher, published=False)
    client = provider.client()
    for _ in range(2):
        told = tried(
            lambda: client.direct.ListLabelTables(pb.ListLabelTablesRequest(parent=client.parent))
        )
        assert (told.reason, told.metadata["file"]) == ("DATA_DAMAGED", file)
    publisher.publish("new", created=NOW)
    if file.endswith(("manifest.json", "manifest.sig")):
        gone(publisher.tables_dir / table_id("d2"))  # nobody can tell what it was
    provider.rescan()
    request = pb.ListLabelTablesRequest(parent=client.parent)
    (table,) = client.direct.ListLabelTables(request).label_tables
    assert table.name.endswith(table_id("new"))


def test_what_a_newer_base_has_superseded_may_go(served):
    provider = served.provider
    provider.publisher.publish("b", created=NOW)
    provider.rescan()
    for name in ("a", "d1", "d2"):
        gone(served.folder / folder_of(name))
    provider.rescan()
    told = served.uses(provider)
    assert [told[use].reason for use in ("base", "delta")] == ["TABLE_EXPIRED"] * 2
    assert told["commit"]
    assert table_id("b").encode() in told["list"]
    provider.stop()
    assert fsck_of(provider.house) == (0, {})


def lost_store(data_dir):
    """The database is lost, and all that lies beside it but the lock."""
    for path in data_dir.iterdir():
        if path.name != "lock":
            path.unlink()


@pytest.mark.parametrize("way", [gone, lost_store])
@pytest.mark.parametrize("left", FOLDERS)
def test_a_lost_data_directory_is_not_begun_anew(served, make_provider, way, left):
    provider = served.provider
    provider.stop()
    way(provider.house.data_dir)
    (other,) = set(FOLDERS) - {left}
    gone(served.folder / other)
    before = served.there()
    for _ in range(2):
        with pytest.raises(StoreDoubtError, match="accept store"):
            make_provider(publisher=provider.publisher, published=False)
    assert served.there() == before
    served.restore()
    Acceptances(provider.house.data_dir).leave(Acceptable.STORE)
    for _ in range(2):  # accepted once, for good
        again = make_provider(publisher=provider.publisher, published=False)
        assert served.uses(again)["list"].reason == "AGREEMENT_SUSPENDED"
        again.stop()


@pytest.mark.parametrize("way", [one_bit, halved, emptied, missing])
def test_a_sign_that_is_damaged_is_written_again(served, make_provider, way):
    served.provider.stop()
    signs = [served.folder / name / SIGN for name in FOLDERS]
    before = [sign.read_bytes() for sign in signs]
    for sign in signs:
        way(sign)
    again = make_provider(publisher=served.provider.publisher, published=False)
    assert served.uses(again)["list"] == served.answers["list"]
    assert [sign.read_bytes() for sign in signs] == before


def test_a_folder_that_another_store_has_served_is_not_served(served, make_provider):
    """Both were not mounted, and one is now."""
    provider = served.provider
    provider.stop()
    for folder in (provider.house.data_dir, *(served.folder / name for name in FOLDERS)):
        gone(folder)
    again = make_provider(publisher=provider.publisher, published=False)
    gone(served.folder / "tables")
    shutil.copytree(served.kept / "tables", served.folder / "tables")
    again.rescan()
    told = served.uses(again)
    refused = (told[use].metadata["file"] for use in ("list", "base", "delta", "commit"))
    assert set(refused) == {f"tables/{SIGN}"}
    again.stop()
    assert f"tables/{SIGN}" in fsck_of(again.house)[1]
    with pytest.raises(StoreDoubtError, match="another data directory"):
        make_provider(publisher=provider.publisher, published=False)


def test_a_table_of_an_earlier_version_s_record_is_missed_too(served, make_provider):
    """Its store kept no manifests: the next look adds them, where the tables are whole."""
    provider = served.provider

    def forget():
        with provider.provider._store.write() as tx:
            for name in ("a", "d1", "d2"):
                tx.label_tables.describe(table_id(name), b"", b"")

    forget()
    provider.rescan()
    with provider.provider._store.read() as tx:
        assert all(record.manifest and record.signature for record in tx.label_tables.all())
    forget()
    gone(served.folder / folder_of("d2"))
    provider.rescan()
    served.check(served.uses(provider), table_id("d2"))
    provider.publisher.publish("b", epoch=2)
    provider.rescan()
    assert table_id("b").encode() in served.uses(provider)["list"]


def test_the_scrub_finds_what_nobody_asks_for(served, unit_log):
    rows = served.folder / folder_of("d1") / "rows.bin"
    with rows.open("r+b") as file:
        content = bytearray(file.read())
        content[7] ^= 1
        file.seek(0)
        file.write(content)
    scrub = served.provider.provider._scrub
    scrub.round()
    assert served.uses(served.provider)["list"].metadata["file"].endswith("rows.bin")
    scrub.round()
    served.restore()
    scrub.round()
    assert served.uses(served.provider) == served.answers
    assert unit_log.getvalue().count('"file_damaged"') == 1
    assert unit_log.getvalue().count('"file_damage_ended"') == 1
