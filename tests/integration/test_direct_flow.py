"""Direct mode end to end: a registry published, lists confirmed, against the real provider."""

from __future__ import annotations

import asyncio

import pyarrow as pa
import pytest
from agency import CODES, people, registry_table

from padan_client import AsyncRequesterClient, RequesterClient

PEOPLE = people(300, seed=31)
REGISTRY = registry_table(PEOPLE[:200])
LIST = PEOPLE[150:260]
TRUTH = {row["nik"]: CODES[row["status"]] for row in REGISTRY.select(["nik", "status"]).to_pylist()}


def expected(records, truth=None):
    truth = TRUTH if truth is None else truth
    return [truth.get(person["nik"], "TIDAK_DITEMUKAN") for person in records]


def test_a_list_gets_its_codes_and_the_way(make_direct):
    pair = make_direct()
    published = pair.publish(REGISTRY)
    assert (published.rows, published.epoch, published.mode) == (200, 1, "direct")
    result = pair.confirm(LIST)
    assert result.table["kode"].to_pylist() == expected(LIST)
    ways = set(result.table["cara"].to_pylist())
    assert ways == {"direct:nik-depan", ""}
    assert result.counts["TIDAK_DITEMUKAN"] == 60
    assert not list((pair.requester.folder / "jobs").iterdir())
