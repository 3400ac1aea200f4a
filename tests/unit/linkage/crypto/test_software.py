"""The commit is read from files alone: of a checkout, of a worktree, of an archive."""

from __future__ import annotations

import subprocess
import sys

import pytest

from padan_linkage.crypto.commit import commit_of, head_commit
from padan_linkage.crypto.software import VERSION, software

COMMIT, OTHER = "0123456789abcdef" * 2 + "01234567", "f" * 40


@pytest.fixture
def checkout(tmp_path):
    git = tmp_path / "project" / ".git"
    (git / "refs/heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "refs/heads/main").write_text(COMMIT + "\n")
    return git.parent


def test_a_branch(checkout):
    assert head_commit(checkout) == COMMIT


def test_a_branch_whose_name_is_packed(checkout):
    (checkout / ".git/refs/heads/main").unlink()
    packed = f"# pack-refs with: peeled\n{OTHER} refs/heads/other\n{COMMIT} refs/heads/main\n"
    (checkout / ".git/packed-refs").write_text(packed)
    assert head_commit(checkout) == COMMIT


def test_a_commit_without_a_branch(checkout):
    (checkout / ".git/HEAD").write_text(OTHER + "\n")
    assert head_commit(checkout) == OTHER


def test_a_worktree(checkout, tmp_path):
    tree, kept = tmp_path / "tree", checkout / ".git/worktrees/tree"
    kept.mkdir(parents=True)
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {kept}\n")
    (kept / "HEAD").write_text("ref: refs/heads/mine\n")
    (kept / "commondir").write_text("../..\n")
    (checkout / ".git/refs/heads/mine").write_text(OTHER + "\n")
    assert head_commit(tree) == OTHER


@pytest.mark.parametrize("head", ["", "ref: refs/heads/none", "rubbish", "\xff\xfe"])
def test_what_says_no_commit(checkout, head):
    (checkout / ".git/HEAD").write_bytes(head.encode("latin-1"))
    assert head_commit(checkout) == ""


def test_an_archive_and_nothing_at_all(tmp_path):
    assert commit_of(tmp_path) == ""
    (tmp_path / "COMMIT").write_text(COMMIT + "\n")
    assert commit_of(tmp_path) == COMMIT


@pytest.mark.parametrize("program", ["padan_client", "padan_server"])
def test_both_programs_say_their_version_and_commit(program):
    said = subprocess.run(
        [sys.executable, "-m", program, "--version"], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip().endswith(software())
    assert software().startswith(f"{VERSION} (")
