"""Many questions at once: all of them are answered, whether they wait at the unit or at home."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from agency import CODES, people, registry_table, small_passes

from padan_client import AsyncRequesterClient, ProviderClient, RequesterClient

PEOPLE = people(60, seed=4)
REGISTRY = registry_table(PEOPLE[:40])
TRUTH = {row["nik"]: CODES[row["status"]] for row in REGISTRY.select(["nik", "status"]).to_pylist()}
#: A unit that serves little and takes little: what is over it is refused.
TIGHT = {"calls_per_party": 2, "waiting_per_party": 2, "rates": {"real_time": 40}}


@pytest.fixture(params=[{}, TIGHT], ids=["usual", "tight"])
def asked(request, make_pair):
    pair = make_pair(edit=small_passes, settings={"limits": request.param})
    with ProviderClient(pair.provider, *pair.names) as client:
        client.publish(REGISTRY, id_column="id", status_column="status")
    return pair


def test_fifty_threads_get_their_answers(asked):
    with RequesterClient(asked.requester, *asked.names) as client, ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(client.confirm_one, PEOPLE[:50]))
    assert [a["kode"] for a in answers] == [_code(person) for person in PEOPLE[:50]]


def test_forty_at_once_on_a_loop_get_their_answers(asked):
    async def ask():
        async with AsyncRequesterClient(asked.requester, *asked.names) as client:
            return await asyncio.gather(*(client.confirm_one(person) for person in PEOPLE[:40]))

    assert [a["kode"] for a in asyncio.run(ask())] == [_code(person) for person in PEOPLE[:40]]


def _code(person):
    return TRUTH.get(person["nik"], "TIDAK_DITEMUKAN")
