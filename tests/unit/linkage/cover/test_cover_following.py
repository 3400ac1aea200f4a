"""Cover people who do what people do, over a month of deltas: counts, kinds and lives."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from changing_registry import CoveredRegistry, changed

from padan_linkage.cover import ChangeKind, CoverPeople, KnownPeople, Named, follow, observed
from padan_linkage.cover.lives import Lives, taken
from padan_linkage.crypto.randomness import Drbg


def records_of(people, number):
    return {name: column[number].as_py() for name, column in people.records.items()}


@pytest.fixture
def registry():
    return CoveredRegistry(400, seed=3)


def test_every_kind_of_change_is_known_for_what_it_is(registry):
    day = registry.day(status=4, corrected=5, joined=3, left=2)
    assert np.bincount(day.changes.kind, minlength=6).tolist() == [4, 5, 0, 3, 0, 2]
    undone = registry.put_back(day)
    assert np.bincount(undone.changes.kind, minlength=6).tolist() == [0, 0, 5, 0, 2, 0]
    assert (undone.changes.lives.changes[undone.changes.kind == ChangeKind.UNDONE] == 1).all()


def test_cover_people_change_as_people_do(registry):
    """Of the same kinds and at the same rate: of four real changes one more is cover."""
    happened, followed = np.zeros(6), np.zeros(6)
    share = len(registry.cover) / registry.people
    for _ in range(30):
        day = registry.day(status=8, corrected=5, joined=4, left=4)
        happened += np.bincount(day.changes.kind, minlength=6)
        followed += np.bincount(day.kinds, minlength=6)
    expected = happened * share
    assert (abs(followed - expected) < 4 * np.sqrt(expected + 1)).all()
    here = int(registry.cover.lives.here.sum())
    assert abs(here / registry.people - share) < 0.06


def test_what_cover_people_do_is_whole_and_theirs_alone(registry):
    before = registry.cover
    day = registry.day(status=40, corrected=40, joined=40, left=40)
    does = day.following
    numbers = [*does.put.tolist(), *does.leaving.tolist()]
    assert len(set(numbers)) == len(numbers)
    assert before.lives.here[does.leaving].all()
    assert not does.after.lives.here[does.leaving].any()
    assert does.after.lives.here[does.put].all()
    joined = does.put[does.put >= len(before)]
    assert sorted(joined) == list(range(len(before), len(does.after)))
    for place, number in enumerate(does.put.tolist()):
        now = {name: column[place].as_py() for name, column in does.records.items()}
        assert now == records_of(does.after, number)
    untouched = np.setdiff1d(np.arange(len(before)), numbers)
    for name, column in before.records.items():
        some = pa.array(untouched)
        assert does.after.records[name].take(some).equals(column.take(some))


def test_only_what_was_corrected_of_people_is_corrected_of_cover_people(registry):
    day = registry.day(corrected=60)
    before, does = registry.before_cover, day.following
    fields = {
        name: int(pc.sum(pc.not_equal(day.changes.old[name], column)).as_py())
        for name, column in day.changes.new.items()
    }
    was = taken(before.records, does.put)
    moved = {
        name: int(pc.sum(pc.not_equal(was[name], column)).as_py())
        for name, column in does.records.items()
    }
    assert {n for n, count in moved.items() if count} <= {n for n, c in fields.items() if c}
    assert sum(moved.values()) >= 0.9 * len(does.put)


def test_a_code_alone_leaves_the_record_as_it_is(registry):
    day = registry.day(status=80)
    was = taken(registry.before_cover.records, day.following.put)
    assert all(column.equals(was[name]) for name, column in day.following.records.items())


def test_an_undone_correction_is_followed_by_an_undone_correction(registry):
    day = registry.day(corrected=80)
    former = registry.before_cover
    back = registry.put_back(day)
    assert (back.changes.kind == ChangeKind.UNDONE).all()
    now = back.following
    again = np.isin(now.put, day.following.put)
    assert again.sum() >= len(day.following.put) - 1
    was, mine = taken(former.records, now.put[again]), taken(now.records, np.flatnonzero(again))
    assert all(column.equals(was[name]) for name, column in mine.items())


def test_who_returns_is_followed_by_somebody_who_returns(registry):
    day = registry.day(left=80)
    back = registry.put_back(day)
    assert (back.changes.kind == ChangeKind.RETURNED).all()
    again = np.isin(back.following.put, day.following.leaving)
    assert again.sum() >= len(day.following.leaving) - 1


@pytest.mark.parametrize("kind", ["status", "corrected", "joined", "left"])
@pytest.mark.parametrize("count", [1, 390])
def test_one_change_or_nearly_all_at_once_are_covered(registry, kind, count):
    day = registry.day(**{kind: count})
    assert len(day.kinds) >= 1
    share = len(registry.before_cover) / 400
    assert abs(len(day.kinds) - max(1, count * share)) <= 1
    assert {0: "status", 1: "corrected", 3: "joined", 5: "left"}[int(day.kinds[0])] == kind


def test_an_empty_delta_is_covered_by_a_code(registry):
    day = registry.day()
    assert day.kinds.tolist() == [ChangeKind.STATUS]


def test_everybody_may_leave_and_come_again(registry):
    day = registry.day(left=400)
    assert not registry.cover.lives.here.any()
    assert len(day.following.leaving) == len(registry.before_cover)
    registry.day()
    back = registry.put_back(day)
    assert len(back.following.put) >= 1
    assert registry.cover.lives.here.any()


def test_where_nobody_is_left_nobody_joins(registry):
    """Without people and without cover people there is nobody to draw newcomers from."""
    registry.day(left=400)
    empty = registry.day()
    assert (len(empty.following.put), len(empty.following.leaving)) == (0, 0)
    assert len(empty.following.after) == len(registry.before_cover)


def test_the_same_randomness_does_the_same(registry):
    gone = Named(registry.ids.slice(0, 9), taken(registry.records, np.arange(9)))
    put = Named(gone.ids, changed(gone.records))
    changes, _ = observed(gone, put, registry.ids, KnownPeople.nobody(), 1)
    does = [
        follow(
            registry.schema, registry.cover, changes, registry.records, 400, 0.3, 1, Drbg(b"d" * 32)
        )
        for _ in range(2)
    ]
    assert (does[0].put == does[1].put).all()
    assert all(c.equals(does[1].records[n]) for n, c in does[0].records.items())


def test_people_are_followed_by_who_has_lived_alike():
    entered, changes = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 3, 0])
    lives = Lives(entered, changes, np.ones(5, np.bool_))
    free = np.array([True, True, True, True, False])
    wanted = Lives(np.array([1, 0, 2]), np.array([0, 1, 2]), np.ones(3, np.bool_))
    drbg = Drbg(b"l" * 32)
    assert lives.alike(free, wanted, drbg).tolist() == [2, 1, 3]
    assert lives.alike(~free, wanted, drbg).tolist().count(-1) == 2


def test_cover_people_are_nobody(registry):
    """A corrected or new number of a cover person is no person's and no other cover person's."""
    for _ in range(10):
        registry.day(status=2, corrected=30, joined=20)
    numbers = registry.cover.records["nik"]
    given = numbers.filter(pc.not_equal(numbers, ""))
    assert not pc.any(pc.is_in(given, value_set=registry.records["nik"])).as_py()
    assert len(given.unique()) == len(given)
    assert isinstance(registry.cover, CoverPeople)
