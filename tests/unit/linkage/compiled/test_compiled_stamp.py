"""A kernel on disk is of the very modules that it was made of, constants and helpers too."""

from __future__ import annotations

from pathlib import Path

import pytest

from padan_linkage.compiled import jit


@pytest.mark.parametrize(("module", "counts"), [
    ("compiled/sha2.py", True),
    ("direct/lanes/constants.py", True),
    ("direct/lanes/forms.py", True),
    ("direct/suite/scalars.py", True),
    ("agreement/model.py", False),
])  # fmt: skip
def test_what_a_kernel_may_hold_of_another_module_makes_it_another_one(module, counts, monkeypatch):
    stamp_of_helpers = jit._stamp_of_helpers.__wrapped__
    before, read = stamp_of_helpers(), Path.read_bytes
    changed = Path(jit.__file__).parents[1] / module
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: read(path) + (b"#" if path == changed else b"")
    )
    assert (stamp_of_helpers() != before) == counts
