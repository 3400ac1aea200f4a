"""Rows that are nobody's labels, partition by partition."""

import numpy as np
import pytest

from padan_client.protocol.direct.blocks import PARTITIONS
from padan_client.protocol.direct.dummy_rows import DummyRows
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.table import ROW_BYTES, TAG_BYTES

SEED = bytes(range(32))


def made(gone=0, dummies=10_000, seed=SEED):
    tags = np.random.default_rng(1).integers(0, 256, (gone, TAG_BYTES)).astype(np.uint8)
    return tags, DummyRows.of(tags, dummies, Drbg(seed))


@pytest.mark.parametrize(("gone", "dummies"), [(0, 0), (0, 1), (7, 0), (300, 10_000)])
def test_as_many_as_asked_for_each_in_its_partition(gone, dummies):
    tags, rows = made(gone, dummies)
    found = [rows.rows(n) for n in range(PARTITIONS)]
    assert sum(map(len, found)) == gone + dummies
    for n, some in enumerate(found):
        assert some.shape[1] == ROW_BYTES
        assert (some[:, 0] // (256 // PARTITIONS) == n).all()
    whole = {bytes(row) for some in found for row in some[:, :TAG_BYTES]}
    assert {bytes(tag) for tag in tags} <= whole


def test_a_table_that_is_written_again_has_the_same():
    _, rows = made(5)
    _, again = made(5)
    _, other = made(5, seed=SEED[::-1])
    for n in (3, 0, 3, PARTITIONS - 1):
        assert (rows.rows(n) == again.rows(n)).all()
    assert rows.rows(0).tobytes() != other.rows(0).tobytes()


def test_no_byte_of_a_dummy_is_likelier_than_another():
    _, rows = made(dummies=40_000)
    everything = np.concatenate([rows.rows(n) for n in range(PARTITIONS)])
    for column in range(ROW_BYTES):
        seen = np.bincount(everything[:, column], minlength=256)
        # 256 bins of 156: chi-square has mean 255, standard deviation 23.
        assert ((seen - 156.25) ** 2 / 156.25).sum() < 255 + 6 * 23


def test_partitions_share_nothing_and_a_repr_tells_nothing():
    _, rows = made(2)
    one, other = rows.rows(0), rows.rows(1)
    size = min(len(one), len(other))
    assert (one[:size, 1:] == other[:size, 1:]).mean() < 0.02
    assert repr(rows) == "DummyRows(gone=2, dummies=10000)"
