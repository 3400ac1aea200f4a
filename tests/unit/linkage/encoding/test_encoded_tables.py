"""Tables as the linkage unit sees them: it plays here, and finds nothing to hold on to."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from padan_linkage import tables
from padan_linkage.cover import with_cover
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.encoding import Leaving, PassEncoder, encode_table, table
from padan_linkage.encoding.handles import cover_handles, record_handles
from padan_linkage.schema import Pass, Schema, Segment
from padan_linkage.tables import chunk_edges, chunk_of

PASSES = ("nik", "lahir", "kota")


def rank_correlation(first, second):
    """Of two orders of the same things."""
    return np.corrcoef(np.argsort(np.argsort(first)), np.argsort(np.argsort(second)))[0, 1]


def rows_of_records(encoded, count):
    """Row of each record, -1 where it has none."""
    rows = np.full(count, -1)
    real = encoded.record_of_row >= 0
    rows[encoded.record_of_row[real]] = np.flatnonzero(real)
    return rows


def test_every_pass_has_the_same_size_and_every_record_once(encode, people, schema):
    records = people(1000)
    for pass_id in PASSES:
        encoded = encode(pass_id, records)
        assert len(encoded.table) == schema.padded_rows(1000) == 1280
        rows = rows_of_records(encoded, 1000)
        assert (rows >= 0).all()
        assert (encoded.record_of_row < 0).sum() == 280


def test_no_column_aligns_two_passes(encode, people, provider_inputs):
    """Against one seed for all passes: order, keys, handles and seals of a record are unrelated."""
    count = 2000
    records = people(count)
    tables = {p: encode(p, records, provider=provider_inputs(count)) for p in PASSES}
    bound = 4 / np.sqrt(count)
    for a, b in (("nik", "lahir"), ("nik", "kota"), ("lahir", "kota")):
        first, second = tables[a], tables[b]
        rows_a, rows_b = rows_of_records(first, count), rows_of_records(second, count)
        assert abs(rank_correlation(rows_a, rows_b)) < bound
        for name in ("handles", "sealed_codes"):
            column_a, column_b = first.table.columns[name], second.table.columns[name]
            assert not set(map(bytes, column_a)) & set(map(bytes, column_b))
            body_a = column_a[rows_a, 12 if name == "sealed_codes" else 0]
            body_b = column_b[rows_b, 12 if name == "sealed_codes" else 0]
            assert abs(np.corrcoef(body_a, body_b)[0, 1]) < bound
        key_a = first.table.columns["keys"][rows_a, 0].astype(float)
        key_b = second.table.columns["keys"][rows_b, 0].astype(float)
        assert abs(np.corrcoef(key_a, key_b)[0, 1]) < 0.35  # 12 towns are no random sample
        best = aligned_by_position(first, second)
        assert best < 12  # of 2,500 rows, as many as chance gives


def aligned_by_position(first, second):
    """How many rows at the same place belong to the same record."""
    same = (first.record_of_row == second.record_of_row) & (first.record_of_row >= 0)
    return int(same.sum())


def test_a_second_upload_has_another_order_and_no_old_randomness(encode, people):
    records = people(500)
    first, second = (encode("lahir", records, seed=s) for s in (b"0" * 32, b"1" * 32))
    rows = [rows_of_records(e, 500) for e in (first, second)]
    assert abs(rank_correlation(*rows)) < 0.2
    cover = [
        set(map(bytes, e.table.columns["filters"][e.record_of_row < 0])) for e in (first, second)
    ]
    assert not cover[0] & cover[1]


def test_one_seed_gives_one_table(encode, people):
    records = people(100)
    assert encode("lahir", records).table.digest() == encode("lahir", records).table.digest()


def test_nulls_and_chunks_count_as_missing_and_whole(encode, people):
    records = people(20)
    with_null = records | {"belakang": pa.array([None] * 20, pa.string())}
    empty = records | {"belakang": pa.array([""] * 20)}
    assert encode("lahir", with_null).table.digest() == encode("lahir", empty).table.digest()
    chunked = {n: pa.chunked_array([c[:7], c[7:]]) for n, c in records.items()}
    assert encode("lahir", chunked).table.digest() == encode("lahir", records).table.digest()


def test_decoys_look_like_records(encode, people):
    """Fill, buckets and tags of cover people have the distribution of the people's."""
    records = people(4000)
    for pass_id in ("lahir", "kota"):
        encoded = encode(pass_id, records, rows=8192)
        real = encoded.record_of_row >= 0
        weight = np.bitwise_count(encoded.table.columns["filters"]).sum(axis=1)
        gap = weight[real].mean() - weight[~real].mean()
        assert abs(gap) < 4 * weight.std() / np.sqrt(2000)
        keys = encoded.table.columns["keys"].view("<u2").ravel()
        places = np.unique(keys)
        shares = [np.array([(keys[who] == k).mean() for k in places]) for who in (real, ~real)]
        assert abs(shares[0] - shares[1]).sum() / 2 < 0.1  # total variation; noise alone gives .07
        assert abs(np.corrcoef(np.arange(real.size), real)[0, 1]) < 0.05  # nor do they stand aside


def test_no_decoy_is_a_copy_of_a_person(encode, people):
    """Even where many share their exact fields: a copy would make its person ambiguous."""
    for pass_id in PASSES:
        encoded = encode(pass_id, people(900))
        columns = [
            encoded.table.columns[n] for n in ("keys", "filters") if n in encoded.table.columns
        ]
        rows = list(map(bytes, np.hstack(columns)))
        real = encoded.record_of_row >= 0
        persons = {row for row, is_real in zip(rows, real, strict=True) if is_real}
        assert not [
            row for row, is_real in zip(rows, real, strict=True) if not is_real and row in persons
        ]


def test_misfits_are_refused_without_a_value(encode, people, provider_inputs):
    records = people(300)
    with pytest.raises(ValueError, match="300 people do not fit 256 rows"):
        encode("nik", records, rows=256)
    with pytest.raises(ValueError, match="one length"):
        encode("nik", records | {"nik": records["nik"][:5]})
    with pytest.raises(ValueError, match="one length"):
        encode("nik", records, provider=provider_inputs(299))
    inputs = provider_inputs(300)
    object.__setattr__(inputs, "ids", pa.array(["same"] * 300))
    with pytest.raises(ValueError, match="repeat"):
        encode("nik", records, provider=inputs)
    giant = records | {"kota": pa.array(["9" * 70_000] * 300)}
    with pytest.raises(ValueError, match="too long") as raised:
        encode("kota", giant)
    assert "999" not in str(raised.value)


def test_a_value_of_a_million_characters_is_cut_not_kept(encode, people):
    records = people(3) | {"depan": pa.array(["ab" * 500_000, "ab" * 500, "ab"])}
    bits = encode("lahir", records).table
    assert len(bits) == 256


def test_reprs_show_sizes_only(encode, people, provider_inputs):
    inputs = provider_inputs(3)
    encoded = encode("nik", people(3), provider=inputs)
    token = repr(encoded.tokens[0].tobytes())[2:-1]
    for thing in (encoded, encoded.table, inputs, inputs.sealer):
        assert token not in repr(thing)
        assert "h" * 32 not in repr(thing)
    assert repr(encoded) == "EncodedPass(PassTable('nik', rows=256, row_bytes=84))"


# People without the exact fields


def absent(people, count=50):
    """Of so many, the first ten without a birth date."""
    dates = [""] * 10 + ["1990-01-02"] * (count - 10)
    return people(count) | {"lahir": pa.array(dates)}


def test_a_record_without_its_exact_fields_stands_for_nobody_and_keeps_its_handle(
    encode, people, provider_inputs
):
    encoded = encode("lahir", absent(people), provider=provider_inputs(50))
    assert set(encoded.record_of_row) == {-1, *range(10, 50)}
    handles = set(map(bytes, encoded.table.columns["handles"]))
    expected = record_handles(b"h" * 32, "lahir", pa.array([f"P-{i}" for i in range(50)]))
    assert set(map(bytes, expected)) <= handles
    assert len(handles) == len(encoded.table)


def test_a_stand_in_is_the_same_in_every_table_of_the_epoch_and_of_one_side_alone(
    schema, key, people, provider_inputs
):
    """Otherwise who lacks a field would be known by it: everybody else recurs."""
    for p in schema.passes:
        rows = {}
        for side, seed, inputs in (
            ("list", b"1", None),
            ("another list", b"2", None),
            ("registry", b"3", provider_inputs(50)),
        ):
            encoder, given = PassEncoder(schema, p, key), absent(people)
            for name in ("nik", "kota"):
                given[name] = pa.array([""] * 10 + given[name].to_pylist()[10:])
            made = encoder.encode(given, drbg=Drbg(seed * 32), provider=inputs)
            shown = [
                made.table.columns[n]
                for n in ("keys", "filters", "tags")
                if n in made.table.columns
            ]
            rows[side] = set(map(bytes, np.hstack(shown)[made.record_of_row < 0]))
        assert rows["list"] == rows["another list"]
        assert len(rows["list"]) == 10
        assert not rows["list"] & rows["registry"]


def test_a_list_with_nobody_usable_makes_a_table_of_the_same_size(encode, people):
    encoded = encode("lahir", people(5) | {"lahir": pa.array([""] * 5)})
    assert len(encoded.table) == 256
    assert (encoded.record_of_row == -1).all()
    assert len(set(map(bytes, encoded.table.columns["filters"]))) == 256


def test_a_single_record_has_cover_and_a_table_of_nobody_is_refused(encode, people):
    assert (encode("lahir", people(1)).record_of_row >= 0).sum() == 1
    none = {name: column[:0] for name, column in people(1).items()}
    with pytest.raises(ValueError, match="nobody to draw"):
        encode("kota", none, rows=256)


# Deltas


def delta(schema, key, pass_id, changed, inputs, people=None, ids=("P-7", "P-8"), cover=()):
    encoder = PassEncoder(schema, schema.get_pass(pass_id), key)
    leaving = Leaving(ids, np.array(cover, np.int64))
    drbg = Drbg(b"2" * 32)
    return encoder.encode_delta(changed, people=people, drbg=drbg, provider=inputs, leaving=leaving)


def test_a_delta_names_the_rows_of_its_people_and_cover_people(
    schema, key, people, provider_inputs
):
    changed = {name: column[:9] for name, column in people(100).items()}
    inputs = replace(provider_inputs(3), cover=np.array([4, 9, 11, 60, 61, 62]))
    for pass_id in PASSES:
        made = delta(schema, key, pass_id, changed, inputs, people=3, cover=[1, 2])
        columns = made.table.columns
        handles = [bytes(h) for h in columns["handles"]]
        operation = dict(zip(handles, columns["operations"].ravel().tolist(), strict=True))
        assert len(operation) == len(handles) == 13
        ids = ["P-0", "P-1", "P-2", "P-7", "P-8"]
        named = map(bytes, record_handles(b"h" * 32, pass_id, pa.array(ids)))
        assert [operation[h] for h in named] == [1, 1, 1, 2, 2]
        numbers = np.array([4, 9, 11, 60, 61, 62, 1, 2])
        named = map(bytes, cover_handles(b"h" * 32, pass_id, numbers))
        assert [operation[h] for h in named] == [1] * 6 + [2, 2]
        of_rows = [handles[row] for row in rows_of_records(made, 3)]
        assert of_rows == [bytes(h) for h in record_handles(b"h" * 32, pass_id, pa.array(ids[:3]))]


def test_a_record_or_a_cover_person_twice_in_a_delta_is_refused(
    schema, key, people, provider_inputs
):
    changed = {name: column[:3] for name, column in people(3).items()}
    for ids in (["P-1"], ["x", "x"]):
        with pytest.raises(ValueError, match="once"):
            delta(schema, key, "nik", changed, provider_inputs(3), ids=ids)
    inputs = replace(provider_inputs(1), cover=np.array([5, 5]))
    with pytest.raises(ValueError, match="number of its own"):
        delta(schema, key, "nik", changed, inputs, people=1)


def test_rows_made_chunk_by_chunk_are_those_of_the_whole_table(
    monkeypatch, schema, key, people, provider_inputs
):
    monkeypatch.setattr(tables, "CHUNK_ROWS", 96)
    records, p = people(300), schema.get_pass("lahir")
    for name in ("depan", "belakang"):
        records[name] = pa.array([""] * 150 + records[name].to_pylist()[150:])
    rows = PassEncoder(schema, p, key, threads=2).arrange(
        with_cover(schema, records, 384, Drbg(b"c" * 32)),
        people=300,
        drbg=Drbg(b"c" * 32),
        provider=provider_inputs(300),
    )
    whole = rows.whole()
    assert whole.digest() == rows.whole().digest()
    for number in reversed(range(chunk_of(len(rows) - 1) + 1)):
        start, stop = chunk_edges(number, len(rows))
        assert rows.chunk(number).rows(0, stop - start) == whole.rows(start, stop)
    real = whole.columns["filters"][rows.record_of_row >= 0]
    assert len(set(map(bytes, real))) == len(real)  # what fills empty fields is each record's own


def test_records_hashed_block_by_block_are_those_hashed_at_once(monkeypatch, encode, people):
    records = people(500)
    at_once = encode("kota", records)
    monkeypatch.setattr(table, "_BLOCK", 64)
    assert encode("kota", records, threads=2).table.digest() == at_once.table.digest()


@pytest.mark.parametrize("similar", [(), (Segment(fields=("depan",)),)], ids=["exact", "filter"])
def test_a_pass_without_a_field_is_for_those_rows_of_a_list_that_lack_it(
    people, schema, key, provider_inputs, similar
):
    """Of a registry all take part; the list's others are nobody in a table of the same size."""
    bare = Pass(id="saja", exact=("nik",), similar=similar, without=("lahir", "kota"))
    whole = Schema(fields=schema.fields, passes=(bare,))
    records = people(600)
    lacking = np.arange(600) % 3 == 0
    for name in bare.without:
        records[name] = pc.if_else(pa.array(lacking), "", records[name])
    records["kota"] = pc.if_else(pa.array(np.arange(600) == 3), "kudus", records["kota"])
    made = {}
    for side, given in {"list": None, "registry": provider_inputs(600)}.items():
        encoded = encode_table(whole, bare, key, records, drbg=Drbg(b"t" * 32), provider=given)
        assert len(encoded.table) == 600
        made[side] = encoded, set(encoded.record_of_row.tolist()) - {-1}
    assert made["registry"][1] == set(range(600))
    assert made["list"][1] == set(np.flatnonzero(lacking).tolist()) - {3}
    tokens = {
        side: {
            bytes(t): r for t, r in zip(e.tokens, e.record_of_row.tolist(), strict=True) if r >= 0
        }
        for side, (e, _) in made.items()
    }
    assert {r: tokens["registry"][t] for t, r in tokens["list"].items()} == {
        r: r for r in made["list"][1]
    }
    if not similar:
        shown = {bytes(t) for t in made["list"][0].tokens}
        assert len(shown & set(tokens["registry"])) == len(made["list"][1])
