"""A row's answer depends on the row, the registry's edition and the agreement, on nothing else.

One publication on real processes, asked in every way that a list may come: the short lists first,
so that none can rest on what a long one taught. Spec 36.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from padan_client import Home, ProviderClient, RequesterClient
from padan_client.protocol.rotating import rotate
from padan_client.transport.channel import Link
from padan_lab.demo.deployment import Deployment, prepare, running
from padan_lab.demo.flows import several_lists
from padan_lab.generate import Level, Making, flow_plan
from padan_linkage.agreement import example, load_agreement

NAMES = "kemnaker-bkn-2024", "asn-status"
DOCUMENT = several_lists(example(NAMES[0]), lists=100)
FLOW = load_agreement(DOCUMENT).flow(NAMES[1])
REGISTRY, LISTED, REGISTERED, STRANGERS = 3000, 1000, 500, 900
#: Of the registry's rows so many stand for somebody of another row: what made short lists silent.
COPIES = 0.01
#: When the keys change one row in a thousand may move; more than so many of a list is not chance.
MOST_MOVED = 5

Row = dict[str, str]
#: Outcome, code and, where there is one, the reason.
Answer = tuple[str, str, str]


def made(seed: int, listed: int, inside: int) -> Making:
    """A registry and a list of one population."""
    plan = flow_plan(FLOW)
    return Making(plan, REGISTRY, listed, inside, seed=seed, level=Level.REAL, copies=COPIES)


PEOPLE = made(11, LISTED, REGISTERED)
REGISTRY_TABLE = next(PEOPLE.registry(1 << 16)).table
ROWS: list[Row] = next(PEOPLE.list(1 << 16)).table.drop_columns(["id"]).to_pylist()
IN_REGISTRY = {int(row) for _, row in PEOPLE.seating.pairs}
OTHERS: list[Row] = (
    next(made(12, STRANGERS, 0).list(1 << 16)).table.drop_columns(["id"]).to_pylist()
)


@dataclass
class Stand:
    """Both agencies of one deployment."""

    site: Deployment
    provider: Home
    requester: Home

    def publish(self) -> None:
        """Agree on new keys, then publish the registry under them."""
        for home in (self.provider, self.requester):
            with Link.open(home, *NAMES) as link:
                link.run(rotate(home, *NAMES, dt.datetime.now(dt.UTC)))
        with ProviderClient(self.provider, *NAMES) as client:
            client.publish(REGISTRY_TABLE, id_column="id", status_column="status")

    def ask(self, rows: Sequence[Row]) -> list[Answer]:
        """A list through the unit."""
        with RequesterClient(self.requester, *NAMES) as client:
            return answers(client.confirm(rows, mode="unit").table.to_pylist())

    def ask_now(self, rows: Sequence[Row]) -> list[Answer]:
        """The same in real time."""
        with RequesterClient(self.requester, *NAMES) as client:
            return answers(client.confirm_few(rows, mode="unit").table.to_pylist())


def answers(table: Iterable[dict[str, str]]) -> list[Answer]:
    return [(row["hasil"], row["kode"], row.get("alasan", "")) for row in table]


#: What was asked, in this order: name → (rows by their numbers, answers).
Told = dict[str, list[tuple[int, Answer]]]


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> Told:
    """Everything that is asked of one deployment."""
    folder: Path = tmp_path_factory.mktemp("stand")
    site = prepare(folder, *NAMES, DOCUMENT, dt.datetime.now(dt.UTC))
    homes = (Home.open(site.home(p), passphrase=None) for p in (site.provider, site.requester))
    stand = Stand(site, *homes)
    told: Told = {}
    with running(site, "unit"):
        stand.publish()
        short_lists(stand, told)
        long_lists(stand, told)
    with running(site, "unit"):
        note(told, "restart", stand, range(300, 400))
        note(told, "again", stand, range(LISTED))
        told["real_time"] = list(zip(range(100), stand.ask_now(ROWS[:100]), strict=True))
        stand.publish()
        note(told, "epoch", stand, range(LISTED))
    return told


def note(told: Told, name: str, stand: Stand, numbers: Sequence[int]) -> None:
    """Ask about the rows of these numbers, in this order."""
    given = stand.ask([ROWS[n] for n in numbers])
    told.setdefault(name, []).extend(zip(numbers, given, strict=True))


def short_lists(stand: Stand, told: Told) -> None:
    for number in range(0, 40, 10):
        note(told, "alone", stand, [number])
    for begin in range(0, 40, 10):
        note(told, "tens", stand, range(begin, begin + 10))
    for begin in (0, 500):
        note(told, "hundreds", stand, range(begin, begin + 100))


def long_lists(stand: Stand, told: Told) -> None:
    note(told, "whole", stand, range(LISTED))
    shuffled = random.Random(5).sample(range(LISTED), LISTED)
    note(told, "shuffled", stand, shuffled)
    note(told, "doubled", stand, [n for n in range(150) for _ in range(2)])
    among = stand.ask(OTHERS[:450] + ROWS[:100] + OTHERS[450:])
    told["strangers"] = list(zip(range(100), among[450:550], strict=True))


@pytest.mark.parametrize(
    "name",
    ["alone", "tens", "hundreds", "shuffled", "doubled", "strangers", "restart", "again",
     "real_time"],
)  # fmt: skip
def test_a_row_is_answered_alike_in_every_list(told, name):
    whole = dict(told["whole"])
    moved = {n: (given, whole[n]) for n, given in told[name] if given != whole[n]}
    assert moved == {}


def test_under_new_keys_hardly_a_row_moves_and_none_to_another_code(told):
    before, after = dict(told["whole"]), dict(told["epoch"])
    moved = [(before[n], after[n]) for n in before if before[n][:2] != after[n][:2]]
    assert len(moved) <= MOST_MOVED
    assert all(old[0] != "ditemukan" or new[0] != "ditemukan" for old, new in moved)


def test_registered_people_are_found_in_lists_of_any_length(told):
    """Else answering nobody would be answering alike."""
    for name in ("tens", "hundreds", "whole", "real_time"):
        asked = [given for n, given in told[name] if n in IN_REGISTRY]
        assert sum(outcome == "ditemukan" for outcome, _, _ in asked) >= 0.9 * len(asked), name


def test_strangers_get_no_code(told):
    wrong = [n for n, given in told["whole"] if n not in IN_REGISTRY and given[0] == "ditemukan"]
    assert len(wrong) <= 0.004 * (LISTED - REGISTERED)
