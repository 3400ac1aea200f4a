"""The server's folder: what loads, and that one bad file does not stop the others."""

from __future__ import annotations

import errno
import os

import pytest

from padan_linkage.agreement import (
    EXAMPLE_IDS,
    AgreementFolder,
    example,
    load_directory,
    load_signed,
    signature_name,
)
from padan_linkage.agreement import directory as folders


def codes(signed) -> set[str]:
    return {f.code for f in signed.problems}


def test_loads_all_five(signers, tmp_path):
    for agreement_id in EXAMPLE_IDS:
        signers.write(tmp_path, signers.fill(example(agreement_id)))
    loaded = load_directory(tmp_path)
    assert [s.id for s in loaded] == sorted(EXAMPLE_IDS)
    assert all(s.agreement and not s.problems and not s.successors for s in loaded)
    assert all(set(s.signatures) == {p.id for p in s.agreement.parties} for s in loaded)


def test_bad_files_are_reported_beside_the_good_one(signers, flagship, tmp_path):
    signers.write(tmp_path, flagship)
    (tmp_path / "rusak.toml").write_bytes(b"format =")
    (tmp_path / "kosong.toml").write_bytes(b"")
    (tmp_path / "catatan.txt").write_text("bukan perjanjian")
    (tmp_path / "folder.toml").mkdir()
    good, empty, broken = load_directory(tmp_path)
    assert good.agreement is not None
    assert (empty.agreement, "key-absent" in codes(empty)) == (None, True)
    assert (broken.agreement, codes(broken)) == (None, {"file-syntax"})


def test_an_altered_file_is_not_loaded(signers, flagship, tmp_path):
    path = signers.write(tmp_path, flagship)
    path.write_bytes(flagship.replace(b"17_000_000", b"99_000_000", 1))
    signed = load_signed(path)
    assert (signed.agreement, codes(signed)) == (None, {"signature-invalid"})


def test_a_missing_signature_is_told(signers, flagship, tmp_path):
    path = signers.write(tmp_path, flagship, "bkn")
    assert codes(load_signed(path)) == {"signature-missing"}
    assert set(load_signed(path).signatures) == {"bkn"}


@pytest.mark.parametrize("content", ["", "AAAA", "bukan base64", "é" * 88, "A" * 3000])
def test_a_damaged_signature_file_is_told_once(content, signers, flagship, tmp_path):
    path = signers.write(tmp_path, flagship)
    (tmp_path / signature_name("kemnaker-bkn-2024", "bkn")).write_text(content)
    assert [f.code for f in load_signed(path).problems] == ["signature-malformed"]


def test_the_file_is_called_like_the_agreement(signers, flagship, tmp_path):
    path = signers.write(tmp_path, flagship)
    for file in tmp_path.iterdir():
        file.rename(tmp_path / file.name.replace("kemnaker-bkn-2024", "lain"))
    signed = load_signed(path.with_name("lain.toml"))
    assert (signed.agreement, codes(signed)) == (None, {"file-name"})


def test_an_unreadable_file_is_told(tmp_path):
    (tmp_path / "hilang.toml").symlink_to(tmp_path / "tidak-ada")
    (named,) = load_directory(tmp_path)
    assert codes(named) == {"file-unreadable"}
    assert codes(load_signed(tmp_path / "hilang.toml")) == {"file-unreadable"}


def test_an_endless_file_is_cut_off(tmp_path):
    path = tmp_path / "besar.toml"
    with path.open("wb") as f:
        f.truncate(1 << 32)
    assert codes(load_signed(path)) == {"file-too-large"}


def test_a_folder_that_is_not_there_raises(tmp_path):
    with pytest.raises(OSError, match="tidak-ada"):
        load_directory(tmp_path / "tidak-ada")


def test_an_unloaded_agreement_has_no_standing(tmp_path):
    from datetime import UTC, datetime

    (tmp_path / "rusak.toml").write_bytes(b"format =")
    with pytest.raises(ValueError, match="not loaded"):
        load_directory(tmp_path)[0].standing(datetime.now(UTC))


def test_reading_the_folder_leaves_it_as_it_was(signers, flagship, tmp_path):
    signers.write(tmp_path, flagship)
    before = sorted((p.name, p.stat().st_mtime_ns) for p in tmp_path.iterdir())
    load_directory(tmp_path)
    assert sorted((p.name, p.stat().st_mtime_ns) for p in tmp_path.iterdir()) == before
    assert os.listdir(tmp_path)  # noqa: PTH208


@pytest.fixture
def reads(monkeypatch):
    """Names of the files that are read, in order."""
    names, read = [], folders.read_bounded
    monkeypatch.setattr(folders, "read_bounded", lambda p: names.append(p.name) or read(p))
    return names


@pytest.fixture
def littered(signers, flagship, tmp_path):
    """A folder with one agreement among rubbish, after the looks that read it."""
    signers.write(tmp_path, flagship)
    for number in range(300):
        (tmp_path / f"a{number:03}.toml").write_bytes(b"x" * 100)
        (tmp_path / f"a{number:03}.toml.bkn.sig").write_bytes(b"x")
    folder = AgreementFolder(tmp_path)
    for _ in range(2):
        folder.load()
    return folder


def test_what_has_not_changed_is_not_read_again(littered, reads, tmp_path):
    before = [(s.id, s.digest, codes(s), s.agreement) for s in littered.load()]
    assert reads == []
    assert before == [(s.id, s.digest, codes(s), s.agreement) for s in load_directory(tmp_path)]
    reads.clear()
    (tmp_path / "a007.toml").write_bytes(b"y" * 100)
    littered.load()
    assert set(reads) == {"a007.toml", "a007.toml.bkn.sig"}


@pytest.mark.parametrize("way", ["gone", "unsigned", "altered", "changed keys", "old times"])
def test_a_change_of_any_file_of_an_agreement_is_seen_at_the_next_look(littered, way, tmp_path):
    path = tmp_path / "kemnaker-bkn-2024.toml"
    (good,) = littered.load_some([path.stem])
    assert good.agreement is not None
    held = path.stat()
    if way == "gone":
        path.unlink()
    elif way == "unsigned":
        (tmp_path / signature_name(path.stem, "bkn")).unlink()
    elif way == "changed keys":
        (tmp_path / f"{path.name}.bkn.1.keys").write_bytes(b"x")
    else:
        path.write_bytes(path.read_bytes().replace(b"17_000_000", b"99_000_000", 1))
        if way == "old times":
            os.utime(path, ns=(held.st_atime_ns, held.st_mtime_ns))
    assert [s.agreement for s in littered.load_some([path.stem])] == [None] * (way != "gone")
    assert all(s.agreement is None for s in littered.load())


def test_a_file_changed_in_the_same_tick_of_the_clock_is_seen(
    signers, flagship, tmp_path, monkeypatch
):
    """What the file system says of it is as before, once."""
    path = signers.write(tmp_path, flagship)
    monkeypatch.setattr(folders, "_stamp", lambda *_: (("same", 0, 0, 0, 0, 0),))
    folder = AgreementFolder(tmp_path)
    assert folder.load()[0].agreement is not None
    path.write_bytes(flagship.replace(b"17_000_000", b"99_000_000", 1))
    assert folder.load()[0].agreement is None


def test_one_look_lists_the_folder_once_however_many_lie_there(littered, monkeypatch):
    looks, listed = [], folders._listed
    monkeypatch.setattr(folders, "_listed", lambda names: looks.append(1) or listed(names))
    assert len(littered.load()) == 301
    assert looks == [1]


def test_what_could_not_be_read_once_is_read_again(signers, flagship, tmp_path, monkeypatch):
    """As when no descriptor is free."""

    def none_free(_):
        raise OSError(errno.EMFILE, "none free")

    signers.write(tmp_path, flagship)
    folder = AgreementFolder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(folders, "read_bounded", none_free)
        for _ in range(3):
            assert codes(folder.load()[0]) == {"file-unreadable"}
    assert folder.load()[0].agreement is not None
