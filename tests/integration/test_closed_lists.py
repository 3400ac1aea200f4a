"""What a requester gets of a list that asks too often about one person, end to end."""

from __future__ import annotations

import csv
import json

import pytest
from agency import people, registry_table, small_passes
from typer.testing import CliRunner

from padan_client import ProviderClient, RequesterClient
from padan_client.cli.app import app
from padan_server.matching.linkage_engine import LinkageEngine

PEOPLE = people(60, seed=12)
LETTERS = "AEIOUKLMNRST"


def spelled(person, ways):
    """One person under so many spellings of the name's last letter."""
    return [person | {"nama": person["nama"][:-1] + letter} for letter in LETTERS[:ways]]


@pytest.fixture
def published(make_pair, unit_log):
    """Both agencies at a unit that compares as a real one does; the provider has published."""
    pair = make_pair(edit=small_passes, engine=LinkageEngine())
    with ProviderClient(pair.provider, *pair.names) as client:
        client.publish(registry_table(PEOPLE[:40]), id_column="id", status_column="status")
    return pair


def padan(pair, *command):
    arguments = [str(part) for part in command]
    home = {"PADAN_HOME": str(pair.requester.folder)}
    done = CliRunner().invoke(app, ["--lang", "id", *arguments], env=home)
    assert done.exit_code == 0, done.output
    return done


def test_a_person_in_many_spellings_closes_the_list_and_every_row_is_accounted_for(
    published, tmp_path
):
    place = "-a", published.agreement, "-f", published.flow
    listed, kode, minutes = (tmp_path / n for n in ("daftar.csv", "kode.csv", "bast.json"))
    rows = [*PEOPLE[30:50], *spelled(PEOPLE[3], 12), {"nik": "12", "nama": "", "tanggal_lahir": ""}]
    with listed.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(PEOPLE[0]))
        writer.writeheader()
        writer.writerows(rows)
    done = padan(
        published, "confirm", listed, *place, "--out", kode, "--minutes", minutes, "--json"
    )
    told = json.loads(done.stdout)
    assert (told["closed"], told["charged"], told["passes"]) == (True, 256, [])
    assert told["reasons"] == {"daftar_ditutup": 32, "ruas_kurang": 1}
    with kode.open(newline="") as file:
        answered = list(csv.DictReader(file))
    assert len(answered) == 33
    assert {r["hasil"] for r in answered} == {"belum_dapat_dipastikan"}
    assert answered[32]["alasan"] == "ruas_kurang"
    assert {r["alasan"] for r in answered[:32]} == {"daftar_ditutup"}
    assert {r["jalur"] for r in answered} == {""}
    counted = json.loads(minutes.read_bytes())
    assert (counted["rows"], counted["charged"]) == (33, 256)
    shown = padan(published, "runs", "list", *place, "--json")
    (run,) = json.loads(shown.stdout)["runs"]
    assert (run["state"], run["passes"]) == ("closed", [])
    assert "ditutup" in padan(published, "runs", "show", run["run"], *place).output
    # Another list asks about others, and gets its answers.
    with RequesterClient(published.requester, *published.names) as client:
        result = client.confirm(PEOPLE[30:50])
    assert (result.closed, result.counts["TIDAK_DITEMUKAN"]) == (False, 10)


def test_copies_and_a_few_spellings_change_no_answer(published):
    listed = [*PEOPLE[30:50], *spelled(PEOPLE[3], 6), *[PEOPLE[5]] * 20]
    with RequesterClient(published.requester, *published.names) as client:
        alone = client.confirm(PEOPLE[30:50]).table["kode"].to_pylist()
        result = client.confirm(listed)
    assert not result.closed
    assert result.table["kode"].to_pylist()[:20] == alone
