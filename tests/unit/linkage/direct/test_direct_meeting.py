"""Whom inputs meet in a registry at hand: as many as there are labels, and never oneself."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from padan_linkage.direct.inputs import KeyInputs
from padan_linkage.direct.labelling.meeting import KeyLabels
from padan_linkage.direct.schema import MOST_LABELS


def inputs(*values):
    return KeyInputs(pa.array(values, pa.large_binary()), np.arange(len(values)))


def test_of_a_crowded_value_as_many_as_there_are_labels_for_are_met():
    labels = KeyLabels.of(inputs(*[b"budi"] * (MOST_LABELS + 3), b"siti"))
    at, person = labels.met(inputs(b"siti", b"budi", b"nobody"))
    assert at.tolist() == [0] + [1] * MOST_LABELS
    assert person.tolist() == [MOST_LABELS + 3, *range(MOST_LABELS)]


def test_who_is_not_registered_leaves_the_label_to_the_next():
    labels = KeyLabels.of(inputs(*[b"budi"] * (MOST_LABELS + 1)))
    _, others = labels.met(inputs(b"budi"), but=np.array([2]))
    assert others.tolist() == [n for n in range(MOST_LABELS + 1) if n != 2]
    _, unlabelled = labels.met(inputs(b"budi"), but=np.array([MOST_LABELS]))
    assert unlabelled.tolist() == list(range(MOST_LABELS))
    assert KeyLabels.of(inputs(b"budi")).met(inputs(b"budi"), but=np.array([0]))[1].tolist() == []
