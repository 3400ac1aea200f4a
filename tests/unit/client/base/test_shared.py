"""What many want at once is made once, whoever is stopped meanwhile."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from padan_client.base.effects import Pause, Work, together
from padan_client.base.errors import BadInputError
from padan_client.base.shared import GivenUpError, Shared, with_others
from padan_client.home.config import Timeouts
from padan_client.transport.async_channel import AsyncLink
from padan_client.transport.channel import Link


class HeldMaking:
    """Makes numbers, one after the other, once it is let; the first ones may fail."""

    def __init__(self, *failures):
        self.shared = Shared()
        self.begun, self.let = threading.Semaphore(0), threading.Event()
        self.made, self._failures = 0, list(failures)

    def make(self):
        self.begun.release()
        assert self.let.wait(60)
        if self._failures:
            raise self._failures.pop(0)
        self.made += 1
        return self.made

    def steps(self):
        """The same as protocol steps."""
        made = yield from together(self.shared, self._one)
        return made

    def _one(self):
        made = yield Work(self.make)
        yield Pause(0.0)
        return made


@pytest.fixture
def pool():
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_threads_that_come_meanwhile_get_what_the_first_one_makes(pool):
    making, link = HeldMaking(), Link({}, Timeouts(), lambda _: None)
    first = pool.submit(link.run, making.steps())
    assert making.begun.acquire(timeout=60)
    turn = making.shared.join()
    assert not turn.mine
    making.let.set()
    assert (first.result(), turn.made.result()) == (1, 1)
    assert with_others(making.shared, making.make) == 2  # later: made anew


def test_on_a_loop_all_wait_for_one():
    async def ask():
        link = AsyncLink({}, Timeouts())
        return await asyncio.gather(*(link.run(making.steps()) for _ in range(20)))

    making = HeldMaking()
    making.let.set()
    assert asyncio.run(ask()) == [1] * 20


def test_an_error_is_theirs_who_waited_and_nobody_s_after():
    async def ask():
        link = AsyncLink({}, Timeouts())
        several = [link.run(making.steps()) for _ in range(5)]
        failed = await asyncio.gather(*several, return_exceptions=True)
        return failed, await link.run(making.steps())

    making = HeldMaking(BadInputError("no"))
    making.let.set()
    failed, after = asyncio.run(ask())
    assert {str(error) for error in failed} == {"no"}
    assert after == 1


def test_whoever_makes_it_may_be_stopped_and_another_goes_on():
    async def ask():
        link = AsyncLink({}, Timeouts())
        first, *others = (asyncio.create_task(link.run(making.steps())) for _ in range(5))
        await asyncio.to_thread(making.begun.acquire)
        first.cancel()
        await asyncio.wait([first])
        making.let.set()
        return first.cancelled(), await asyncio.gather(*others)

    making = HeldMaking()
    cancelled, made = asyncio.run(ask())
    assert cancelled
    assert len(set(made)) == 1


def test_who_waits_may_be_stopped_and_nobody_else_is():
    async def ask():
        link = AsyncLink({}, Timeouts())
        first, second, third = (asyncio.create_task(link.run(making.steps())) for _ in range(3))
        await asyncio.to_thread(making.begun.acquire)
        second.cancel()
        await asyncio.wait([second])
        making.let.set()
        return second.cancelled(), await first, await third

    making = HeldMaking()
    assert asyncio.run(ask()) == (True, 1, 1)


def test_a_defect_of_the_maker_is_its_own(pool):
    making = HeldMaking(AssertionError("a defect"))
    first = pool.submit(with_others, making.shared, making.make)
    assert making.begun.acquire(timeout=60)
    turn = making.shared.join()
    making.let.set()
    assert str(first.exception()) == "a defect"
    assert isinstance(turn.made.exception(), GivenUpError)
    assert with_others(making.shared, making.make) == 1
