"""What every store promises of suspensions, epochs, quotas and request ids."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest

from padan_server.base.model import AnsweredRequest, Contribution, RequestKey, Suspension

DAY = date(2026, 11, 20)
KEY = RequestKey("bkn", "CreateDataset", "0" * 36, b"d" * 32)


def test_suspensions_stand_until_their_party_resumes(store, open_store, start):
    first = Suspension("a", "bkn", "Pasal 10 ayat (2)", start)
    second = Suspension("a", "kemnaker", "Pasal 10 ayat (3)", start + timedelta(hours=1))
    with store.write() as tx:
        tx.agreements.suspend(second)
        tx.agreements.suspend(first)
        tx.agreements.suspend(Suspension("b", "bkn", "x", start))
    with open_store().read() as tx:
        assert tx.agreements.suspensions("a") == [first, second]
    with store.write() as tx:
        tx.agreements.suspend(replace(second, article="Pasal 11"))
        tx.agreements.resume("a", "bkn")
        tx.agreements.resume("a", "bkn")
    with store.read() as tx:
        assert tx.agreements.suspensions("a") == [replace(second, article="Pasal 11")]


def test_contributions_are_newest_epoch_first(store, open_store, flow, start):
    def made(epoch, party, key=flow):
        return Contribution(key, epoch, party, b"p" * 32, b"s" * 64, start)

    with store.write() as tx:
        for contribution in (
            made(1, "kemnaker"),
            made(2, "bkn"),
            made(1, "bkn"),
            made(7, "bkn", replace(flow, digest=b"o" * 32)),
        ):
            tx.agreements.add_contribution(contribution)
    with open_store().read() as tx:
        found = tx.agreements.contributions(flow)
    assert found == [made(2, "bkn"), made(1, "bkn"), made(1, "kemnaker")]


def test_a_party_contributes_once_to_an_epoch(store, flow, start):
    first = Contribution(flow, 1, "bkn", b"p" * 32, b"s" * 64, start)
    with store.write() as tx:
        tx.agreements.add_contribution(first)
    with pytest.raises(Exception, match=r"(?i)unique"), store.write() as tx:
        tx.agreements.add_contribution(replace(first, public_key=b"q" * 32))
    with store.read() as tx:
        assert tx.agreements.contributions(flow) == [first]


def test_a_quota_is_never_exceeded(store, open_store):
    with store.write() as tx:
        assert tx.quotas.charge("a", "f", DAY, 60, 100) == 60
        assert tx.quotas.charge("a", "f", DAY, 41, 100) is None
        assert tx.quotas.charge("a", "f", DAY, 40, 100) == 100
        assert tx.quotas.charge("a", "f", DAY, 1, 100) is None
        assert tx.quotas.charge("a", "f", DAY + timedelta(days=1), 1, 100) == 1
        assert tx.quotas.charge("a", "g", DAY, 101, 100) is None
    with open_store().read() as tx:
        assert tx.quotas.used("a", "f", DAY) == 100
        assert tx.quotas.used("a", "g", DAY) == 0


def test_a_failed_block_charges_nothing(store):
    with pytest.raises(RuntimeError), store.write() as tx:  # noqa: PT012 - the block as a whole
        tx.quotas.charge("a", "f", DAY, 60, 100)
        raise RuntimeError
    with store.read() as tx:
        assert tx.quotas.used("a", "f", DAY) == 0


def test_parallel_charges_do_not_overshoot(store):
    granted = []

    def charge():
        for _ in range(5):
            with store.write() as tx:
                granted.append(tx.quotas.charge("a", "f", DAY, 7, 100))

    threads = [threading.Thread(target=charge) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(g for g in granted if g) == [7 * i for i in range(1, 15)]
    with store.read() as tx:
        assert tx.quotas.used("a", "f", DAY) == 98


def test_requests_are_remembered_by_party_method_and_id(store, open_store, start):
    with store.write() as tx:
        assert tx.requests.find(KEY) is None
        tx.requests.remember(AnsweredRequest(KEY, "thing", start))
    with open_store().read() as tx:
        assert tx.requests.find(KEY) == (b"d" * 32, "thing")
        assert tx.requests.find(replace(KEY, digest=b"e" * 32)) == (b"d" * 32, "thing")
        for other in (
            replace(KEY, party="kemnaker"),
            replace(KEY, method="CreateRun"),
            replace(KEY, request_id="1" * 36),
        ):
            assert tx.requests.find(other) is None


def test_old_requests_are_forgotten(store, start):
    with store.write() as tx:
        old = AnsweredRequest(KEY, "old", start)
        other = replace(KEY, request_id="1" * 36)
        tx.requests.remember(old, AnsweredRequest(other, "new", start + timedelta(days=2)))
        assert tx.requests.forget(start + timedelta(days=1)) == 1
        assert tx.requests.find(KEY) is None
        assert tx.requests.find(other) is not None


def test_of_many_answers_of_a_request_the_last_is_kept(store, start):
    others = [replace(KEY, request_id=f"{n:036}") for n in (1, 2, 3)]
    with store.write() as tx:
        tx.requests.remember(AnsweredRequest(KEY, "first", start))
        tx.requests.remember(
            *(AnsweredRequest(key, key.request_id, start) for key in others),
            AnsweredRequest(replace(KEY, digest=b"e" * 32), "second", start),
            AnsweredRequest(KEY, "third", start),
        )
        tx.requests.remember()
    with store.read() as tx:
        assert tx.requests.find(KEY) == (KEY.digest, "third")
        assert [tx.requests.find(key) for key in others] == [
            (KEY.digest, k.request_id) for k in others
        ]
