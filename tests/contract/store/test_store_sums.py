"""What a party's datasets hold, as a sum: it is what adding them up gives, whatever happened."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from padan_server.base.model import DatasetState, DatasetTable, HeldRows

FIRST = 2**62
HOLDING = (DatasetState.OPEN, DatasetState.COMMITTED, DatasetState.DELETING)
STEPS = ("create", "upload", "finish", "commit", "delete", "expire", "erase")
steps = st.lists(
    st.tuples(
        st.sampled_from(STEPS),
        st.integers(0, 1000),
        st.sampled_from(["", "base"]),
        st.sampled_from(["bkn", "kemnaker"]),
        st.booleans(),
    ),
    max_size=40,
)


class Stopped(Exception):
    """The server dies before the change is durable."""


@pytest.fixture
def numbers():
    """Of datasets, none twice."""
    return count(1)


def recounted(tx, flow, owner):
    """The sum, by adding up every dataset."""
    found = Counter()
    for each in tx.datasets.page(flow, owner, before=FIRST, limit=FIRST):
        if each.state in HOLDING:
            for table in each.tables:
                found[table.pass_id, each.is_delta] += max(table.rows, table.upload_rows)
    return +found


def held(tx, flow, owner):
    """The sum as it is kept."""
    return +Counter({(h.pass_id, h.is_delta): h.rows for h in tx.datasets.held(flow, owner)})


def change(tx, step, rows, made, start):
    """What the server does with a dataset at one step of its life."""
    first, *others = made.tables
    if step == "upload":
        tx.datasets.set_table(made.id, replace(first, uploaded=rows), start)
    elif step == "finish":
        done = replace(first, uploaded=first.upload_rows, complete=True, digest=b"x" * 32)
        tx.datasets.set_table(made.id, done, start)
    elif step == "commit":
        merged = (replace(first, rows=rows), *others)
        tx.datasets.replace(replace(made, state=DatasetState.COMMITTED, tables=merged))
    elif step == "expire":
        tx.datasets.replace(replace(made, expire_time=start))
    else:
        state = DatasetState.DELETING if step == "delete" else DatasetState.DELETED
        tx.datasets.replace(replace(made, state=state))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(steps)
def test_the_sum_is_what_adding_up_gives(store, dataset, flow, start, numbers, steps):
    made = []
    for step, rows, base, owner, dies in steps:
        with suppress(Stopped), store.write() as tx:
            if step == "create" or not made:
                tables = (DatasetTable("nik", rows, rows), DatasetTable("lahir", 256, 256))
                fresh = dataset(f"{next(numbers):032x}", tables=tables, base=base, owner=owner)
                tx.datasets.add(fresh)
            else:
                fresh = made[rows % len(made)]
                change(tx, step, rows, tx.datasets.get(fresh.id), start)
            if dies:
                raise Stopped
            made.append(fresh)
        with store.read() as tx:
            for party in ("bkn", "kemnaker"):
                assert held(tx, flow, party) == recounted(tx, flow, party)


def test_what_is_to_come_counts_as_if_it_were_there(store, dataset, flow):
    made = dataset(tables=(DatasetTable("nik", 500, 500),), base="b" * 32)
    with store.write() as tx:
        tx.datasets.add(made)
    with store.read() as tx:
        assert tx.datasets.held(flow, "bkn") == [HeldRows("nik", is_delta=True, rows=500)]
        assert tx.datasets.held(replace(flow, digest=b"o" * 32), "bkn") == []
