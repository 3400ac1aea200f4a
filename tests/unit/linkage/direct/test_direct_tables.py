"""Label tables as files: searched, hashed chunk by chunk, and refused where they are not whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.table import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    LabelTable,
    LabelTableWriter,
    TableError,
    padded_rows,
    split_hashes,
    verify_chunk,
)


def random_rows(count, seed=1):
    rows = np.frombuffer(Drbg(bytes([seed]) * 32).bytes(40 * count), np.uint8).reshape(-1, 40)
    return rows[np.lexsort(rows[:, 9::-1].T)]


def test_a_table_is_the_same_however_its_blocks_came(tmp_path):
    rows = random_rows(2 * CHUNK_ROWS + 100)
    roots = set()
    for number, cuts in enumerate(([], [5, 4096, 4097, 9000][:3], range(0, len(rows), 1000))):
        with LabelTableWriter(tmp_path / str(number)) as writer:
            for block in np.split(rows, list(cuts)):
                writer.append(block)
        roots.add((writer.root, writer.chunk_hashes, (tmp_path / str(number)).read_bytes()))
    assert len(roots) == 1


def test_downloaded_chunks_verify_one_by_one(tmp_path):
    with LabelTableWriter(tmp_path / "t") as writer:
        writer.append(random_rows(CHUNK_ROWS + 100))
    opened = LabelTable.open(tmp_path / "t", writer.rows)
    assert opened.chunk_hashes() == writer.chunk_hashes
    leaves = split_hashes(writer.chunk_hashes, writer.rows, writer.root)
    for number in range(2):
        verify_chunk(leaves, writer.rows, number, opened.chunk(number))
    bent = bytearray(opened.chunk(0))
    bent[7] ^= 1
    for number, data in (
        (0, bytes(bent)),
        (1, opened.chunk(0)),
        (0, b""),
        (2, opened.chunk(1)),
        (-1, opened.chunk(1)),
    ):
        with pytest.raises(TableError):
            verify_chunk(leaves, writer.rows, number, data)
    for hashes, rows, root in (
        (writer.chunk_hashes[:-1], writer.rows, writer.root),
        (writer.chunk_hashes[32:], writer.rows, writer.root),
        (writer.chunk_hashes[::-1], writer.rows, writer.root),
        (writer.chunk_hashes, writer.rows + CHUNK_ROWS, writer.root),
        (writer.chunk_hashes, writer.rows, bytes(32)),
    ):
        with pytest.raises(TableError):
            split_hashes(hashes, rows, root)


@settings(max_examples=30)
@given(st.integers(1, 400), st.integers(0, 255))
def test_search_finds_each_row_and_nothing_between(count, first):
    rows = random_rows(count).copy()
    rows[:, 0] = first  # crowd the tags together
    rows[:, 1:7] = 7
    order = np.lexsort(rows[:, 9::-1].T)
    opened = LabelTable(rows[order])
    assert opened.find(opened.rows[:, :10]).tolist() == list(range(count))
    absent = opened.rows[:, :10].copy()
    absent[:, 3] ^= 1
    assert (opened.find(absent) == -1).all()
    edges = np.array([[0] * 10, [255] * 10], np.uint8)
    assert (opened.find(edges) == -1).all()


def test_rows_out_of_order_or_twice_there_are_refused(tmp_path):
    rows = random_rows(4)
    for number, blocks in enumerate(
        ([rows[::-1]], [rows[[0, 1, 1]]], [rows[2:], rows[:1]], [rows[:2], rows[1:]])
    ):
        *before, last = blocks
        with LabelTableWriter(tmp_path / str(number)) as writer:
            for block in before:
                writer.append(block)
            with pytest.raises(ValueError, match="ascend"):
                writer.append(last)
    with LabelTableWriter(tmp_path / "shape") as writer, pytest.raises(ValueError, match="40"):
        writer.append(rows[:, :39])
    with pytest.raises(FileExistsError):
        LabelTableWriter(tmp_path / "shape")


def test_a_file_of_another_length_is_no_table(tmp_path):
    (tmp_path / "t").write_bytes(bytes(40 * 3 + 1))
    for rows in (3, 4, 0):
        with pytest.raises(TableError):
            LabelTable.open(tmp_path / "t", rows)


@given(st.integers(0, 50_000_000), st.sampled_from([0, 0.1, 0.25]))
def test_padding_hides_the_size_and_costs_little(real, share):
    rows = padded_rows(real, share)
    assert rows >= real * (1 + share)
    assert rows % CHUNK_ROWS == 0
    assert rows <= max(CHUNK_ROWS, real * (1 + share) * 1.13 + CHUNK_ROWS)
    assert padded_rows(real + 1, share) >= rows
    assert CHUNK_BYTES == 163_840
