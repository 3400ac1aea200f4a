import pyarrow as pa
import pytest

from padan_linkage.normalise import derive, normalise, sound_values


@pytest.fixture
def form():
    """The normal form of one value, or the word for the reason why there is none."""

    def normal_form(kind, value):
        result = normalise(kind, pa.array([value], pa.string()))
        assert len(result.values) == 1
        if result.problems:
            (problem,) = result.problems
            assert problem.row == 0
            assert sound_values(result.values)[0].as_py() == ""
            return problem.reason.value
        return result.values[0].as_py()

    return normal_form


@pytest.fixture
def key(form):
    """A derived key of one value."""

    def derived(kind, derivation, value):
        return derive(kind, derivation, pa.array([form(kind, value)], pa.string()))[0].as_py()

    return derived
