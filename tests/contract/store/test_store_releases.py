"""What every store promises of releases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from padan_server.base.model import ReleaseRecord


@pytest.fixture
def release(flow, start):
    """The first version of a list."""
    day = timedelta(days=1)
    return ReleaseRecord(
        "a" * 32, flow, "asn", 1, "bkn", "kemnaker", 4112, b"d" * 32, start, start + day
    )


def test_a_release_comes_back_as_it_was_kept(store, open_store, release, flow):
    with store.write() as tx:
        tx.releases.add(release)
    with open_store().read() as tx:
        assert tx.releases.get(flow, "asn", 1) == release
        assert tx.releases.get(flow, "asn", 2) is None
        assert tx.releases.get(flow, "lain", 1) is None
        assert tx.releases.get(replace(flow, digest=b"x" * 32), "asn", 1) is None


def test_a_version_is_there_once(store, release):
    with store.write() as tx:
        tx.releases.add(release)
    with pytest.raises(Exception, match=r"(?i)unique"), store.write() as tx:
        tx.releases.add(replace(release, id="b" * 32))


def test_versions_are_listed_newest_first_and_counted_when_erased(store, release, flow):
    with store.write() as tx:
        assert tx.releases.newest(flow, "asn") == 0
        for version in (1, 2, 3):
            tx.releases.add(replace(release, id=f"{version}" * 32, version=version))
        tx.releases.erase("3" * 32)
    with store.read() as tx:
        assert tx.releases.newest(flow, "asn") == 3
        found = tx.releases.page(flow, "asn", before=2**62, limit=2)
        assert [(r.version, r.erased) for r in found] == [(3, True), (2, False)]
        assert [r.version for r in tx.releases.page(flow, "asn", before=2, limit=5)] == [1]
        assert [r.id for r in tx.releases.kept()] == ["1" * 32, "2" * 32]
