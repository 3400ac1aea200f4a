"""A provider that serves different tables: found by comparing, caught by its own signatures."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from agency import NOW, TamperingLink, people, registry_table
from crooked_tables import OUT, publish
from typer.testing import CliRunner

from padan_client import VerificationError
from padan_client.cli.app import app
from padan_linkage.direct.manifest import contradiction, fingerprint, parse_manifest
from padan_linkage.direct.table import LabelTable

PEOPLE = people(40, seed=6)
AT = ("--agreement", "kemnaker-bkn-2024", "--flow", "asn-status")


def padan(home, *arguments, code=0):
    """Run a command; returns the last line of its standard output."""
    env = {"PADAN_HOME": str(home.folder)}
    done = CliRunner().invoke(app, [str(a) for a in arguments], env=env)
    assert done.exit_code == code, done.output
    return "".join(done.stdout.splitlines()[-1:])  # the servers here log before it


def everybody(key, person):
    return 1


def without_the_first(key, person):
    return OUT if person == 0 else 1


@pytest.fixture
def pair(make_direct):
    return make_direct()


def taken_back(pair, manifest):
    """A table that the provider takes back, as if its server had never served it; its folder."""
    folder = pair.server.publisher.tables_dir / manifest.table
    hidden = folder.rename(folder.with_name(f".{folder.name}.hidden"))
    with pair.server.provider._store.write() as tx:
        tx.label_tables.destroyed(manifest.table, NOW)
    pair.server.rescan()
    return hidden


def replace_table(pair, manifest, choose, **more):
    """The provider takes a table back and serves another in its place."""
    taken_back(pair, manifest)
    return publish(pair, PEOPLE, choose, NOW, **more)


def test_two_bases_of_one_moment_are_refused_and_kept(pair):
    first = publish(pair, PEOPLE, everybody, NOW, name="a")
    pair.confirm(PEOPLE[:3])
    second = replace_table(pair, first, without_the_first, name="b")
    charged = pair.charged()
    with pytest.raises(VerificationError, match="contradictions"):
        pair.confirm(PEOPLE[:3])
    assert pair.charged() == charged, "nothing was asked"
    (folder,) = (pair.requester.folder / "direct").rglob("contradictions/*")
    kept = {p.stem: parse_manifest(p.read_bytes()) for p in folder.glob("*.json")}
    assert kept == {"kept": first, "offered": second}
    assert {p.name for p in folder.glob("*.sig")} == {"kept.sig", "offered.sig"}
    with pytest.raises(VerificationError, match="contradictions"):
        pair.confirm(PEOPLE[:2])


def test_two_deltas_of_one_number_are_refused_whoever_is_asked_about(pair):
    base = publish(pair, PEOPLE, everybody, NOW, name="base")
    first = publish(pair, PEOPLE, without_the_first, NOW, base=base, name="a")
    pair.confirm(PEOPLE[:3])
    replace_table(pair, first, everybody, base=base, name="b")
    for asked in (PEOPLE[:1], PEOPLE[30:31], [{**PEOPLE[0], "nik": "3171014101900001"}]):
        with pytest.raises(VerificationError, match="sequence"):
            pair.confirm(asked)


def test_a_delta_under_another_key_stops_everybody_before_a_question(pair):
    base = publish(pair, PEOPLE, everybody, NOW, name="base")
    pair.confirm(PEOPLE[:3])
    delta = publish(pair, PEOPLE, everybody, NOW, base=base, name="delta", seed=bytes(32))
    folder = taken_back(pair, delta)
    table = LabelTable.open(folder / "rows.bin", delta.rows)

    def offering(method, message):
        """An honest server would not serve it."""
        if method.endswith("ListLabelTables"):
            message.label_tables.add(
                name=message.label_tables[0].name.replace(base.table, delta.table),
                manifest=delta.document(),
                signature=(folder / "manifest.sig").read_bytes(),
                chunk_hashes=table.chunk_hashes(),
            )
        return [message] if "Download" in method or "Stream" in method else message

    charged = pair.charged()
    for asked in (PEOPLE[:1], [{**PEOPLE[0], "nik": "3171014101900001"}]):
        with pytest.raises(VerificationError, match="epoch"):
            pair.confirm(asked, link=TamperingLink(pair.requester, offering))
    assert pair.charged() == charged


def test_what_an_honest_provider_signs_never_contradicts_itself(pair):
    base = publish(pair, PEOPLE, everybody, NOW, name="a")
    delta = publish(pair, PEOPLE, everybody, NOW, base=base, name="b")
    second = publish(pair, PEOPLE, everybody, NOW, base=delta.model_copy(
        update={"table": base.table}), name="c")  # fmt: skip
    later = publish(pair, PEOPLE, everybody, NOW + timedelta(hours=1), name="d")
    signed = [base, delta, second, later]
    assert [second.base, second.sequence] == [base.table, 2]
    assert not any(contradiction(a, b) for a in signed for b in signed)
    assert len({fingerprint(signed[:n]) for n in (1, 2, 3)} | {fingerprint([later])}) == 4


@pytest.fixture
def published(pair):
    """A registry as the product publishes it, and a delta."""
    rows = registry_table(PEOPLE[:20])
    base = pair.publish(rows)
    changed = {**rows.to_pylist()[0], "status": "PENSIUN"}
    pair.publish(type(rows).from_pylist([changed]), delta_of=base.dataset)
    return pair


def test_both_sides_print_the_same_fingerprint(published, tmp_path):
    listed, codes, bast = (tmp_path / n for n in ("daftar.csv", "kode.csv", "bast.json"))
    listed.write_text(
        f"NO,{','.join(PEOPLE[0])}\n"
        + "".join(f"{i},{','.join(p.values())}\n" for i, p in enumerate(PEOPLE))
    )
    confirm = ("confirm", listed, *AT, "--id", "NO", "--mode", "direct", "--out", codes)
    told = json.loads(padan(published.requester, *confirm, "--minutes", bast, "--json"))
    mine = json.loads(padan(published.requester, "fingerprint", *AT, codes, "--json"))
    theirs = json.loads(padan(published.provider, "fingerprint", *AT, "--json"))
    assert [t["fingerprint"] for t in mine["tables"]] == [told["tables"]]
    assert told["tables"] == theirs["tables"][-1]["fingerprint"]
    assert told["tables"] == json.loads(bast.read_text())["tables"]
    assert told["tables"] in bast.with_suffix(".txt").read_text()
    padan(published.provider, "minutes", "sign", bast, "--yes")


def test_a_provider_signs_for_no_table_that_it_did_not_publish(published, tmp_path):
    """Its server was given another delta in its name; the home has the one that was published."""
    bast, tables = tmp_path / "bast.json", published.server.publisher.tables_dir
    listed = tmp_path / "daftar.csv"
    person = PEOPLE[0]
    listed.write_text(f"{','.join(person)}\n{','.join(person.values())}\n")
    confirm = ("confirm", listed, *AT, "--mode", "direct", "--out", tmp_path / "kode.csv")
    padan(published.requester, *confirm, "--minutes", bast)
    said = json.loads(bast.read_text())
    said["tables"] = "0" * 64
    bast.write_text(json.dumps(said, sort_keys=True, separators=(",", ":")))
    padan(published.provider, "minutes", "sign", bast, "--yes", code=7)
    assert not bast.with_name("bast.json.bkn.sig").exists()
    assert len(list(tables.glob("[!.]*"))) == 2
