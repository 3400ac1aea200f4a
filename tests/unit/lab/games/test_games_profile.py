"""What a requester of direct mode learns of people who are not on its list, by made-up rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from padan_lab.games.oracle.fishing import fish, reach
from padan_lab.games.oracle.likely import LikelyPeople, generated
from padan_lab.games.oracle.probed import ProbedTable
from padan_lab.games.oracle.profiling import CHAINS, profile, pursue
from padan_linkage.agreement import example, load_agreement
from padan_linkage.direct.labelling import labels
from padan_linkage.direct.labelling.bodies import LabelAnswers, masked
from padan_linkage.direct.table import TAG_BYTES

FLOW = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
PEOPLE, CODES = 600, len(FLOW.codes)


@pytest.fixture(scope="module")
def people():
    return generated(FLOW, PEOPLE, 41)


@pytest.fixture(scope="module")
def reference():
    return LikelyPeople.of(FLOW, 3_000, 42)


def rows_of(people, *fields):
    return {name: people[name].to_pylist() for name in fields}


def somebody(people):
    return next(
        row
        for row in zip(*(people[f].to_pylist() for f in people), strict=True)
        if all(row) and " " in row[list(people).index("nama")]
    )


def test_the_bound_is_kept_and_without_a_charge_it_would_not_be():
    found = profile(FLOW, 2, seed=4, people=1_500)
    assert found.holds()
    assert 0 < found.bits <= found.limit
    for known in CHAINS:
        told = found.details[f"nama+{known}"]
        assert 0 < told["bits"] <= told["bound"], known
        assert told["accused"] == 0
    # That somebody is registered, of whom name and day of birth are known: one bit, one element.
    member = found.details["member"]
    assert (member["elements"], member["bits"]) == (1, pytest.approx(1, abs=0.05))


def test_the_table_tells_what_a_population_does_not(people, reference):
    """The game would be blind otherwise: day and place are found, which nobody guesses."""
    who = dict(zip(people, somebody(people), strict=True))
    table = ProbedTable.of(FLOW, people, 1)
    found = pursue(table, reference, who, "tahun_lahir", 2)
    assert found.opened
    assert found.right["hari"][1]
    assert found.right["tempat"][1]
    assert found.bits["hari"] > 7
    assert found.asked["nama-lahir"] <= 366
    stranger = who | {"nama": "zakharia qowiy"}
    missed = pursue(table, reference, stranger, "tahun_lahir", 2)
    assert not missed.taken


def test_what_is_likeliest_is_asked_first_in_every_slot_that_has_it(people, reference):
    """A charge buys all slots of a record, and the attacker leaves none of use empty."""
    who = dict(zip(people, somebody(people), strict=True))
    table = ProbedTable.of(FLOW, people, 1)
    found = pursue(table, reference, who, "tanggal_lahir")
    assert found.opened
    asked = found.asked
    assert abs(asked["nama-tempat"] - 2 * asked["nama-bulan"]) <= 2
    assert asked["nik-paruh"] >= asked["nik-nama"] >= asked["nik"] > 0
    shares = dict(zip(*reference.places(who["nama"]), strict=True))
    likelier = [place for place, share in shares.items() if share > shares[who["tempat_lahir"]]]
    assert asked["nama-tempat"] + asked["nama-bulan"] <= len(likelier) + len(shares) // 20


def test_one_weak_key_opens_nobody_as_long_as_it_holds_a_share(people):
    """Control: weak keys without shares."""
    table = ProbedTable.of(FLOW, people, 2)
    named = rows_of(people, "nama", "tanggal_lahir")
    met = table.ask("nama-lahir", named)
    assert len(met) > PEOPLE / 2
    assert table.opens([met]) == {}
    placed = rows_of(people, "nama", "tanggal_lahir", "tempat_lahir")
    assert len(table.opens([met, table.ask("nama-tempat", placed)])) > PEOPLE / 2
    keys = tuple(k.model_copy(update={"alone": k.weak}) for k in FLOW.direct.keys)
    bare = replace(FLOW, direct=FLOW.direct.model_copy(update={"keys": keys}))
    crippled = ProbedTable.of(bare, people, 2)
    assert len(crippled.opens([crippled.ask("nama-lahir", named)])) > PEOPLE / 2


def read_without_asking(table):
    """Codes of everybody, from rows alone: who holds an opener several times shows the secret."""
    bodies = labels.read_bodies(table.table.table.rows, np.zeros(30, np.uint8))
    openers: dict[bytes, Counter] = {}
    answers = {}
    for pseudonym, opener, _, answer in bodies.tolist():
        whose = bytes(pseudonym)
        openers.setdefault(whose, Counter())[bytes(opener)] += 1
        answers[whose] = answer
    known = {whose: c.most_common(1)[0][0] for whose, c in openers.items() if c.total() > 3}
    if not known:
        return 0
    secrets = np.frombuffer(b"".join(known.values()), np.uint8).reshape(-1, 16)
    hidden = np.array([answers[whose] for whose in known], np.uint8)
    said = LabelAnswers.unpack(masked(hidden, secrets, table.table.table_id), CODES)
    return int((said.valid & ~said.set_aside).sum())


def test_a_table_tells_nothing_to_whoever_asks_nothing(people, monkeypatch):
    """Control: bodies without pads."""
    assert read_without_asking(ProbedTable.of(FLOW, people, 3)) == 0
    whole = labels.label_keys

    def padless(*given):
        tags, pads = whole(*given)
        return tags, np.zeros_like(pads)

    monkeypatch.setattr(labels, "label_keys", padless)
    assert read_without_asking(ProbedTable.of(FLOW, people, 3)) > 0.9 * PEOPLE


def test_a_dictionary_profiles_people_within_its_charge(people, reference):
    """What spec 60 does not deny: whoever has records left over fishes strangers out."""
    table = ProbedTable.of(FLOW, people, 5)
    own = LikelyPeople({name: column.to_pylist() for name, column in people.items()})
    caught = fish(table, own, 400)
    assert table.records(table.asked) <= caught.records
    assert caught.numbers + caught.profiled > 0
    assert caught.profiled <= caught.met


def test_more_records_reach_more_people(reference):
    others = {name: c.to_pylist() for name, c in generated(FLOW, 3_000, 43).items()}
    met = [reach(reference, others, 8_000_000, records) for records in (200_000, 2_000_000)]
    assert all(profiled <= people for people, profiled in met)
    assert met[0] < met[1]


assert TAG_BYTES == 10
