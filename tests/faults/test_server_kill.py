"""SIGKILL: nothing that was acknowledged is lost, nothing is counted twice."""

from __future__ import annotations

import uuid

import numpy as np
import pytest
from journey import CONFIRMED, RECORDS, Driver, Journey, Killer, books, held_as_counted

from padan.v1 import run_service_pb2 as run_pb
from padan_linkage.tables import PassTable
from padan_server.admission.ledger import BLOCK
from padan_server.base.failpoints import NAMES

SETTINGS = {"limits": {"sync_bytes": 10_000}, "run_attempts": 20}


def many(text):
    """An agreement that allows as many releases a day as there are rounds."""
    return text.replace("per_day = 4", "per_day = 100")


@pytest.fixture
def driver(make_unit_process):
    """Makes a driver whose unit is up, with both contributions to epoch 1."""

    def make(failpoints=()):
        unit = make_unit_process(settings=SETTINGS, edit=many)
        made = Driver(unit, iter(failpoints))
        made.start()
        for party in ("bkn", "kemnaker"):
            made.ask(party, lambda c: c.contribute())
        return made

    return make


def registry_tables(driver, seed, *, delta):
    """Tables of a provider; as a delta: of upserts with new handles."""
    tables = driver.ask("bkn", lambda c: c.tables(RECORDS, seed=seed))
    if not delta:
        return tables
    return {
        pass_id: PassTable(
            pass_id,
            table.layout.model_copy(update={"operations": 1}),
            {**table.columns, "operations": np.ones((len(table), 1), np.uint8)},
        )
        for pass_id, table in tables.items()
    }


#: What the quota counts for a list of RECORDS: the 256 rows of a padded table.
CHARGED = 256


def check_books(driver, rounds):
    """Quota, runs, datasets and releases are those of ``rounds`` rounds, each counted once.

    A kill may leave what was charged ahead for questions, once a death and never too little.
    """
    assert driver.unit.stop() == 0
    assert held_as_counted(driver.unit)
    found = books(driver.unit)
    ahead = found.pop("used") - rounds * (CHARGED + CONFIRMED)
    assert 0 <= ahead <= BLOCK * len(driver.deaths)
    assert found == {
        "runs": rounds,
        "datasets": 2 * rounds,
        "released": rounds,
        "erased": rounds,
    }


def test_a_kill_at_every_durable_step(driver):
    """Each life of the unit ends at the next fail point, until there is none left.

    Whole registries and deltas by turns: what is durable of either is tried.
    """
    made = driver(NAMES)
    base, rounds = "", 0
    while len(made.deaths) < len(NAMES):
        tables = registry_tables(made, rounds, delta=bool(base))
        published = Journey(made, rounds, tables, base).go()
        base = "" if base else published
        rounds += 1
        assert rounds < 2 * len(NAMES), f"never reached: {made.armed}"
    assert made.deaths == list(NAMES)
    check_books(made, rounds)


def run_through_deaths(make_unit_process, failpoints, **settings):
    """How a run ends whose unit dies at each of these points in turn."""
    unit = make_unit_process(settings=settings)
    driver = Driver(unit, iter(["", *failpoints]))
    driver.start()
    for party in ("bkn", "kemnaker"):
        driver.ask(party, lambda c: c.contribute())
    driver.ask("bkn", lambda c: c.publish(RECORDS))
    listed = driver.ask("kemnaker", lambda c: c.publish(RECORDS))
    unit.stop()
    driver.start()
    operation = driver.ask("kemnaker", lambda c: c.start_run(listed, str(uuid.UUID(int=7))))
    name = driver.ask("kemnaker", lambda c: c.run_of(operation).name)
    return driver, driver.ask("kemnaker", lambda c: c.watch(name))


def test_deaths_of_the_unit_fail_no_run(make_unit_process):
    driver, run = run_through_deaths(make_unit_process, ["run.leased"] * 6)
    assert len(driver.deaths) == 6
    assert run.state == run_pb.Run.STATE_SUCCEEDED


def test_a_run_that_always_kills_the_unit_ends(make_unit_process):
    driver, run = run_through_deaths(make_unit_process, ["run.leased"] * 9, run_deaths=3)
    assert len(driver.deaths) <= 5
    assert run.failure_reason == "RUN_WORKER_FAILED"


def uploads(driver, rounds, seed, kills):
    """``rounds`` rounds under random kills."""
    made = driver()
    with Killer(made, seed, longest=0.8, most=kills):
        for number in range(rounds):
            tables = registry_tables(made, number, delta=False)
            Journey(made, number, tables).go()
    check_books(made, rounds)
    return len(made.deaths)


def test_kills_at_random_moments(driver):
    assert uploads(driver, rounds=3, seed=1, kills=4) > 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_uploads_under_random_kills(driver):
    assert uploads(driver, rounds=100, seed=2, kills=300) > 50
