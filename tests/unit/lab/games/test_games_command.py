"""`padan games`: verdict, exit status, JSON and page."""

import json

import pytest
from typer.testing import CliRunner

from padan_client.cli.app import app
from padan_lab.games import program
from padan_lab.games.judging.auc import Area
from padan_lab.games.judging.contest import Result
from padan_lab.games.judging.outcome import Bound, Outcome


def outcome(low, auc, high):
    told = (("<place>", auc),)
    parts = {"list 1 · nik": Result(Area(auc, low, high), "trees", (1200, 1100), told)}
    found = {"leak": Result(Area(0.8, 0.7, 0.9), "single", (1200, 1100), told)}
    return Outcome("unit", "unit", parts, found)


@pytest.fixture
def played(monkeypatch):
    """Runs the command with games of one part each, and no stage."""

    class Nothing:
        def __enter__(self):
            return None

        def __exit__(self, *_):
            return None

    def run(games, *arguments, code=0):
        monkeypatch.setattr(program, "staged", lambda folder: Nothing())
        monkeypatch.setattr(program, "BOUNDS", {})
        monkeypatch.setattr(program, "GAMES", {n: lambda *_, o=o: o for n, o in games.items()})
        done = CliRunner().invoke(
            app, ["--lang", "en", "games", *arguments], env={"COLUMNS": "200"}
        )
        assert done.exit_code == code, done.output
        return done.stdout

    return run


GOOD, BAD = outcome(0.47, 0.5, 0.53), outcome(0.52, 0.55, 0.56)


def test_games_that_hold(played, tmp_path):
    page = tmp_path / "report.html"
    found = json.loads(played({"decoy": GOOD}, "--quick", "--json", "--out", str(page)))
    assert found["held"]
    told = found["games"]["decoy"]
    assert (told["auc"], told["low"], told["high"], told["control"]) == (0.5, 0.47, 0.53, 0.7)
    assert (told["party"], told["mode"], told["plays"]) == ("unit", "unit", [1200, 1100])
    html = page.read_text()
    assert "&lt;place&gt;" in html
    assert "http" not in html.replace("http-equiv", "")


def test_a_game_that_falls_is_named_and_told_by_the_exit_status(played):
    text = played({"decoy": GOOD, "change": BAD}, "--quick", code=1)
    assert "DID NOT HOLD: change." in text
    assert "list 1 · nik" in text


def test_the_full_bench_asks_for_more_than_the_quick_one(played):
    wide = outcome(0.45, 0.51, 0.57)
    played({"decoy": wide}, "--quick")
    played({"decoy": wide}, code=1)


def test_one_game_alone_and_none_that_is_not_there(played):
    found = json.loads(played({"decoy": GOOD, "change": BAD}, "--json", "--game", "decoy"))
    assert found["games"].keys() == {"decoy"}
    played({"decoy": GOOD}, "--game", "chess", code=3)


def test_a_bound_beside_the_games(monkeypatch):
    bench = program.Bench(
        {"decoy": GOOD}, {"oracle": Bound(0.5, 0.2, 3.0, {})}, program.QUICK, 1, {}
    )
    assert not bench.held
