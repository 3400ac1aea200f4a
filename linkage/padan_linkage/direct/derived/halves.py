"""The front and the back half of a name's sound: one wrong letter leaves one of them whole.

Spec 60, "Derivations".
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.direct.derived.several import SeveralValues
from padan_linkage.normalise.names.phonetic import sound
from padan_linkage.normalise.names.pieces import cut_words, join_words

#: Letters of a half, at least: a single one is every tenth name's.
LEAST = 2
_CUT = "-"

Sizes = NDArray[np.int64]


def halves(names: pa.StringArray) -> SeveralValues:
    """Front and back of each sound, words joined; "" has none, what is too short for halves itself.

    Of an odd number of letters with the middle one and without, so that a name which lost or gained
    a letter still has a half of the same length. The shorter ones come first.
    """
    pieces = cut_words(names)
    sounds = pa.array([sound(word) for word in pieces.vocabulary.to_pylist()], pa.string())
    whole = join_words(pieces.words, pieces.starts, sounds, separator=-1)
    letters = pc.utf8_length(whole).to_numpy(zero_copy_only=False).astype(np.int64)
    shorter, longer = letters // 2, (letters + 1) // 2
    columns = [whole, *_ends(whole, shorter), *_ends(whole, longer)]
    has = np.stack(
        [
            (letters > 0) & (longer < LEAST),
            *[shorter >= LEAST] * 2,
            *[(longer >= LEAST) & (longer > shorter)] * 2,
        ],
        axis=1,
    )
    starts = np.append(0, np.cumsum(has.sum(axis=1)))
    row, column = np.nonzero(has)
    return SeveralValues.chosen(pa.concat_arrays(columns), column * len(names) + row, starts)


def _ends(texts: pa.StringArray, sizes: Sizes) -> tuple[pa.StringArray, pa.StringArray]:
    """The first and the last ``sizes`` letters of each, told apart by where they were cut."""
    order = np.argsort(sizes, kind="stable")
    fronts, backs = [pa.array([], pa.string())], [pa.array([], pa.string())]
    for size in np.unique(sizes).tolist():
        alike = texts.take(pa.array(order[sizes[order] == size]))
        front = pc.utf8_slice_codeunits(alike, 0, size)
        back = pc.utf8_slice_codeunits(alike, -size, None) if size else front
        fronts.append(pc.binary_join_element_wise(front, _CUT, ""))
        backs.append(pc.binary_join_element_wise("", back, _CUT))
    to_rows = pa.array(np.argsort(order, kind="stable"))
    return pa.concat_arrays(fronts).take(to_rows), pa.concat_arrays(backs).take(to_rows)
