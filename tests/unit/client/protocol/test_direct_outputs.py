"""Kept outputs of a list: each is found at its place, in whatever order it is asked for."""

import numpy as np
import pytest

from padan_client.protocol.direct.evaluating import Outputs
from padan_linkage.direct.commitment import ListLayout
from padan_linkage.direct.oprf import OUTPUT_BYTES

LAYOUT = ListLayout(1_500, (2, 1))
SEED = bytes(32)


@pytest.mark.parametrize("on_disk", [False, True])
def test_outputs_are_taken_from_their_places(tmp_path, on_disk):
    rng = np.random.default_rng(7)
    whole = rng.integers(0, 256, (LAYOUT.element_count, OUTPUT_BYTES), dtype=np.uint8)
    outputs = Outputs(tmp_path / "outputs" if on_disk else None, SEED, LAYOUT)
    for number, place in enumerate(LAYOUT.chunks()):
        outputs.put(number, whole[place.start : place.start + place.count])
    for places in (
        np.arange(LAYOUT.element_count),
        rng.permutation(LAYOUT.element_count)[:700],
        rng.integers(0, LAYOUT.element_count, 900),
        np.zeros(0, np.int64),
    ):
        assert (outputs.take(places) == whole[places]).all()
