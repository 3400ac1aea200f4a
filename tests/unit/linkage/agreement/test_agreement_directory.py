"""The server's folder: what loads, and that one bad file does not stop the others."""

from __future__ import annotations

import os

import pytest

from padan_linkage.agreement import (
    EXAMPLE_IDS,
    example,
    load_directory,
    load_signed,
    signature_name,
)


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
