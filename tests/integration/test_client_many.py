"""Many questions at once: all of them are answered, whether they wait at the unit or at home."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from agency import CODES, people, registry_table, small_passes

from padan_client import AsyncRequesterClient, Home, ProviderClient, RequesterClient
from padan_client.base import effects
from padan_client.transport.async_channel import AsyncLink
from padan_client.transport.channel import Link

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


def by_threads(pair, people):
    with RequesterClient(pair.requester, *pair.names) as client, ThreadPoolExecutor(50) as pool:
        return [answer["kode"] for answer in pool.map(client.confirm_one, people)]


def on_a_loop(pair, people):
    async def ask():
        async with AsyncRequesterClient(pair.requester, *pair.names) as client:
            return await asyncio.gather(*map(client.confirm_one, people))

    return [answer["kode"] for answer in asyncio.run(ask())]


WAYS = {"threads": by_threads, "loop": on_a_loop}


@pytest.mark.parametrize("kind", WAYS)
def test_many_first_questions_open_one_session_together(make_pair, monkeypatch, kind):
    pair = make_pair(edit=small_passes)
    with ProviderClient(pair.provider, *pair.names) as client:
        client.publish(REGISTRY, id_column="id", status_column="status")
    made = Counter()
    for link in (Link, AsyncLink):
        monkeypatch.setattr(link, "_once", counting(link._once, made))
    monkeypatch.setattr(Home, "place", counting(Home.place, made))
    assert WAYS[kind](pair, PEOPLE[:40]) == [_code(person) for person in PEOPLE[:40]]
    assert made.pop("ConfirmationService.ConfirmRecords") >= 80  # each asks its own
    read = made.pop("place")
    assert sum(made.values()) < 10, made
    assert read < 10 or kind == "threads"  # which may come one after the other


def counting(method, made):
    """Counts the calls to servers, and whatever else it is put around."""

    def counted(self, *given):
        if not isinstance(given[0], effects.Local):
            made[getattr(given[0], "method", method.__name__)] += 1
        return method(self, *given)

    return counted


@pytest.mark.parametrize("kind", WAYS)
def test_many_at_once_get_their_answers(asked, kind):
    assert WAYS[kind](asked, PEOPLE[:50]) == [_code(person) for person in PEOPLE[:50]]


def _code(person):
    return TRUTH.get(person["nik"], "TIDAK_DITEMUKAN")
