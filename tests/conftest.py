"""Makes the fixtures of ``tests/support``, and what benchmarks share, known to every test."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

for folder in ("benchmarks", "campaign", "support"):
    sys.path.insert(0, str(Path(__file__).parent / folder))

# Workers of a parallel run find a width of 80 in their environment, and rich would keep to it.
os.environ.pop("COLUMNS", None)
os.environ.pop("LINES", None)

# As many workers as cores do not each want a thread a core for their matrices.
for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# Examples are judged by what comes out; how long one takes depends on what else the machine does.
settings.register_profile("padan", deadline=None)
settings.load_profile("padan")

pytest_plugins = [
    "server_fixture",
    "provider_fixture",
    "client_fixture",
    "direct_fixture",
    "games_fixture",
    "lane_forms",
]


def pytest_sessionstart(session):
    """Whoever starts workers compiles what they would all compile at once, in a fresh clone."""
    parallel = getattr(session.config.option, "numprocesses", None)
    if parallel and not os.environ.get("PYTEST_XDIST_WORKER"):
        from warm_kernels import warm_kernels

        warm_kernels()


@pytest.fixture(autouse=True)
def indonesian():
    """Every test begins in Indonesian, whatever a command of the test before was asked for."""
    from padan_client.base.language import set_language

    set_language("id")
