"""What a person is told of the time that a run will still take."""

from __future__ import annotations

import pytest

from padan_client.cli.progress import _left


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (1, "kira-kira 1 detik lagi"),
        (89, "kira-kira 89 detik lagi"),
        (90, "kira-kira 1 menit lagi"),
        (3600, "kira-kira 60 menit lagi"),
    ],
)
def test_time_left(seconds, text):
    assert _left(seconds) == text
