"""Files that hold secrets."""

from __future__ import annotations

import os

import pytest

from padan_client.base import files
from padan_client.base.errors import BadInputError


def test_a_private_file_is_its_owners_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        files.write_private(tmp_path / "new" / "secret", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "secret").stat().st_mode & 0o777 == 0o600
    assert files.read_private(tmp_path / "new" / "secret") == b"x"


def test_an_interrupted_write_leaves_the_old_content_and_no_draft(tmp_path, monkeypatch):
    path = tmp_path / "secret"
    files.write_private(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        files.write_private(path, b"new")
    monkeypatch.undo()
    assert files.read_private(path) == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["secret"]


def test_the_folders_of_a_private_file_are_private_too(tmp_path):
    files.write_private(tmp_path / "a/b/c/secret", b"x")
    for folder in ("a", "a/b", "a/b/c"):
        assert (tmp_path / folder).stat().st_mode & 0o777 == 0o700


def test_reading_a_missing_or_open_file_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="tidak ada"):
        files.read_private(tmp_path / "none")
    path = tmp_path / "secret"
    files.write_private(path, b"x")
    path.chmod(0o644)
    with pytest.raises(BadInputError, match="0644"):
        files.read_private(path)


def test_erasing_overwrites_before_it_removes(tmp_path):
    path = tmp_path / "secret"
    files.write_private(path, b"secret")
    os.link(path, tmp_path / "same")
    files.erase(path)
    files.erase(path)
    assert not path.exists()
    assert (tmp_path / "same").read_bytes() == bytes(6)


def test_nothing_laid_in_wait_for_the_draft_is_written_to(tmp_path, monkeypatch):
    monkeypatch.setattr(files.secrets, "token_hex", lambda n: "guessed")
    bait = tmp_path / ".secret.guessed.tmp"
    bait.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        files.write_private(tmp_path / "secret", b"x")
    assert not (tmp_path / "elsewhere").exists()
    monkeypatch.undo()
    files.write_private(tmp_path / "secret", b"x")
    assert files.read_private(tmp_path / "secret") == b"x"
