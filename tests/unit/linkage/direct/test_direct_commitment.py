"""A list is committed to once: every chunk of it verifies, is of one key, and nothing else does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from padan_linkage.direct.commitment import (
    CHUNK_ELEMENTS,
    Commitment,
    CommitmentError,
    ListLayout,
    verify_chunk,
)

layouts = st.builds(
    ListLayout, st.integers(1, 1500), st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)
)


def elements(count, first=0):
    return b"".join(i.to_bytes(32, "big") for i in range(first, first + count))


def chunk(layout, data, number):
    place = layout.chunk(number)
    return data[32 * place.start : 32 * (place.start + place.count)]


@given(layouts)
def test_chunks_are_of_one_key_each_and_leave_nothing_out(layout):
    of_key = [[] for _ in layout.widths]
    for place in layout.chunks():
        of_key[place.key] += range(place.start, place.start + place.count)
    keys = np.repeat(range(len(layout.widths)), [layout.records * w for w in layout.widths])
    assert of_key == [np.flatnonzero(keys == key).tolist() for key in range(len(layout.widths))]
    for key, start in enumerate(layout.starts):
        mine = [place for place in layout.chunks() if place.key == key]
        assert mine[0].start == start
        assert all(place.count == CHUNK_ELEMENTS for place in mine[:-1])
        assert 1 <= mine[-1].count <= CHUNK_ELEMENTS


@given(layouts, st.data())
def test_an_element_is_found_in_its_chunk(layout, data):
    element = data.draw(st.integers(0, layout.element_count - 1))
    (number,), (within,) = layout.places(np.array([element]))
    place = layout.chunk(number)
    assert (place.start + within, within < place.count) == (element, True)


@pytest.mark.parametrize("number", [-1, 4, 1 << 62, -(1 << 63)])
def test_there_are_no_other_chunks(number):
    layout = ListLayout(CHUNK_ELEMENTS + 1, (1, 1))
    assert layout.chunk_count == 4
    with pytest.raises(IndexError):
        layout.chunk(number)


@settings(max_examples=20)
@given(layouts)
def test_every_chunk_of_the_list_verifies(layout):
    data = elements(layout.element_count)
    committed = Commitment.to(layout, data)
    for number in range(layout.chunk_count):
        part = chunk(layout, data, number)
        verify_chunk(committed.root, layout, number, part, committed.audit_path(number))


#: Of one key two full chunks and one of seven, of the other one and one of five.
LIST = ListLayout(1, (2 * CHUNK_ELEMENTS + 7, CHUNK_ELEMENTS + 5))
DATA = elements(LIST.element_count)


@pytest.fixture(scope="module")
def committed():
    return Commitment.to(LIST, DATA)


def test_nothing_else_verifies(committed):
    good = (committed.root, LIST, 1, chunk(LIST, DATA, 1), committed.audit_path(1))
    verify_chunk(*good)
    root, layout, number, part, path = good
    one, two = LIST.widths
    shifted = Commitment.to(LIST, elements(LIST.element_count, 1))
    wrong = {
        "another chunk's elements": (root, layout, number, chunk(LIST, DATA, 0), path),
        "another key's elements": (root, layout, number, chunk(LIST, DATA, 3), path),
        "another place": (root, layout, 0, part, path),
        "another key": (root, layout, 3, part, path),
        "one element exchanged": (root, layout, number, elements(1, 5) + part[32:], path),
        "one element more": (root, layout, number, part + elements(1), path),
        "one element less": (root, layout, number, part[:-32], path),
        "behind the end": (root, layout, 5, part, path),
        "before the start": (root, layout, -1, part, path),
        "another list": (shifted.root, layout, number, part, path),
        "a shorter list": (root, ListLayout(1, (CHUNK_ELEMENTS,)), 0, part, path),
        "a longer list": (root, ListLayout(2, (one, two)), 5, part, path),
        "no path": (root, layout, number, part, b""),
        "a path too long": (root, layout, number, part, path + bytes(32)),
        "a broken path": (root, layout, number, part, path[:-1]),
        "part of an element": (root, layout, number, part[:-1], path),
    }
    for case, claim in wrong.items():
        with pytest.raises(CommitmentError):
            pytest.fail(case) if verify_chunk(*claim) is None else None


def test_a_chunk_that_runs_on_into_the_next_key_is_refused():
    """Committed to as one long list, elements of two keys would share a chunk, and a proof."""
    whole = ListLayout(LIST.element_count, (1,))
    committed = Commitment.to(whole, DATA)
    part, path = chunk(whole, DATA, 2), committed.audit_path(2)
    verify_chunk(committed.root, whole, 2, part, path)
    with pytest.raises(CommitmentError, match="number of elements"):
        verify_chunk(committed.root, LIST, 2, part, path)


def test_chunks_may_come_one_by_one(committed):
    parts = (chunk(LIST, DATA, number) for number in range(5))
    assert Commitment(LIST, parts).root == committed.root


@pytest.mark.parametrize(
    "chunks",
    [[], [b""], [bytes(31)], [elements(2), elements(3)], [elements(3)], [elements(3)] * 3],
    ids=["no chunk", "no element", "part of one", "too short", "a key missing", "one too many"],
)
def test_lists_of_another_shape_are_refused(chunks):
    layout = ListLayout(3, (1, 1))
    with pytest.raises(ValueError, match=r"not a chunk|shorter|longer"):
        Commitment(layout, chunks)
    with pytest.raises(ValueError, match="elements"):
        Commitment.to(layout, b"".join(chunks)[:-1])
    with pytest.raises(ValueError, match="at least one"):
        Commitment.to(ListLayout(0, (1, 1)), b"")
