"""Single questions are charged ahead in blocks: never too little, whatever is killed when."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from padan_linkage.agreement import Mode, Quota
from padan_server.admission.ledger import BLOCK, Ledger, damaged_journals
from padan_server.admission.quotas import charge
from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import FlowKey, RequestKey
from padan_server.store.port import StoreFullError
from padan_server.store.sql.store import SqlStore

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
FLOW = FlowKey("a", b"d" * 32, "f")


@dataclass
class LedgerGrant:
    """What the ledger needs of a grant."""

    limit: int = 10_000
    now: datetime = NOW
    key: FlowKey = FLOW
    mode: Mode = Mode.UNIT
    metadata: dict = field(default_factory=dict)

    @property
    def flow(self):
        quota = Quota(records_per_day=self.limit, records_per_list=self.limit)
        return SimpleNamespace(id="f", quota=quota, direct=None)


def request(number, digest=b"x"):
    return RequestKey("kemnaker", "ConfirmRecords", f"{number:032x}", digest * 32)


@pytest.fixture
def life(tmp_path):
    """Begins a new life of the ledger on the same store; ``stop`` is an orderly end."""
    store = SqlStore(f"sqlite:///{tmp_path / 'unit.sqlite'}")

    def begin():
        ledger = Ledger(store, tmp_path)
        ledger.recover()
        return ledger

    begin.store = store
    yield begin
    store.close()


def used(life, day=NOW):
    with life.store.read() as tx:
        return tx.quotas.used("a", "f", day.astimezone(UTC).date())


def test_questions_share_a_block_and_its_rest_goes_back(life):
    ledger = life()
    for number in range(100):
        assert ledger.charge(LedgerGrant(), 2, request(number), "r") is None
    assert used(life) == BLOCK
    assert ledger.held("a", "f", date(2026, 11, 20)) == BLOCK - 200
    ledger.stop()
    assert used(life) == 200


def test_a_killed_ledger_charges_the_rest_of_its_block_and_forgets_no_request(life):
    killed = life()
    killed.charge(LedgerGrant(), 5, request(1), "r1")
    heir = life()
    assert used(life) == BLOCK
    assert heir.known(request(1)) == "r1"
    heir.charge(LedgerGrant(), 5, request(2), "r2")
    heir.stop()
    assert used(life) == BLOCK + 5
    assert life().known(request(2)) == "r2"


def test_a_line_that_was_damaged_is_told_stays_charged_and_costs_no_other(life, tmp_path, unit_log):
    killed = life()
    for number in range(3):
        killed.charge(LedgerGrant(), 5, request(number), f"r{number}")
    (path,) = tmp_path.glob("questions-*.journal")
    content = path.read_bytes().replace(request(1).request_id.encode(), b"f" * 32)
    path.write_bytes(content + content[:30])  # the last was never answered
    assert damaged_journals(tmp_path) == [path.name]
    heir = life()
    assert [heir.known(request(number)) for number in range(3)] == ["r0", None, "r2"]
    assert heir.known(RequestKey("kemnaker", "ConfirmRecords", "f" * 32, b"\1" * 32)) is None
    assert used(life) == BLOCK
    told = [json.loads(line) for line in unit_log.getvalue().splitlines()]
    assert [(e["file"], e["lines"]) for e in told if e["event"] == "journal_damaged"] == [
        (path.name, 1)
    ]


def test_the_day_is_used_to_its_last_record_and_no_further(life):
    ledger = life()
    asking = LedgerGrant(limit=BLOCK + 10)
    for number in range(BLOCK + 10):
        ledger.charge(asking, 1, request(number), "r")
    with pytest.raises(Refusal) as refused:
        ledger.charge(asking, 1, request(9999), "r")
    assert refused.value.reason is Reason.QUOTA_DAY_EXCEEDED
    assert refused.value.metadata["used"] == str(BLOCK + 10)
    tomorrow = LedgerGrant(limit=BLOCK + 10, now=NOW + timedelta(days=1))
    assert ledger.charge(tomorrow, 1, request(10000), "r") is None
    ledger.stop()
    assert used(life) == BLOCK + 10
    assert used(life, tomorrow.now) == 1


def test_a_refused_question_costs_nothing(life):
    ledger = life()
    with pytest.raises(Refusal) as refused:
        ledger.charge(LedgerGrant(limit=8), 9, request(1), "r")
    assert refused.value.metadata["used"] == "0"
    assert ledger.known(request(1)) is None
    assert ledger.charge(LedgerGrant(limit=8), 8, request(2), "r") is None
    ledger.stop()
    assert used(life) == 8


def test_a_list_finds_what_questions_hold(life):
    ledger = life()
    ledger.charge(LedgerGrant(limit=300), 10, request(1), "r")
    with ledger.settled(LedgerGrant(limit=300)) as tx:
        charge(tx, LedgerGrant(limit=300), 290)
    assert used(life) == 300
    ledger.stop()
    assert used(life) == 300


def test_a_list_that_is_refused_leaves_the_block(life):
    ledger = life()
    ledger.charge(LedgerGrant(limit=300), 10, request(1), "r")
    with pytest.raises(Refusal) as refused, ledger.settled(LedgerGrant(limit=300)) as tx:
        charge(tx, LedgerGrant(limit=300), 291)
    assert refused.value.metadata["used"] == "10"
    assert ledger.held("a", "f", date(2026, 11, 20)) == BLOCK - 10
    ledger.stop()
    assert used(life) == 10


def test_parallel_questions_never_overshoot(life):
    ledger = life()
    ledger.start()
    asking = LedgerGrant(limit=700)

    def ask(number):
        try:
            ledger.charge(asking, 3, request(number), "r")
        except Refusal:
            return 0
        return 3

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(ask, range(300)))
    ledger.stop()
    assert taken == 699
    assert used(life) == taken


def test_a_request_is_charged_once_however_often_it_comes(life):
    ledger = life()
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: ledger.charge(LedgerGrant(), 4, request(7), "r"), range(16))
        )
    assert answers.count(None) == 1
    assert set(answers) == {None, "r"}
    with pytest.raises(Refusal) as refused:
        ledger.known(request(7, b"y"))
    assert refused.value.reason is Reason.REQUEST_ID_REUSED
    ledger.stop()
    assert used(life) == 4


def test_a_torn_line_of_a_journal_is_passed_over(life, tmp_path):
    life().charge(LedgerGrant(), 1, request(1), "r1")
    journal = next(tmp_path.glob("questions-*.journal"))
    journal.write_bytes(journal.read_bytes() + b'["kemnaker", "Conf')
    heir = life()
    assert heir.known(request(1)) == "r1"
    assert not list(tmp_path.glob("questions-*.journal"))


def test_a_death_between_store_and_journal_charges_and_forgets_nothing(life, tmp_path):
    ledger = life()
    for number in range(20):
        ledger.charge(LedgerGrant(), 1, request(number), f"r{number}")
    journal = next(tmp_path.glob("questions-*.journal"))
    written = journal.read_bytes()
    ledger.stop()
    journal.write_bytes(written)  # it was moved into the store, and not yet erased
    heir = life()
    assert [heir.known(request(number)) for number in range(20)] == [f"r{n}" for n in range(20)]
    assert used(life) == 20


def test_requests_that_the_store_did_not_take_stay_in_the_journal(life, tmp_path, monkeypatch):
    ledger = life()
    ledger.charge(LedgerGrant(), 1, request(1), "r1")
    write = life.store.write

    @contextmanager
    def full():
        with write() as tx:
            yield tx
            raise StoreFullError

    monkeypatch.setattr(life.store, "write", full)
    ledger.stop()
    monkeypatch.undo()
    assert list(tmp_path.glob("questions-*.journal"))
    assert ledger.known(request(1)) == "r1"
    assert life().known(request(1)) == "r1"
    assert not list(tmp_path.glob("questions-*.journal"))
