"""A backup comes back whole or not at all, and is of no use without its passphrase."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from padan_client.base.errors import BadInputError, PadanError, VerificationError
from padan_client.base.files import write_private
from padan_client.home.protection import backup, locked
from padan_client.home.protection.backup import BackupNote, backed_up, kept_files, restore
from padan_client.home.protection.home_lock import HomeLock

GOOD = "sapi goreng merah tua hujan"
NOTE = BackupNote("bkn", "sign", "exchange", "2026-11-29T00:00:00+00:00", 0)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(locked, "SCRYPT_N", 2**10)
    monkeypatch.setattr(backup, "_PIECE", 1000)


@pytest.fixture
def home(tmp_path) -> Path:
    folder = tmp_path / "home"
    files = {
        "identity.json": b"x" * 400,
        "epochs/a/1.key": os.urandom(3000),
        "epochs/a/1.json": b"",
        "direct/seeds/a/1.seed": os.urandom(32),
        "jobs/confirm-1.job": b"job",
        "jobs/confirm-1.d/x.outputs": os.urandom(2000),
    }
    for name, content in files.items():
        write_private(folder / name, content)
    (folder / "bkn.public.json").write_bytes(b"public")
    (folder / "bkn.public.json").chmod(0o644)
    return folder


def made(home: Path) -> Path:
    """A backup of ``home`` beside it."""
    file = home.with_name("cadangan")
    write_private(file, backed_up(home, NOTE, GOOD, os.urandom))
    return file


def content(home: Path) -> dict[str, tuple[bytes, int]]:
    """Content and mode of every file."""
    return {
        path.relative_to(home).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in home.rglob("*")
        if path.is_file()
    }


def test_what_comes_back_is_what_was_there(home, tmp_path):
    note = restore(made(home), tmp_path / "new", GOOD)
    assert content(tmp_path / "new") == content(home)
    assert (note.party, note.created, note.files) == ("bkn", NOTE.created, 7)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_backup_shows_nothing_but_whose_it_is(home):
    text = made(home).read_bytes()
    hidden = [value for value, _ in content(home).values() if len(value) > 8]
    hidden += [b"epochs/", b"confirm-", b"exchange", b"2026-11-29"]
    assert not [value for value in hidden if value in text]
    assert b'"bkn"' in text
    digests = {hashlib.sha256(made(home).read_bytes()).digest() for _ in range(3)}
    assert len(digests) == 3


@pytest.mark.parametrize("wrong", [None, "", GOOD[:-1]])
def test_another_passphrase_brings_nothing_back(home, tmp_path, wrong):
    with pytest.raises(BadInputError, match="sandi"):
        restore(made(home), tmp_path / "new", wrong)
    assert content(tmp_path / "new") == {}


def spoilt(whole: bytes) -> dict[str, bytes]:
    """The same file, damaged in every way that keeps it readable."""
    start = whole.index(b"\n") + 1
    pieces, at = [], start
    while at < len(whole):
        size = 4 + int.from_bytes(whole[at : at + 4], "big")
        pieces.append(whole[at : at + size])
        at += size
    assert len(pieces) > 5
    head, joined = whole[:start], b"".join
    flipped = bytearray(whole)
    flipped[start + 2000] ^= 1
    return {
        "a bit": bytes(flipped),
        "cut in a piece": whole[:-5],
        "cut between pieces": head + joined(pieces[:-1]),
        "cut after the head": head,
        "a piece left out": head + joined([*pieces[:2], *pieces[3:]]),
        "two pieces changed places": head + joined([pieces[1], pieces[0], *pieces[2:]]),
        "a piece twice": head + joined([*pieces, pieces[-1]]),
        "something added": whole + b"x",
        "another head": whole.replace(b'{"format"', b'{ "format"', 1),
    }


def test_what_was_altered_or_cut_brings_nothing_back(home, tmp_path):
    file = made(home)
    for what, text in spoilt(file.read_bytes()).items():
        file.write_bytes(text)
        with pytest.raises(VerificationError, match="tidak ada yang dipulihkan"):
            restore(file, tmp_path / "new", GOOD)
        assert content(tmp_path / "new") == {}, what


@pytest.mark.parametrize("text", [b"", b"{}\n", b"[]\n", b"nothing", b'{"format": "other"}\n'])
def test_another_file_is_no_backup(tmp_path, text):
    (tmp_path / "file").write_bytes(text)
    with pytest.raises(BadInputError, match="bukan cadangan"):
        restore(tmp_path / "file", tmp_path / "new", GOOD)


def test_a_home_is_never_overwritten(home):
    before = content(home)
    with pytest.raises(BadInputError, match="tidak kosong"):
        restore(made(home), home, GOOD)
    assert content(home) == before


def test_no_entry_leads_out_of_the_home(home, tmp_path, monkeypatch):
    inside = backup._line
    for path in ("../out", "/tmp/../out", "a/../../out", ""):
        monkeypatch.setattr(
            backup,
            "_line",
            lambda e, path=path: inside({**e, **({"path": path} if "path" in e else {})}),
        )
        with pytest.raises(PadanError):
            restore(made(home), tmp_path / "new", GOOD)
        assert content(tmp_path / "new") == {}
        assert not (tmp_path / "out").exists()


def test_what_another_machine_must_not_go_on_with_is_left_out(home):
    before = set(kept_files(home))
    for name in (
        "jobs/publish-1.job",
        "jobs/publish-direct-1.d/block-000000.part",
        "jobs/confirm-1.lock",
        ".lock",
        "epochs/a/.1.key.0123.tmp",
        "direct/tables/a/d/f/t/rows.bin",
        "direct/tables/a/d/f/t/rows.part",
    ):
        write_private(home / name, b"x")
    assert set(kept_files(home)) == before
    write_private(home / "direct/tables/a/d/f/seen.json", b"x")
    write_private(home / "direct/published/t/rows.bin", b"x")
    assert len(kept_files(home)) == len(before) + 2


def test_a_home_that_nobody_can_write_to_is_opened_all_the_same(home, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(OSError, match="Read-only"):
            HomeLock(home)
        patch.setattr(os, "access", lambda *_: False)
        HomeLock(home).release()


def test_a_home_in_use_is_not_backed_up_nor_used_meanwhile(home):
    first, second = HomeLock(home), HomeLock(home)
    first.release()
    with pytest.raises(BadInputError, match="sedang memakai"):
        HomeLock(home, alone=True)
    second.release()
    alone = HomeLock(home, alone=True)
    for other in (False, True):
        with pytest.raises(BadInputError):
            HomeLock(home, alone=other)
    del alone
    HomeLock(home)
