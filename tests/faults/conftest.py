"""What several tests of damage begin with: one town lived in, a copy of what it left for each."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from agency import small_passes
from damaged import Lived
from server_fixture import House
from signing import write_signed


@pytest.fixture(scope="session")
def lived(session_pki, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lived")
    pki, clients, servers = session_pki
    signed = write_signed(folder / "agreements", edit=small_passes)
    made = Lived(House(folder, pki, signed, dict(clients), servers, "asn-status"))
    yield made
    made.house.close()


@pytest.fixture
def left(lived, tmp_path):
    """A copy of what was left."""
    folder = tmp_path / "house"
    shutil.copytree(lived.house.folder, folder)
    return replace(lived.house, folder=folder, channels=[])
