"""The client dies after any of its calls; the same command goes on, and is charged once."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.csv
import pytest
from agency import DyingLink, Killed, all_servers, people, registry_table

from padan.v1 import dataset_service_pb2 as dataset_pb
from padan_client import Home, ProviderClient, RefusedError, RequesterClient
from padan_client.base.effects import Unary, Upload
from padan_client.base.errors import BadInputError, UnavailableError
from padan_client.transport.channel import Link

PEOPLE = people(140, seed=6)


def reopened(home: Home) -> Home:
    """The home as a new process finds it."""
    return Home.open(home.folder, jitter=lambda: 0.0)


def charged(pair) -> int:
    """Records charged to the flow so far, without what is held ahead for questions."""
    unit, day = pair.unit.unit, pair.unit.clock.now().date()
    with unit._store.read() as tx:
        return tx.quotas.used(*pair.names, day) - unit._ledger.held(*pair.names, day)


def price(pair, records: int) -> int:
    """What one list of so many records is charged."""
    return pair.requester.place(*pair.names).flow.schema.charged_records(records)


def datasets(pair, home):
    """The agency's datasets that are not deleted."""
    from padan_client.protocol.unit.listing import list_datasets

    place = home.place(*pair.names)
    with Link.open(home, *pair.names) as link:
        found = link.run(list_datasets(place, 1000, home.patience))
    return [d for d in found if d.state != dataset_pb.Dataset.STATE_DELETED]


def publish(home, pair, table, link=None, **more):
    with ProviderClient(home, *pair.names, link=link) as client:
        return client.publish(table, id_column="id", status_column="status", **more)


def confirm(home, pair, records, link=None):
    with RequesterClient(home, *pair.names, link=link) as client:
        return client.confirm(records)


@pytest.fixture(scope="module")
def published(small_pair):
    publish(small_pair.provider, small_pair, registry_table(PEOPLE[:40]))
    return small_pair


def calls_of(steps, home):
    """How many calls a job makes when nothing goes wrong."""
    link = DyingLink(home, 0)
    steps(link)
    return link.calls


def test_a_confirmation_survives_a_death_after_every_call(published):
    pair, home = published, published.requester
    records = PEOPLE[20:48]
    calls = calls_of(lambda link: confirm(home, pair, records, link), home)
    assert calls[-1] == "DatasetService.DeleteDataset"
    for n in range(1, len(calls) + 1):
        asked = PEOPLE[20 + n % 10 : 60]
        before = charged(pair)
        with pytest.raises(Killed):
            confirm(home, pair, asked, DyingLink(home, n))
        finished = calls[n - 1] == "DatasetService.DeleteDataset"
        if not finished:
            result = confirm(reopened(home), pair, asked)
            assert sum(result.counts.values()) == len(asked)
            assert result.counts["TIDAK_DITEMUKAN"] == 20
        assert charged(pair) - before == price(pair, len(asked)), calls[n - 1]
        assert not list((home.folder / "jobs").glob("*.job"))
    assert datasets(pair, home) == []


def test_a_publication_survives_a_death_after_every_call(published):
    pair, home = published, published.provider
    table = registry_table(PEOPLE[:30])
    calls = calls_of(lambda link: publish(home, pair, table, link), home)
    for n in range(1, len(calls) + 1):
        table = registry_table(PEOPLE[n : n + 40])
        before = len(datasets(pair, home))
        with pytest.raises(Killed):
            publish(home, pair, table, DyingLink(home, n))
        published_now = publish(reopened(home), pair, table)
        assert published_now.rows == 40
        assert len(datasets(pair, home)) == before + 1, calls[n - 1]
        result = confirm(pair.requester, pair, PEOPLE[n : n + 45])
        assert result.counts["TIDAK_DITEMUKAN"] == 5
        assert result.unopened == 0
    publish(home, pair, registry_table(PEOPLE[:40]))


class DiesAtCommit(DyingLink):
    """The client dies before its commit is sent; ``edition`` is what it would have sent."""

    def __init__(self, home: Home) -> None:
        super().__init__(home, 0)

    def _perform(self, effect):
        if isinstance(effect, Unary) and effect.method == "DatasetService.CommitDataset":
            self.edition = effect.request.edition
            raise Killed
        return super()._perform(effect)


def test_the_same_job_measures_the_same_edition_again(published):
    pair, home = published, published.provider
    table = registry_table(PEOPLE[3:60])
    sent = []
    for _ in range(2):
        link = DiesAtCommit(home)
        with pytest.raises(Killed):
            publish(reopened(home), pair, table, link)
        sent.append(link.edition)
    assert sent[0].calibrations
    assert sent[0] == sent[1]
    result = publish(reopened(home), pair, table)
    assert result.edition.document() == sent[0].document
    assert confirm(pair.requester, pair, PEOPLE[:30]).edition == result.edition.name()
    publish(home, pair, registry_table(PEOPLE[:40]))


def test_a_delta_survives_a_death_after_every_call(published):
    pair, home = published, published.provider
    base = publish(home, pair, registry_table(PEOPLE[:40]))
    rows = registry_table(PEOPLE).to_pylist()
    calls: list[str] = []
    for n in range(1, 30):
        changes = pa.Table.from_pylist([{**rows[3], "status": "PENSIUN"}, rows[40 + n]])
        more = {"delta_of": base.dataset, "deletes": [rows[5 + n]["id"]]}
        link = DyingLink(home, n)
        try:
            publish(home, pair, changes, link, **more)
        except Killed:
            calls = link.calls
        else:
            break
        edition = base.edition
        base = publish(reopened(home), pair, changes, **more)
        assert base.edition == edition
        result = confirm(pair.requester, pair, [*PEOPLE[:40], PEOPLE[40 + n]])
        kode = result.table["kode"].to_pylist()
        assert kode[3] == "ASN_PENSIUN"
        assert kode[5 + n] == "TIDAK_DITEMUKAN"
        assert kode[40] != "TIDAK_DITEMUKAN"
        assert result.unopened == 0
    assert calls[-2:] == ["DatasetService.CommitDataset", "DatasetService.GetEdition"]
    publish(home, pair, registry_table(PEOPLE[:40]))


class Flaky(Link):
    """A network on which the answer to every other call is lost, after the unit acted."""

    def __init__(self, home: Home) -> None:
        super().__init__(all_servers(home), home.config.timeouts, lambda seconds: None)
        self.calls = 0

    def _perform(self, effect):
        result = super()._perform(effect)
        if isinstance(effect, Unary | Upload):
            self.calls += 1
            if self.calls % 2:
                raise UnavailableError("lost")
        return result


def test_lost_answers_are_asked_again_and_nothing_is_done_twice(published):
    pair = published
    before, many = charged(pair), len(datasets(pair, pair.provider))
    publish(pair.provider, pair, registry_table(PEOPLE[:40]), Flaky(pair.provider))
    assert len(datasets(pair, pair.provider)) == many + 1
    result = confirm(pair.requester, pair, PEOPLE[20:60], Flaky(pair.requester))
    assert result.counts["TIDAK_DITEMUKAN"] == 20
    assert charged(pair) - before == price(pair, 40)
    with RequesterClient(pair.requester, *pair.names, link=Flaky(pair.requester)) as client:
        client.confirm_few(PEOPLE[20:21])
    passes = len(pair.requester.place(*pair.names).flow.schema.passes)
    assert charged(pair) - before <= price(pair, 40) + passes


def test_a_list_erased_at_the_unit_meanwhile_is_sent_anew(published):
    pair, home = published, published.requester
    records = PEOPLE[15:50]
    with pytest.raises(Killed):
        confirm(home, pair, records, DyingLink(home, 7))
    (job,) = home.jobs.pending()
    with Link.open(home, *pair.names) as link:
        from padan_client.protocol.unit.listing import delete_dataset

        link.run(delete_dataset(job.names["dataset"], home.randomness, home.patience))
    assert confirm(home, pair, records).counts["TIDAK_DITEMUKAN"] == 10


def test_a_cancelled_run_ends_the_job_and_the_next_command_starts_anew(published):
    pair, home = published, published.requester
    records = PEOPLE[18:52]

    def cancel(pass_id):
        from padan_client.protocol.unit.listing import cancel_run

        pair.unit.engine.before = lambda pass_id: None
        while "run" not in (job := home.jobs.pending()[0]).names:
            time.sleep(0.01)  # the unit is faster than the client notes the run's name
        with Link.open(home, *pair.names) as link:
            link.run(cancel_run(job.names["run"], home.randomness, home.patience))

    pair.unit.engine.before = cancel
    with pytest.raises(RefusedError, match="dibatalkan"):
        confirm(home, pair, records)
    assert confirm(home, pair, records).counts["TIDAK_DITEMUKAN"] == 12


def test_nothing_personal_is_left_in_the_home(published):
    pair, home = published, published.requester
    with pytest.raises(Killed):
        confirm(home, pair, PEOPLE[16:51], DyingLink(home, 9))
    planted = re.compile("|".join(v for p in PEOPLE for v in p.values()).encode())
    for folder in (home.folder, pair.provider.folder):
        for path in folder.rglob("*"):
            if path.is_file():
                assert not planted.search(path.read_bytes()), path
                assert path.name.endswith(".public.json") or (
                    path.name == "client.toml" or path.stat().st_mode & 0o077 == 0
                )


def uploading(home) -> bool:
    """Whether some job has got a dataset from the unit."""
    with contextlib.suppress(BadInputError):  # gone between listing and reading
        return any("dataset" in job.names for job in home.jobs.pending())
    return False


def test_the_command_can_be_killed_and_run_again(published, tmp_path):
    pair, home = published, published.provider
    many = len(datasets(pair, home))
    file = tmp_path / "registri.csv"
    pyarrow.csv.write_csv(registry_table(PEOPLE[:40]), file)
    agreement, flow = pair.names
    command = [sys.executable, "-m", "padan_client", "publish", str(file), "--id", "id"]
    command += ["--agreement", agreement, "--flow", flow, "--home", str(home.folder), "--json"]
    killed = subprocess.Popen([*command, "--status", "status"], stderr=subprocess.PIPE)
    jobs = home.folder / "jobs"
    while killed.poll() is None and not uploading(home):
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() in {-signal.SIGKILL, 0}
    killed.stderr.close()
    again = subprocess.run([*command, "--status", "status"], capture_output=True, check=False)
    assert again.returncode == 0, again.stderr
    assert len(datasets(pair, home)) == many + 1 + (killed.returncode == 0)
    assert not list(jobs.glob("*.job"))
