import ast
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from padan_client.records import prepare
from padan_lab import generate as package
from padan_lab.demo.registries import in_words
from padan_lab.generate import ID_COLUMN, generate_demo
from padan_linkage import agreement
from padan_linkage.normalise import exact_values, normalise
from padan_linkage.schema import Kind

FLOWS = [
    (name, flow.id)
    for name in agreement.EXAMPLE_IDS
    for flow in agreement.load_agreement(agreement.example(name)).flows
    if flow.schema is not None
]


@cache
def flow_of(name, flow_id):
    """A flow, with a word for every code that it derives."""
    return in_words(agreement.load_agreement(agreement.example(name)).flow(flow_id))


@pytest.fixture(scope="module")
def asn():
    return flow_of("kemnaker-bkn-2024", "asn-status")


@pytest.fixture(scope="module")
def demo(asn):
    return generate_demo(asn, 8000, 6000, 1)


def matched(demo):
    """Request rows and registry rows of the true pairs."""
    registry_row = demo.truth["registry_row"].to_numpy()
    inside = ~np.isnan(registry_row)
    return np.flatnonzero(inside), registry_row[inside].astype(int)


@pytest.mark.parametrize(("name", "flow_id"), FLOWS)
def test_every_confirmation_flow_has_data(name, flow_id):
    flow = in_words(flow_of(name, flow_id))
    demo = generate_demo(flow, 300, 200, 5)
    fields = [f.name for f in flow.schema.fields]
    assert demo.requests.column_names == [ID_COLUMN, *fields]
    assert demo.registry.column_names == [ID_COLUMN, *fields, *flow.registry]
    assert (demo.registry.num_rows, demo.requests.num_rows) == (300, 200)
    for table in (demo.registry, demo.requests):
        assert len(set(table[ID_COLUMN].to_pylist())) == table.num_rows
        prepared = prepare(table, flow.schema, None, ID_COLUMN)
        assert prepared.usable.mean() > 0.85
    codes = np.zeros(300, dtype=int)
    for column, mapping in flow.registry.items():
        statuses = demo.registry[column].to_pylist()
        assert set(statuses) <= set(mapping) | {""}
        codes += [status != "" for status in statuses]
    assert (codes >= 1).all()
    assert flow.several or (codes == len(flow.registry)).all()


@pytest.mark.parametrize(("name", "flow_id"), FLOWS)
def test_most_true_pairs_share_a_pass(name, flow_id):
    flow = flow_of(name, flow_id)
    demo = generate_demo(flow, 1500, 1200, 6)
    assert shared_passes(flow.schema, demo) > (0.84 if flow_id == "perlintasan" else 0.97)


def shared_passes(schema, demo):
    """Share of the true pairs whose exact fields agree in some pass."""
    requests, registry = matched(demo)
    ours = prepare(demo.registry, schema, None, ID_COLUMN).fields
    theirs = prepare(demo.requests, schema, None, ID_COLUMN).fields
    found = np.zeros(len(requests), dtype=bool)
    for p in schema.passes:
        agree = np.ones(len(requests), dtype=bool)
        for a, b in zip(
            exact_values(schema, p, ours), exact_values(schema, p, theirs), strict=True
        ):
            left, right = (np.array(c.to_pylist(), dtype=object) for c in (a, b))
            agree &= (left[registry] == right[requests]) & (left[registry] != "")
        found |= agree
    return found.mean()


def test_the_same_seed_gives_the_same_tables(asn, demo):
    again = generate_demo(asn, 8000, 6000, 1)
    assert again.registry.equals(demo.registry)
    assert again.requests.equals(demo.requests)
    assert again.truth.equals(demo.truth)
    other = generate_demo(asn, 8000, 6000, 2)
    assert not other.registry.equals(demo.registry)


def test_half_of_the_candidates_are_registered(demo):
    requests, registry = matched(demo)
    assert len(requests) == 3000
    # But for the few who stand in the list twice.
    assert 0.99 * 3000 < len(set(registry.tolist())) < 3000
    ids = demo.registry[ID_COLUMN].take(pa.array(registry)).to_pylist()
    assert ids == demo.truth["registry_id"].drop_null().to_pylist()
    assert demo.truth["request_id"].to_pylist() == demo.requests[ID_COLUMN].to_pylist()


def test_pairs_are_the_same_people_and_the_rest_are_not(demo):
    requests, registry = matched(demo)
    ours = np.array(demo.registry["nik"].to_pylist())
    theirs = np.array(demo.requests["nik"].to_pylist())
    assert (ours[registry] == theirs[requests]).mean() == pytest.approx(0.866, abs=0.015)
    strangers = np.setdiff1d(np.arange(6000), requests)
    taken = set(ours.tolist()) - {""}
    given = normalise(Kind.NIK, demo.requests["nik"]).values.to_pylist()
    mistaken = [given[row] for row in strangers.tolist() if given[row] in taken]
    # Only those who gave the NIK of somebody registered, mostly a relative.
    assert len(mistaken) < 0.01 * len(strangers)


def test_pensioners_are_old(demo):
    statuses = np.array(demo.registry["status"].to_pylist())
    dates = normalise(Kind.DATE, demo.registry["tanggal_lahir"]).values.to_pylist()
    years = np.array([int(d[:4] or 0) for d in dates])
    known = years > 0
    assert set(statuses) == {"AKTIF", "TIDAK AKTIF", "PENSIUN"}
    assert np.median(years[known & (statuses == "PENSIUN")]) < 1966
    assert np.median(years[known & (statuses == "AKTIF")]) > 1975


@pytest.mark.parametrize(
    ("name", "flow_id"),
    [
        ("kemnaker-bkn-2024", "asn-perbaikan"),
        ("kemnaker-bpjskes-2020", "badan-usaha"),
        ("kemnaker-bpjskes-2020", "pekerja-jkn"),
        ("bpjstk-imigrasi-2023", "izin-tinggal"),
    ],
)
def test_a_register_holds_what_its_kinds_say(name, flow_id):
    flow = flow_of(name, flow_id)
    registry = generate_demo(flow, 1000, 10, 4).registry
    for field in flow.schema.fields:
        assert len(normalise(field.kind, registry[field.name]).problems) < 0.02 * 1000


def test_a_repr_shows_nobody(demo):
    assert repr(demo) == "Demo(registry=8000, requests=6000)"


def test_relatives_stand_on_both_sides(demo):
    """A list is hard because it holds the families of those in the registry."""
    requests, _ = matched(demo)
    districts = {n[:6] for n in demo.registry["nik"].to_pylist() if n}
    strangers = np.setdiff1d(np.arange(6000), requests)
    niks = demo.requests["nik"].take(pa.array(strangers)).to_pylist()
    assert sum(n[:6] in districts for n in niks) > 0.3 * len(strangers)


def test_names_are_many_and_in_families(demo):
    names = [n.lower() for n in demo.registry["nama"].to_pylist()]
    assert len(set(names)) > 0.8 * len(names)
    assert 0.05 < np.mean([n.startswith(("muhammad", "m.", "moh", "muh")) for n in names]) < 0.2
    assert any(n.startswith(("i wayan", "ni wayan")) for n in names)
    assert 0.1 < np.mean([" " not in n for n in names]) < 0.35


def test_sizes_must_be_positive(asn):
    with pytest.raises(ValueError, match="positive"):
        generate_demo(asn, 0, 10, 1)


def test_the_generator_knows_nothing_of_the_normaliser():
    for path in Path(package.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert "normalise" not in (node.module or "")
