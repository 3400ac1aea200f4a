"""Settings: from a file, from the environment, and refused with the setting's name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import typer
from pydantic import ValidationError

from padan_server import app
from padan_server.app import read_settings
from padan_server.base.config import UnitConfig, load_config

PIN = "ab" * 32
TEXT = f"""
data_dir = "data"
agreements_dir = "/etc/agreements"
parties = {{ bkn = ["{PIN}"], kemnaker = ["{"cd" * 32}"] }}
[tls]
ca = "ca.pem"
certificate = "unit.pem"
key = "unit.key"
"""


@pytest.fixture
def write(tmp_path):
    """Writes a settings file."""

    def write(text):
        path = tmp_path / "unit.toml"
        path.write_text(text)
        return path

    return write


def test_relative_paths_start_at_the_file(write, tmp_path):
    config = load_config(write(TEXT), UnitConfig)
    assert config.data_dir == tmp_path / "data"
    assert config.tls.key == tmp_path / "unit.key"
    assert config.agreements_dir == Path("/etc/agreements")
    assert config.store_url == f"sqlite:///{tmp_path / 'data' / 'unit.sqlite'}"


def test_the_environment_wins(write, monkeypatch):
    monkeypatch.setenv("PADAN_UNIT_LISTEN", "127.0.0.1:9")
    monkeypatch.setenv("PADAN_UNIT_LIMITS__CONFIRM_ROWS", "5")
    config = load_config(write('listen = "127.0.0.1:8"\n' + TEXT), UnitConfig)
    assert config.listen == "127.0.0.1:9"
    assert config.limits.confirm_rows == 5


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("spelling = 1\n" + TEXT, "spelling"),
        (TEXT.replace(PIN, "zz"), "parties"),
        (TEXT.replace("cd" * 32, PIN), "belongs to"),
        (TEXT.replace('key = "unit.key"', ""), "tls.key"),
        ("simulated_time = 2026-01-01T00:00:00\n" + TEXT, "simulated_time"),
    ],
)
def test_a_wrong_setting_is_named(write, capsys, text, named):
    with pytest.raises(ValidationError):
        load_config(write(text), UnitConfig)
    with pytest.raises(typer.Exit) as left:
        read_settings(write(text), UnitConfig)
    assert left.value.exit_code == 2
    assert named in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    with pytest.raises(typer.Exit):
        read_settings(tmp_path / "none.toml", UnitConfig)
    assert "none.toml" in capsys.readouterr().err


def test_without_the_extra_the_command_says_what_to_install(monkeypatch, capsys):
    def missing():
        raise ModuleNotFoundError("No module named 'structlog'", name="structlog")

    monkeypatch.setattr(app, "app", missing)
    before = os.umask(0o022)
    try:
        with pytest.raises(SystemExit) as left:
            app.main()
    finally:
        os.umask(before)
    assert left.value.code == app.BAD_CONFIG
    assert "padan[server]" in capsys.readouterr().err
