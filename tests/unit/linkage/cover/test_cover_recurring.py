"""The cover people of an epoch's lists, list after list: whoever compares lists sees nothing."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from padan_linkage.cover import Recurring, draw_people, recur
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.schema import Schema

SCHEMA = Schema.model_validate(
    {
        "fields": [
            {"name": "nik", "kind": "nik"},
            {"name": "nama", "kind": "person_name"},
            {"name": "lahir", "kind": "date"},
        ],
        "passes": [{"id": "nik", "exact": ["nik"]}],
    }
)
KEY = b"k" * 16
SYLLABLES = ["ba", "di", "ku", "lo", "mi", "na", "ri", "su", "ta", "wa", "ya", "har", "jo", "sen"]


def everybody(count, seed=1):
    """So many people, as columns."""
    rng = np.random.default_rng(seed)

    def word():
        return "".join(rng.choice(SYLLABLES, rng.integers(2, 4)))

    born = rng.integers([1960, 1, 1], [2000, 13, 29], (count, 3)).tolist()
    rows = {
        "nik": [f"317101{d:02d}{m:02d}{y % 100:02d}{i:04d}" for i, (y, m, d) in enumerate(born)],
        "nama": [f"{word()} {word()}" for _ in range(count)],
        "lahir": [f"{y}-{m:02d}-{d:02d}" for y, m, d in born],
    }
    return {name: pa.array(values, pa.string()) for name, values in rows.items()}


def some(people, who):
    return {name: column.take(pa.array(who)) for name, column in people.items()}


def rows_of(records):
    return list(zip(*(records[n].to_pylist() for n in sorted(records)), strict=True))


def played(lists, cover):
    """The lists' cover people, and how often each person and cover person stands in them."""
    kept, people, nobody = None, Counter(), Counter()
    for number, given in enumerate(lists):
        count = len(given["nik"])
        made = recur(SCHEMA, kept, given, count + cover(count), KEY, Drbg(bytes([number]) * 32))
        kept = made.kept
        people.update(rows_of(given))
        nobody.update(rows_of(made.cover))
        yield made, people, nobody


def test_cover_people_come_back_as_often_as_people_do():
    """Eight lists with a quarter of turnover: appearances of people and of cover are the same."""
    world, rng = everybody(3000), np.random.default_rng(2)
    here, following, lists = np.arange(800), 800, []
    for _ in range(8):
        lists.append(some(world, here))
        stay = here[rng.random(here.size) > 0.25]
        here = np.concatenate([stay, np.arange(following, following + here.size - stay.size)])
        following += here.size - stay.size
    for made, people, nobody in played(lists, lambda n: n // 2):  # noqa: B007
        assert len(made.cover["nik"]) == 400
    times = [np.bincount(list(c.values()), minlength=9)[1:] for c in (people, nobody)]
    shares = [t / t.sum() for t in times]
    assert abs(shares[0] - shares[1]).max() < 0.05
    assert shares[0][0] < 0.4  # or nobody would come back at all


def test_drawn_anew_for_every_list_they_would_be_found():
    """Control: of cover people without a memory nobody comes back."""
    world = everybody(500)
    drawn = [rows_of(draw_people(SCHEMA, world, 250, Drbg(bytes([n]) * 32))) for n in range(2)]
    assert not set(drawn[0]) & set(drawn[1])


def test_the_same_list_again_has_the_same_cover_people_whatever_its_order():
    world = everybody(300)
    turned = some(world, np.random.default_rng(3).permutation(300))
    first, second = (rows_of(m.cover) for m, *_ in played([world, turned], lambda _: 212))
    assert sorted(first) == sorted(second)


def test_whoever_returns_after_a_while_has_cover_that_does():
    world = everybody(600)
    lists = [some(world, np.arange(300)), some(world, np.arange(300, 600)), some(world, range(300))]
    first, second, third = (set(rows_of(m.cover)) for m, *_ in played(lists, lambda _: 100))
    assert first == third
    assert not first & second


def test_a_correction_happens_to_cover_people_too():
    """Half the people's names are corrected in a letter, under the same NIK."""
    world = everybody(400)
    names = [n if i % 2 else f"{n[:-1]}x" for i, n in enumerate(world["nama"].to_pylist())]
    corrected = world | {"nama": pa.array(names)}
    before, after = (m.cover for m, *_ in played([world, corrected], lambda _: 200))
    was = dict(zip(before["nik"].to_pylist(), before["nama"].to_pylist(), strict=True))
    now = dict(zip(after["nik"].to_pylist(), after["nama"].to_pylist(), strict=True))
    assert was.keys() == now.keys()
    changed = [nik for nik in was if was[nik] != now[nik]]
    assert 70 < len(changed) < 130
    assert all(abs(len(was[nik]) - len(now[nik])) < 2 for nik in changed)
    again = world | {"nama": pa.array(names)}
    third = [m.cover for m, *_ in played([world, corrected, again], lambda _: 200)][2]
    assert sorted(rows_of(third)) == sorted(rows_of(after))


def test_another_nik_of_the_same_name_and_birth_is_the_same_person():
    world = everybody(200)
    niks = [f"3273{n[4:]}" for n in world["nik"].to_pylist()]
    moved = world | {"nik": pa.array(niks)}
    before, after = (m.cover for m, *_ in played([world, moved], lambda _: 100))
    kept = set(before["nama"].to_pylist()) & set(after["nama"].to_pylist())
    assert len(kept) > 90


@pytest.mark.parametrize(("first", "then"), [((30, 226), (200, 56)), ((200, 56), (30, 226))])
def test_where_the_share_of_cover_changes_it_is_shared_out(first, then):
    """Neither all cover comes back nor hardly any: rows that come back are of both sorts."""
    world = everybody(300)
    order = np.arange(230)
    lists = [some(world, order[: first[0]]), some(world, order[: then[0]])]
    cover = dict([first, then])
    before, after = (set(rows_of(m.cover)) for m, *_ in played(lists, lambda n: cover[n]))
    back = len(before & after)
    assert back >= 0.15 * min(len(before), len(after))
    if then[0] > first[0]:
        assert back < len(after)


def test_somebody_twice_on_a_list_is_one_person():
    world = everybody(100)
    twice = some(world, [*range(100), 0, 1, 2])
    first, second = (m for m, *_ in played([twice, twice], lambda _: 50))
    assert len(first.kept.seen) == len(second.kept.seen)
    assert sorted(rows_of(first.cover)) == sorted(rows_of(second.cover))


def test_more_people_than_rows_are_refused_and_reprs_show_nothing():
    world = everybody(20)
    with pytest.raises(ValueError, match="do not fit"):
        recur(SCHEMA, None, world, 19, KEY, Drbg(bytes(32)))
    made = recur(SCHEMA, None, world, 20, KEY, Drbg(bytes(32)))
    assert not len(made.cover["nik"])
    assert world["nik"][0].as_py() not in repr(made) + repr(made.kept)
    assert isinstance(made.kept, Recurring)
