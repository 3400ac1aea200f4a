"""Either side of direct mode dies at any step; the same command goes on, charged once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace

import pyarrow as pa
import pyarrow.csv
import pytest
from agency import CODES, NOW, DyingLink, Killed, all_servers, people, registry_table

from padan_client import Home, RefusedError, VerificationError
from padan_client.base.effects import Download, Exchange, Unary
from padan_client.base.errors import UnavailableError
from padan_client.protocol.direct import (
    blocks,
    building,
    evaluating,
    publishing,
)
from padan_client.transport.channel import Link
from padan_linkage.direct.manifest import TablePublication
from padan_linkage.direct.table import CHUNK_BYTES

PEOPLE = people(1200, seed=61)
REGISTRY = registry_table(PEOPLE[:60])


def reopened(home: Home) -> Home:
    """The home as a new process finds it."""
    return Home.open(home.folder, jitter=lambda: 0.0)


@pytest.fixture
def pair(make_direct):
    made = make_direct()
    made.publish(REGISTRY)
    return made


@pytest.fixture
def long_pair(make_direct, monkeypatch):
    """A list of two windows, each a stream of its own; the tables are here already."""
    monkeypatch.setattr(evaluating, "WINDOW", 11)
    made = make_direct()
    made.publish(registry_table(PEOPLE[:1100]))
    made.confirm(PEOPLE[:1])
    return made


def codes(result):
    return result.table["kode"].to_pylist()


STREAM = "DirectService.EvaluateElementStream"


def test_a_confirmation_survives_a_death_after_every_call(long_pair):
    pair = long_pair
    asked = PEOPLE[20:1110]
    link = DyingLink(pair.requester, 0)
    before = pair.charged()
    truth = codes(pair.confirm(asked, link=link))
    once = pair.charged() - before
    assert link.calls.count(STREAM) == 2
    assert truth.count("TIDAK_DITEMUKAN") == 10
    for n in range(1, len(link.calls) + 1):
        before = pair.charged()
        asked = [PEOPLE[n], *PEOPLE[21:1110]]  # another list every time, of as many people
        with pytest.raises(Killed):
            pair.confirm(asked, link=DyingLink(pair.requester, n))
        pair.requester = reopened(pair.requester)
        assert codes(pair.confirm(asked))[1:] == truth[1:], link.calls[n - 1]
        assert pair.charged() - before == once, f"charged twice after {link.calls[n - 1]}"
        assert not list((pair.requester.folder / "jobs").iterdir())


def test_what_was_evaluated_is_not_asked_again(long_pair):
    pair = long_pair
    whole = DyingLink(pair.requester, 0)
    pair.confirm(PEOPLE[:1090], link=whole)
    second = [n for n, call in enumerate(whole.calls, 1) if call == STREAM][1]
    with pytest.raises(Killed):
        pair.confirm(PEOPLE[1:1091], link=DyingLink(pair.requester, second))
    rest = DyingLink(pair.requester, 0)
    pair.confirm(PEOPLE[1:1091], link=rest)
    assert rest.calls.count(STREAM) == 1, "the first window was asked again"


def test_a_job_keeps_to_the_tables_it_began_with(pair):
    asked = PEOPLE[:50]
    with pytest.raises(Killed):
        pair.confirm(asked, link=DyingLink(pair.requester, 4))
    row = REGISTRY.to_pylist()[0]
    changed = {**row, "status": "PENSIUN" if row["status"] != "PENSIUN" else "AKTIF"}
    pair.publish(pa.Table.from_pylist([changed]), delta_of=pair.tables[0].name)
    assert codes(pair.confirm(asked))[0] == CODES[row["status"]]
    assert codes(pair.confirm(asked))[0] == CODES[changed["status"]]


class Cutting(Link):
    """A network that cuts every stream after one message, and loses every other answer."""

    def __init__(self, home: Home) -> None:
        super().__init__(all_servers(home), home.config.timeouts, lambda seconds: None)
        self.calls = 0

    def _perform(self, effect):
        if isinstance(effect, Download | Exchange):
            return self._cut(effect)
        result = super()._perform(effect)
        self.calls += isinstance(effect, Unary)
        if isinstance(effect, Unary) and self.calls % 2:
            raise UnavailableError("lost")
        return result

    def _cut(self, effect):
        taken = []

        def sink(message):
            if taken:
                raise UnavailableError("cut")
            taken.append(message)
            effect.sink(message)

        return super()._perform(replace(effect, sink=sink))


def test_cut_streams_go_on_where_they_were(make_direct):
    pair = make_direct()
    pair.publish(registry_table(PEOPLE[:1100]))
    result = pair.confirm(PEOPLE[:1105], link=Cutting(pair.requester))
    assert result.counts["TIDAK_DITEMUKAN"] == 5
    assert 14 * pair.charged() == sum(result.evaluated.values())


def test_a_download_goes_on_behind_the_last_good_chunk(long_pair):
    pair = long_pair
    (table,) = (pair.requester.folder / "direct").rglob("rows.bin")
    content = bytearray(table.read_bytes())
    assert len(content) >= 2 * CHUNK_BYTES
    content[CHUNK_BYTES + 5] ^= 1  # the process died while it wrote the second chunk
    table.with_name("rows.part").write_bytes(content)
    table.unlink()
    starts = []

    class Watching(DyingLink):
        def _perform(self, effect):
            if isinstance(effect, Download):
                starts.append(effect.request.start_chunk)
            return super()._perform(effect)

    assert pair.confirm(PEOPLE[:5], link=Watching(pair.requester, 0)).table.num_rows == 5
    assert starts == [1]


def test_a_copy_of_a_table_that_was_damaged_answers_nobody(long_pair):
    """A power cut or a disk took a page of it: «tidak ditemukan» would be untrue."""
    pair = long_pair
    whole = codes(pair.confirm(PEOPLE[:5]))
    (table,) = (pair.requester.folder / "direct").rglob("rows.bin")
    content = table.read_bytes()
    table.write_bytes(content[:CHUNK_BYTES] + bytes(len(content) - CHUNK_BYTES))
    with pytest.raises(VerificationError, match="rusak"):
        pair.confirm(PEOPLE[:5])
    assert codes(pair.confirm(PEOPLE[:5])) == whole, "it is not fetched anew"


# The provider's side.


class Stop(BaseException):
    """The building process died."""


def publish_and_die(pair, table, monkeypatch, target, name, after, **more):
    """A publication that dies when ``name`` of ``target`` is called once more than ``after``."""
    with monkeypatch.context() as patched:
        patched.setattr(target, name, dies(target, name, after))
        with pytest.raises(Stop):
            pair.publish(table, **more)
    pair.provider = reopened(pair.provider)


def dies(module, name, after):
    """``name`` of ``module`` works ``after`` times and then kills."""
    function, calls = getattr(module, name), []

    def dying(*arguments, **more):
        calls.append(1)
        if len(calls) > after:
            raise Stop
        return function(*arguments, **more)

    return dying


def test_building_goes_on_and_makes_no_part_twice(make_direct, monkeypatch):
    pair = make_direct()
    monkeypatch.setattr(building, "BLOCK_RECORDS", 10)
    publish_and_die(pair, REGISTRY, monkeypatch, blocks, "run_block", 4)
    made = []
    with monkeypatch.context() as patched:
        run = blocks.run_block
        patched.setattr(blocks, "run_block", lambda *a: (made.append(1), run(*a)))
        pair.publish(REGISTRY)
    assert len(made) == 2
    assert pair.confirm(PEOPLE[:70]).counts["TIDAK_DITEMUKAN"] == 10
    assert not list((pair.provider.folder / "jobs").iterdir())


@pytest.mark.parametrize("step", ["_manifest", "_move_in", "sync"])
def test_publishing_goes_on_from_any_step_with_one_table(make_direct, monkeypatch, step):
    pair = make_direct()
    base = pair.publish(REGISTRY)
    row = {**REGISTRY.to_pylist()[0], "status": "PENSIUN"}
    changes = pa.Table.from_pylist([row])
    publish_and_die(pair, changes, monkeypatch, publishing, step, 0, delta_of=base.dataset)
    assert len(pair.tables) == 1
    pair.publish(changes, delta_of=base.dataset)
    assert [TablePublication.read(folder).manifest.sequence for folder in pair.tables].count(1) == 1
    assert codes(pair.confirm(PEOPLE[:2]))[0] == "ASN_PENSIUN"


@pytest.mark.parametrize("delta", [False, True])
def test_a_death_after_publication_publishes_nothing_twice(make_direct, monkeypatch, delta):
    pair = make_direct()
    more = {"delta_of": pair.publish(REGISTRY).dataset} if delta else {}
    publish_and_die(pair, REGISTRY, monkeypatch, type(pair.provider.jobs), "close", 0, **more)
    before = len(pair.tables)
    assert before == 1 + delta
    pair.publish(REGISTRY, **more)
    assert len(pair.tables) == before


def test_the_command_can_be_killed_and_run_again(make_direct, tmp_path):
    pair = make_direct()
    file = tmp_path / "registri.csv"
    pyarrow.csv.write_csv(registry_table(PEOPLE[:100]), file)
    agreement, flow = pair.names
    home = pair.provider.folder
    command = [sys.executable, "-m", "padan_client", "publish", str(file), "--id", "id"]
    command += ["--agreement", agreement, "--flow", flow, "--home", str(home), "--json"]
    command += ["--status", "status", "--mode", "direct", "--processes", "1"]
    killed = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    jobs = home / "jobs"
    while killed.poll() is None and not list(jobs.glob("publish-direct-*.job")):
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() in {-signal.SIGKILL, 0}
    killed.communicate()
    again = subprocess.run(command, capture_output=True, check=False)
    assert again.returncode == 0, again.stderr
    pair.server.rescan()
    assert len(pair.tables) == 1 + (killed.returncode == 0)
    assert pair.confirm(PEOPLE[90:110]).counts["TIDAK_DITEMUKAN"] == 10


def test_a_job_whose_tables_are_gone_starts_anew(pair):
    asked = PEOPLE[:30]
    with pytest.raises(Killed):
        pair.confirm(asked, link=DyingLink(pair.requester, 4))
    for path in (pair.requester.folder / "direct").rglob("rows.bin"):
        path.unlink()
    assert sum(pair.confirm(asked).counts.values()) == 30


def test_a_destroyed_epoch_ends_the_job(pair):
    asked = PEOPLE[:30]
    with pytest.raises(Killed):
        pair.confirm(asked, link=DyingLink(pair.requester, 3))
    pair.provider.seeds().destroy(pair.provider.place(*pair.names), 1, NOW)
    pair.server.rescan()
    with pytest.raises(RefusedError) as error:
        pair.confirm(asked)
    assert error.value.reason in {"TABLE_EXPIRED", "TABLE_NOT_FOUND"}
    assert not list((pair.requester.folder / "jobs").iterdir())
