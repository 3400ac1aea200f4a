"""Files that hold secrets."""

from __future__ import annotations

import fcntl
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
    assert files.read_private(tmp_path / "new" / "secret", bytes) == b"x"


def test_an_interrupted_write_leaves_the_old_content_and_no_draft(tmp_path, monkeypatch):
    path = tmp_path / "secret"
    files.write_private(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        files.write_private(path, b"new")
    monkeypatch.undo()
    assert files.read_private(path, bytes) == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["secret"]


def test_the_folders_of_a_private_file_are_private_too(tmp_path):
    files.write_private(tmp_path / "a/b/c/secret", b"x")
    for folder in ("a", "a/b", "a/b/c"):
        assert (tmp_path / folder).stat().st_mode & 0o777 == 0o700


def test_reading_a_missing_or_open_file_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="tidak ada"):
        files.read_private(tmp_path / "none", bytes)
    path = tmp_path / "secret"
    files.write_private(path, b"x")
    path.chmod(0o644)
    with pytest.raises(BadInputError, match="0644"):
        files.read_private(path, bytes)


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
    assert files.read_private(tmp_path / "secret", bytes) == b"x"


def draft_of(path, *, held):
    """A draft as another process leaves it that dies, or has it open (``held``)."""
    draft = path.with_name(f".{path.name}.0123456789abcdef.tmp")
    draft.write_bytes(b"secret")
    descriptor = os.open(draft, os.O_RDWR)
    if held:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return draft, descriptor


@pytest.mark.parametrize("then", [lambda p: files.write_private(p, b"new"), files.erase])
def test_the_draft_of_a_process_that_died_goes_with_the_next_write(tmp_path, then):
    path = tmp_path / "secret"
    draft, descriptor = draft_of(path, held=False)
    then(path)
    assert not draft.exists()
    assert os.pread(descriptor, 10, 0) == bytes(6), "it was not overwritten"
    os.close(descriptor)


def test_the_draft_of_a_process_that_lives_stays(tmp_path):
    path = tmp_path / "secret"
    draft, descriptor = draft_of(path, held=True)
    files.write_private(path, b"new")
    assert draft.read_bytes() == b"secret"
    os.close(descriptor)


@pytest.mark.parametrize("lay", [os.symlink, os.link])
def test_no_link_that_looks_like_a_draft_leads_to_anything(tmp_path, lay):
    mine = tmp_path / "mine"
    mine.write_bytes(b"dear to me")
    lay(mine, tmp_path / ".secret.0123456789abcdef.tmp")
    files.write_private(tmp_path / "secret", b"x")
    assert mine.read_bytes() == b"dear to me"


def test_a_death_while_erasing_leaves_no_half_of_a_file(tmp_path, monkeypatch):
    path = tmp_path / "secret"
    files.write_private(path, b"secret")

    def die(file):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "_overwrite", die)
    with pytest.raises(KeyboardInterrupt):
        files.erase(path)
    assert not path.exists()


def test_new_folders_are_on_the_disk_before_what_lies_in_them(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(files, "sync", synced.append)
    files.write_private(tmp_path / "a/b/secret", b"x")
    assert synced == [tmp_path, tmp_path / "a", tmp_path / "a/b"]
