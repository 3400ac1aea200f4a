"""What an officer agrees to: at a terminal by a yes, in scripts by an option, otherwise not."""

from __future__ import annotations

import io
import sys

import pytest
from typer.main import get_command

from padan_client.base.errors import BadInputError
from padan_client.cli.app import app
from padan_client.cli.asking import agree, claim, claim_folder


class Terminal(io.StringIO):
    """Standard input of somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["ya", "Y", "yes "])
def test_a_yes_at_the_terminal_goes_on(monkeypatch, capsys, answer):
    monkeypatch.setattr(sys, "stdin", Terminal(answer + "\n"))
    agree("Kunci akan dimusnahkan.", given=False, option="--yes")
    asked = capsys.readouterr()
    assert "Kunci akan dimusnahkan." in asked.err
    assert asked.out == "", "standard output is for results"


@pytest.mark.parametrize("answer", ["", "t", "tidak", "n", "ya?"])
def test_everything_else_changes_nothing(monkeypatch, answer):
    monkeypatch.setattr(sys, "stdin", Terminal(answer + "\n"))
    with pytest.raises(BadInputError, match="tidak ada yang diubah"):
        agree("Kunci akan dimusnahkan.", given=False, option="--yes")


def test_without_a_terminal_the_option_is_named(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("ya\n"))
    with pytest.raises(BadInputError, match=r"dimusnahkan\..*--yes"):
        agree("Kunci akan dimusnahkan.", given=False, option="--yes")
    agree("Kunci akan dimusnahkan.", given=True, option="--yes")


def test_an_input_is_not_overwritten_even_by_force(monkeypatch, tmp_path):
    listed, codes = tmp_path / "daftar.csv", tmp_path / "kode.csv"
    listed.touch()
    codes.touch()
    with pytest.raises(BadInputError, match="masukan"):
        claim(codes, listed, reads=[listed], force=True)
    monkeypatch.setattr(sys, "stdin", Terminal("ya\n"))
    claim(codes, reads=[listed], force=False)
    monkeypatch.setattr(sys, "stdin", Terminal("\n"))
    with pytest.raises(BadInputError, match="tidak ada yang diubah"):
        claim(codes, reads=[listed], force=False)


def test_a_folder_with_an_input_or_somebody_s_work_is_not_made_anew(tmp_path):
    folder, listed = tmp_path / "peragaan", tmp_path / "peragaan" / "data" / "daftar.csv"
    with pytest.raises(BadInputError, match="Pilih folder lain"):
        claim_folder(folder, [], reads=[listed], force=True)
    with pytest.raises(BadInputError, match="--force"):
        claim_folder(folder, [listed], reads=[], force=False)
    claim_folder(folder, [listed], reads=[tmp_path / "daftar.csv"], force=True)
    claim_folder(folder, [], reads=[], force=False)


def test_every_command_that_writes_a_file_can_be_told_to_overwrite():
    tree = get_command(app)
    tree.load_all()
    commands = dict(leaves(tree, ()))
    writing = {
        name
        for name, command in commands.items()
        if {"--out", "--quarantine", "--minutes"} & {o for p in command.params for o in p.opts}
    }
    unforced = {
        n for n in writing if "--force" not in {o for p in commands[n].params for o in p.opts}
    }
    assert len(writing) > 8
    # A bench works in a folder that is new, a change of keys has a number that none has yet.
    anew = {("agreement", "replace-keys")}
    assert {name for name in unforced - anew if name[0] != "bench"} == set()


def leaves(command, path):
    """The commands of the tree, by their words."""
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, one in command.commands.items():
        yield from leaves(one, (*path, name))
