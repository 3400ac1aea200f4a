"""The forms of numbers that this processor can compute with, for tests that run in each."""

import pytest

from padan_linkage.direct.lanes.choice import best_form
from padan_linkage.direct.lanes.forms import NARROW, WIDE

FORMS = [
    pytest.param(NARROW, id="narrow"),
    pytest.param(
        WIDE,
        id="wide",
        marks=pytest.mark.skipif(best_form() is not WIDE, reason="needs AVX-512 IFMA"),
    ),
]
