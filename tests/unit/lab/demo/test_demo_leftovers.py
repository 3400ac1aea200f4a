"""What a new demonstration would take away from somebody."""

from __future__ import annotations

import os
import time

from padan_lab.demo.leftovers import touched


def test_what_came_or_changed_after_a_demonstration_is_somebody_s(tmp_path):
    assert touched(tmp_path / "none") == []
    codes = tmp_path / "codes.csv"
    codes.write_text("row\n")
    assert touched(tmp_path) == [], "a broken demonstration is nobody's"
    (tmp_path / "demo.json").write_text("{}")
    assert touched(tmp_path) == []
    time.sleep(0.02)  # file systems keep times in steps of some milliseconds
    codes.write_text("row,catatan\n")
    own = tmp_path / "data" / "daftar.csv"
    own.parent.mkdir()
    own.touch()
    os.utime(own, (0, 0))
    assert touched(tmp_path) == [codes, own]
