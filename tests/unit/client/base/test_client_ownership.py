"""A home and its secrets are one user's: whoever else could read or replace them is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from padan_client.base import files
from padan_client.base.errors import BadInputError
from padan_client.base.ownership import require_own_folder, require_private, require_unaltered
from padan_client.home.config import load_config


@pytest.fixture
def secret(tmp_path) -> Path:
    path = tmp_path / "home" / "secret"
    files.write_private(path, b"x")
    return path


def belonging_to(monkeypatch, user: int) -> None:
    """Let this process be another user, as far as it asks."""
    monkeypatch.setattr(os, "geteuid", lambda: user)


def test_an_own_secret_is_read(secret):
    assert files.read_private(secret, bytes) == b"x"
    with files.open_private(secret) as file:
        assert file.read() == b"x"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o610, 0o601])
def test_a_secret_open_to_others_is_refused(secret, mode):
    secret.chmod(mode)
    with pytest.raises(BadInputError, match=f"{mode:04o}.*chmod 600 {secret}"):
        files.read_private(secret, bytes)


def test_a_link_in_a_secrets_place_is_refused(secret):
    link = secret.with_name("link")
    link.symlink_to(secret)
    with pytest.raises(BadInputError, match="tautan simbolik"):
        files.read_private(link, bytes)
    require_private(link, linked=True)
    secret.chmod(0o644)
    with pytest.raises(BadInputError, match="chmod 600"):
        require_private(link, linked=True)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_a_folder_or_pipe_in_a_secrets_place_is_refused(secret, make):
    other = secret.with_name("other")
    make(other)
    with pytest.raises(BadInputError, match="bukan berkas biasa"):
        files.read_private(other, bytes)


def test_a_second_name_is_refused_until_what_is_said_is_done(secret):
    other = secret.with_name("other")
    os.link(secret, other)
    with pytest.raises(BadInputError, match="tautan keras") as refused:
        files.read_private(secret, bytes)
    command = str(refused.value).partition("Jalankan ")[2].partition(", lalu")[0]
    assert os.system(command) == 0
    assert files.read_private(secret, bytes) == b"x"


def test_another_users_secret_is_refused(secret, monkeypatch):
    if secret.stat().st_uid == 0:  # root's files are anybody's
        os.chown(secret, 4321, -1)
    belonging_to(monkeypatch, 1234)
    with pytest.raises(BadInputError, match=f"chown 1234 {secret}"):
        files.read_private(secret, bytes)


def test_a_file_swapped_after_it_was_looked_at_is_not_read(secret, monkeypatch):
    looked = files.require_plain

    def swap(path):
        looked(path)
        path.rename(path.with_name("before"))
        files.write_public(path, b"y")

    monkeypatch.setattr(files, "require_plain", swap)
    with pytest.raises(BadInputError, match="chmod 600"):
        files.read_private(secret, bytes)


def test_settings_may_be_read_by_all_and_written_by_one(secret):
    secret.chmod(0o644)
    require_unaltered(secret)
    for mode in (0o664, 0o646):
        secret.chmod(mode)
        with pytest.raises(BadInputError, match=f"chmod go-w {secret}"):
            require_unaltered(secret)


def test_a_home_that_others_write_to_is_refused(secret):
    home = secret.parent
    for mode in (0o700, 0o750, 0o755):
        home.chmod(mode)
        require_own_folder(home)
    for mode in (0o770, 0o707, 0o777, 0o1777):
        home.chmod(mode)
        with pytest.raises(BadInputError, match=f"chmod go-w {home}"):
            require_own_folder(home)


def test_a_folder_above_that_others_write_to_is_refused_unless_it_is_sticky(secret):
    above = secret.parent.parent
    above.chmod(0o777)
    with pytest.raises(BadInputError, match=f"chmod go-w {above}"):
        require_own_folder(secret.parent)
    with pytest.raises(BadInputError, match=f"chmod go-w {above}"):
        require_own_folder(above / "home-to-be")
    above.chmod(0o1777)
    require_own_folder(secret.parent)


def test_a_linked_home_is_looked_at_where_it_is(secret, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(secret.parent)
    require_own_folder(link)
    secret.parent.chmod(0o777)
    with pytest.raises(BadInputError, match="chmod go-w"):
        require_own_folder(link)


def test_another_users_home_says_who_may_use_it(secret, monkeypatch):
    owner = secret.parent.stat().st_uid
    belonging_to(monkeypatch, owner + 1234)
    with pytest.raises(BadInputError, match=f"sudo -u '#{owner}'"):
        require_own_folder(secret.parent)


def test_a_file_is_no_home(secret):
    with pytest.raises(BadInputError, match="bukan folder"):
        require_own_folder(secret)


def test_what_a_file_is_comes_before_who_may_read_it(secret):
    def refuses(_):
        raise ValueError("no secret of this kind")

    secret.chmod(0o644)
    with pytest.raises(ValueError, match="no secret"):
        files.read_private(secret, refuses)
    with pytest.raises(BadInputError, match="chmod 600"):
        files.read_private(secret, bytes)


@pytest.mark.parametrize(
    "content", [b"\x89PNG\xff\xfe", b"party = bkn", b'party = "bkn"\nunit = 5']
)
def test_settings_that_are_none_are_told_before_who_may_write_them(tmp_path, content):
    path = tmp_path / "client.toml"
    path.write_bytes(content)
    path.chmod(0o666)
    with pytest.raises(BadInputError) as refused:
        load_config(tmp_path)
    assert "chmod" not in str(refused.value)
    path.write_text('party = "bkn"\n')
    with pytest.raises(BadInputError, match="chmod go-w"):
        load_config(tmp_path)
