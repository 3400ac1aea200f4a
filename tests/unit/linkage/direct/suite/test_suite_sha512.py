"""SHA-512 in lanes is hashlib's, whatever stands before and behind, however long."""

import hashlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from padan_linkage.direct.suite.sha512 import HashInputs, sha512_all

#: About the ends of blocks, and long ones beside short ones in one vector.
LENGTHS = [*range(20), *range(105, 135), *range(230, 260), 0, 1, 5000, 2]


def expected(head, messages, tail):
    return [hashlib.sha512(head + message + tail).digest() for message in messages]


def test_every_length_about_the_ends_of_blocks():
    messages = [bytes([i % 251]) * length for i, length in enumerate(LENGTHS)]
    for head in (b"", b"x" * 127, b"x" * 128, b"x" * 300):
        for tail in (b"", b"y" * 111):
            made = sha512_all(head, HashInputs.of(messages), tail)
            assert [row.tobytes() for row in made] == expected(head, messages, tail)


@settings(max_examples=60)
@given(
    st.binary(max_size=260), st.lists(st.binary(max_size=400), max_size=19), st.binary(max_size=140)
)
def test_any_messages(head, messages, tail):
    made = sha512_all(head, HashInputs.of(messages), tail)
    assert [row.tobytes() for row in made] == expected(head, messages, tail)


def test_rows_are_messages():
    table = np.arange(60, dtype=np.uint8).reshape(12, 5)
    made = sha512_all(b"a", HashInputs.rows(table))
    assert [row.tobytes() for row in made] == expected(b"a", [r.tobytes() for r in table], b"")
