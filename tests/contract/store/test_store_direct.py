"""What every store promises of blinded lists, keys' accounts and label tables."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from padan_server.base.model import BlindedList, TableRecord

KEY = b"p" * 32


@pytest.fixture
def blinded(flow, start):
    """A list of 2,500 elements."""
    return BlindedList("a" * 32, flow, "kemnaker", 3, KEY, 2500, b"r" * 32, start)


@pytest.fixture
def table(flow, start):
    """A table that expires after a day."""
    return TableRecord("b" * 32, flow, 3, 0, 4096, b"r" * 32, start, start + timedelta(days=1))


def test_a_list_comes_back_as_it_was_kept(store, open_store, blinded):
    with store.write() as tx:
        tx.lists.add(blinded)
    with open_store().read() as tx:
        assert tx.lists.get(blinded.id) == blinded
        assert tx.lists.get("c" * 32) is None
    with pytest.raises(Exception, match=r"(?i)unique"), store.write() as tx:
        tx.lists.add(blinded)


def test_a_chunk_counts_once(store, open_store, blinded):
    with store.write() as tx:
        tx.lists.add(blinded)
        assert tx.lists.record_chunk(blinded.id, 0, 1024)
    with open_store().write() as tx:
        assert not tx.lists.record_chunk(blinded.id, 0, 1024)
        assert tx.lists.record_chunk(blinded.id, 2, 452)
    with store.read() as tx:
        assert tx.lists.get(blinded.id) == replace(blinded, evaluated_count=1476)


def test_a_key_is_never_asked_for_more_than_its_limit(store, open_store):
    with store.write() as tx:
        assert tx.lists.charge_key(KEY, 60, 100) == 60
        assert tx.lists.charge_key(KEY, 41, 100) is None
        assert tx.lists.charge_key(b"q" * 32, 100, 100) == 100
    with open_store().write() as tx:
        assert tx.lists.charge_key(KEY, 40, 100) == 100
        assert tx.lists.charge_key(KEY, 1, 100) is None
        assert tx.lists.key_used(KEY) == 100
        assert tx.lists.key_used(b"n" * 32) == 0


def test_parallel_charges_of_a_key_do_not_overshoot(store):
    granted = []

    def charge():
        for _ in range(5):
            with store.write() as tx:
                granted.append(tx.lists.charge_key(KEY, 7, 100))

    threads = [threading.Thread(target=charge) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(g for g in granted if g) == [7 * i for i in range(1, 15)]


def test_tables_are_remembered_after_their_end(store, open_store, table, flow, start):
    with store.write() as tx:
        assert tx.label_tables.add(table)
        assert not tx.label_tables.add(replace(table, first_time=start + timedelta(hours=1)))
        assert tx.label_tables.all() == [table]
        tx.label_tables.describe(table.id, b"manifest", b"signature")
        described = replace(table, manifest=b"manifest", signature=b"signature")
        assert tx.label_tables.get(table.id) == described
        tx.label_tables.describe(table.id, b"", b"")
        assert tx.label_tables.left(start) == []
        assert tx.label_tables.left(table.expire_time) == [table]
        tx.label_tables.describe(table.id, b"manifest", b"signature")
        tx.label_tables.destroyed(table.id, table.expire_time)
    with open_store().read() as tx:
        assert tx.label_tables.left(start + timedelta(days=9)) == []
        assert tx.label_tables.get(table.id) == replace(table, destroy_time=table.expire_time)
        assert tx.label_tables.get("0" * 32) is None
        assert tx.label_tables.has_epoch(flow, 3)
        assert not tx.label_tables.has_epoch(flow, 4)
        assert not tx.label_tables.has_epoch(replace(flow, digest=b"x" * 32), 3)
