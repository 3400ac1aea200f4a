"""What the unit is sent in mode auto and in real time says nothing of an answer.

A provider that works with the unit leaves a label out, or seals what does not open; the unit spoils
its own answers, or changes the edition in between. Two lists of one size look alike all the same.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from agency import NOW, TamperingLink, people, registry_table
from crooked_tables import OUT, ServerView, publish

from padan_client import PadanError, ProviderClient, RequesterClient
from padan_server.matching.linkage_engine import LinkageEngine

EVERYBODY = people(64, seed=29)
REGISTERED, TARGET, STRANGER = EVERYBODY[:24], EVERYBODY[0], EVERYBODY[60]
OTHERS = [*EVERYBODY[1:10], *EVERYBODY[24:34]]


def honest(key, person):
    return 1


def left_out(key, person):
    """The target's labels are left out, so that its row stays open."""
    return OUT if person == 0 else 1


@pytest.fixture
def make_trio(make_direct, monkeypatch):
    """Both sides, a provider of tables and a unit with the registry; the unit's view begins."""

    def make(**signing):
        view = ServerView(monkeypatch)
        made = make_direct(unit=True, engine=LinkageEngine(), **signing)
        with ProviderClient(made.provider, *made.names) as client:
            client.publish(registry_table(REGISTERED), id_column="id", status_column="status")
        made.view = view
        return made

    return make


def sent(pair):
    """What the servers were sent; a list's passes go up in random order.

    How often the state of a run was asked is the machine's.
    """
    view = [e for e in pair.view.take() if e[0] == "in" and "Operations" not in e[1]]
    return view if any("ConfirmRecords" in e[1] for e in view) else sorted(view, key=str)


def auto(pair, way):
    """What is sent in mode auto by what the table says of the target, and who is on the list."""
    seen = {}
    for number, choose in enumerate((honest, left_out)):
        name = choose.__name__
        publish(pair, REGISTERED, choose, NOW + timedelta(hours=number), name=name)
        with RequesterClient(pair.requester, *pair.names) as client:
            client.confirm_few([STRANGER], mode="auto")
            for first in (TARGET, STRANGER):
                pair.view.take()
                if way == "few":
                    client.confirm_few([first], mode="auto")
                else:
                    client.confirm([first, *OTHERS], mode="auto")
                seen[name, first["nik"]] = sent(pair)
    return seen


@pytest.mark.parametrize("way", ["few", "list"])
def test_no_left_out_label_shows_at_the_unit(make_trio, way):
    seen = auto(make_trio(), way)
    assert seen["honest", TARGET["nik"]] == seen["left_out", TARGET["nik"]]
    assert seen["honest", TARGET["nik"]] == seen["honest", STRANGER["nik"]]
    assert any(
        "ConfirmRecords" in e[1] or "DatasetService" in e[1] for e in seen["honest", TARGET["nik"]]
    )


def test_it_shows_where_the_agreement_accepts_that(make_trio):
    """The positive control; lint has told the parties."""

    def accepting(text):
        modes = 'modes = ["direct", "unit"]'
        return text.replace(modes, f'{modes}\naccepts = ["auto-rows"]', 1)

    seen = auto(make_trio(edit=accepting), "few")
    assert seen["honest", TARGET["nik"]] != seen["left_out", TARGET["nik"]]


def name_alone(person):
    """A row that no pass is for."""
    return person | {"nik": "", "tanggal_lahir": ""}


def holding(rows):
    """Lists of one size: a pass is for every row, for two of three, for one."""
    yield rows
    yield [name_alone(row) if i % 3 == 0 else row for i, row in enumerate(rows)]
    yield [*map(name_alone, rows[:-2]), dict.fromkeys(rows[0], ""), rows[-1]]


def test_a_row_that_no_pass_is_for_shows_nowhere(make_trio):
    """Cover stands for it: sizes, charges and calls are those of a list that is whole."""
    pair = make_trio()
    publish(pair, REGISTERED, honest, NOW, name="honest")
    with RequesterClient(pair.requester, *pair.names) as client:
        for ask in (client.confirm_few, client.confirm):
            ask([STRANGER], mode="auto")
            seen = []
            for rows in holding([TARGET, *OTHERS]):
                pair.view.take()
                said = ask(rows, mode="auto").table["hasil"].to_pylist()
                seen.append(sent(pair))
                lost = {said[i] for i, row in enumerate(rows) if row == name_alone(row)}
                assert lost <= {"belum_dapat_dipastikan", "karantina"}
            assert seen[0] == seen[1] == seen[2]


ROWS = {
    "found": EVERYBODY[3],
    "not found": STRANGER,
    "numbers of one, name of another": EVERYBODY[5] | {"nama": EVERYBODY[6]["nama"]},
    "no number": EVERYBODY[3] | {"nik": ""},
    "a number alone": EVERYBODY[3] | {"nama": "", "tanggal_lahir": ""},
}


class Untouched:
    """What the unit answers, changed by nobody; each question begins with :meth:`begin`."""

    rounds = 1

    def begin(self):
        self.calls = 0

    def __call__(self, method, message):
        if method.endswith("ConfirmRecords"):
            self.calls += 1
            self.change(message)
        return message

    def change(self, message):
        """Nothing."""


class Spoilt(Untouched):
    """Sealed codes that open nothing."""

    def change(self, message):
        message.rows.sealed_codes = bytes(len(message.rows.sealed_codes))


class Turning(Untouched):
    """The edition is another one from the third call on, so the question is asked again."""

    rounds = 2

    def change(self, message):
        if self.calls == 3:
            message.edition = message.edition[:-4] + "0000"


@pytest.mark.parametrize("tamper", [Untouched, Spoilt, Turning])
def test_questions_in_real_time_look_alike_whatever_is_answered(make_trio, tamper):
    pair, seen, tampering = make_trio(), {}, tamper()
    tampering.begin()
    link = TamperingLink(pair.requester, tampering)
    with RequesterClient(pair.requester, *pair.names, link=link) as client:
        with suppress(PadanError):
            client.confirm_few([STRANGER], mode="unit")
        for name, row in ROWS.items():
            pair.view.take()
            tampering.begin()
            with suppress(PadanError):
                client.confirm_few([row], mode="unit")
            seen[name] = sent(pair)
    passes = len(pair.requester.place(*pair.names).flow.schema.passes)
    assert len(seen["found"]) == tamper.rounds * passes
    assert all(view == seen["found"] for view in seen.values())
