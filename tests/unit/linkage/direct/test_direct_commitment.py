"""A list is committed to once: every chunk of it verifies, and nothing else does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from padan_linkage.direct.commitment import (
    CHUNK_BYTES,
    CHUNK_ELEMENTS,
    Commitment,
    CommitmentError,
    chunk_count,
    chunk_elements,
    verify_chunk,
)


def elements(count, first=0):
    return b"".join(i.to_bytes(32, "big") for i in range(first, first + count))


def chunk(data, number):
    return data[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]


@settings(max_examples=20)
@given(st.integers(1, 5 * CHUNK_ELEMENTS))
def test_every_chunk_of_the_list_verifies(count):
    data = elements(count)
    committed = Commitment.to(data)
    assert committed.element_count == count
    for number in range(chunk_count(count)):
        part = chunk(data, number)
        assert len(part) == 32 * chunk_elements(count, number)
        verify_chunk(committed.root, count, number, part, committed.audit_path(number))


COUNT = 2 * CHUNK_ELEMENTS + 7


@pytest.fixture(scope="module")
def committed():
    return Commitment.to(elements(COUNT))


def test_nothing_else_verifies(committed):
    data = elements(COUNT)
    good = (committed.root, COUNT, 1, chunk(data, 1), committed.audit_path(1))
    verify_chunk(*good)
    root, count, number, part, path = good
    wrong = {
        "another chunk's elements": (root, count, number, chunk(data, 0), path),
        "another place": (root, count, 0, part, path),
        "one element exchanged": (root, count, number, elements(1, 5) + part[32:], path),
        "one element more": (root, count, number, part + elements(1), path),
        "one element less": (root, count, number, part[:-32], path),
        "behind the end": (root, count, 3, part, path),
        "before the start": (root, count, -1, part, path),
        "another list": (Commitment.to(elements(COUNT, 1)).root, count, number, part, path),
        "a shorter list": (root, CHUNK_ELEMENTS, 0, part, path),
        "a longer list": (root, COUNT + CHUNK_ELEMENTS, 3, chunk(data, 2), path),
        "no path": (root, count, number, part, b""),
        "a path too long": (root, count, number, part, path + bytes(32)),
        "a broken path": (root, count, number, part, path[:-1]),
        "part of an element": (root, count, number, part[:-1], path),
    }
    for case, claim in wrong.items():
        with pytest.raises(CommitmentError):
            pytest.fail(case) if verify_chunk(*claim) is None else None


def test_chunks_may_come_one_by_one(committed):
    data = elements(COUNT)
    assert Commitment(chunk(data, i) for i in range(3)).root == committed.root


@pytest.mark.parametrize(
    "chunks",
    [[], [b""], [bytes(31)], [elements(3), elements(3)], [elements(CHUNK_ELEMENTS + 1)]],
    ids=["no chunk", "no element", "part of one", "short before the end", "too long"],
)
def test_lists_of_another_shape_are_refused(chunks):
    with pytest.raises(ValueError, match=r"chunks have|at least"):
        Commitment(chunks)
