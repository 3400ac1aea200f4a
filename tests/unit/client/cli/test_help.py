"""Help and messages speak one language, the one that was chosen."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from padan_client.base.language import LANGUAGES
from padan_client.cli.app import app
from padan_client.cli.helping import SEPARATOR
from padan_linkage.crypto.software import software

#: Texts that are the same in both languages.
NEUTRAL = {"unit | direct | auto", "csv | parquet"}


def branches(command, path=()):
    """All commands and groups, by their words."""
    yield path, command
    for name, one in getattr(command, "commands", {}).items():
        yield from branches(one, (*path, name))


def whole():
    """The tree of all commands, in both languages."""
    tree = get_command(app)
    tree.load_all()
    return tree


def texts():
    """Every help text as it was written."""
    for path, command in branches(whole()):
        yield path, command.help
        if command.epilog:
            yield path, command.epilog
        for parameter in command.params:
            yield (*path, parameter.name), parameter.help


def seen(*arguments, home=None, **environment):
    env = {"PADAN_HOME": str(home or "tidak-ada"), "COLUMNS": "200", **environment}
    done = CliRunner().invoke(app, [*arguments], env=env)
    assert done.exit_code == 0, done.output
    return re.sub(r"[\s│]+", " ", done.output)


def test_every_text_says_the_same_in_both_languages():
    for path, text in texts():
        halves = (text or "").split(SEPARATOR)
        assert len(halves) == len(LANGUAGES) or text in NEUTRAL, (path, text)
        assert all(half.strip() for half in halves), path


@pytest.mark.parametrize("path", [(), ("confirm",), ("keys",), ("keys", "rotate"), ("generate",)])
def test_a_help_shows_its_language_and_nothing_of_the_other(path):
    command = dict(branches(whole()))[path]
    for own, other in ((0, 1), (1, 0)):
        shown = seen("--lang", LANGUAGES[own], *path, "--help")
        for text in (command.help, *(parameter.help for parameter in command.params)):
            halves = text.split(SEPARATOR)
            assert halves[own if len(halves) > 1 else 0] in shown
            assert len(halves) == 1 or halves[other] not in shown
        frame = (
            {"Usage: ", "Options", "Show this message"},
            {"Pemakaian: ", "Pilihan", "bantuan ini"},
        )
        assert not any(word in shown for word in frame[own])
        assert all(word in shown for word in frame[other])


def test_the_language_is_the_option_s_then_the_variable_s_then_the_home_s(tmp_path):
    (tmp_path / "client.toml").write_text('party = "bkn"\nlanguage = "en"\n')
    assert "Pemakaian: " in seen("keys", "--help")
    assert "Usage: " in seen("keys", "--help", home=tmp_path)
    assert "Usage: " in seen("keys", "show", "--home", str(tmp_path), "--help")
    assert "Pemakaian: " in seen("keys", "--help", home=tmp_path, PADAN_LANG="id")
    assert "Usage: " in seen("--lang=en", "keys", "--help", PADAN_LANG="id")
    assert "Usage: " in seen("--help", "--lang", "en")
    (tmp_path / "client.toml").write_text("rusak")
    assert "Pemakaian: " in seen("keys", "--help", home=tmp_path)
    assert CliRunner().invoke(app, ["--lang", "fr", "keys", "show"]).exit_code == 2


def test_the_version_is_the_package_s():
    assert seen("--version").strip() == f"padan {software()}"


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("keys", {"numba", "pyarrow", "grpc", "padan_client.cli.commands.publish", "padan_lab"}),
        ("confirm", {"scipy.optimize", "padan_client.cli.commands.publish", "padan_lab"}),
        ("demo", {"padan_client.cli.commands.keys", "padan_lab.assess", "padan_lab.bench"}),
    ],
)
def test_a_command_does_not_wait_for_what_others_need(name, others):
    loaded = modules_after(f"""
from typer.main import get_command
from padan_client.cli.app import app
assert get_command(app).get_command(None, {name!r})
""")
    assert "typer" in loaded
    assert others & loaded == set()


def test_what_makes_help_pretty_is_loaded_for_help():
    run = "from typer.testing import CliRunner\nfrom padan_client.cli.app import app\n"
    plain, helped = (
        modules_after(f"{run}assert CliRunner().invoke(app, {arguments}).exit_code == 0")
        for arguments in (["--version"], ["keys", "--help"])
    )
    assert "rich.markdown" in helped - plain


def test_a_home_is_opened_without_what_records_need():
    loaded = modules_after("from padan_client.home.folder import Home")
    assert {"pyarrow", "numpy", "grpc"} & loaded == set()


def modules_after(script):
    """The modules that a script has loaded in a process of its own."""
    command = [sys.executable, "-c", f"import sys\n{script}\nprint(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())
