"""What filters say of two records, and what they must not say."""

import numpy as np
import pyarrow as pa
import pytest

from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.encoding import PassEncoder
from padan_linkage.encoding.tokens import salt_keys
from padan_linkage.schema import Schema

NAMES = ["kusumawardani", "kusumawardhani", "wirasena", "kusumawardani tri", "x", "sri", "dewi"]


def records_of(depan, belakang="", lahir="1990-01-02", kota="batu"):
    """Records that differ in the given name alone."""
    count = len(depan)
    columns = {
        "nik": [str(3171000000000000 + i) for i in range(count)],
        "depan": depan,
        "belakang": [belakang] * count if isinstance(belakang, str) else belakang,
        "lahir": [lahir] * count if isinstance(lahir, str) else lahir,
        "kota": [kota] * count,
    }
    return {name: pa.array(values, pa.string()) for name, values in columns.items()}


def filters_of(encoded):
    """Filters as bits, in the order of the records."""
    real = np.flatnonzero(encoded.record_of_row >= 0)
    ordered = real[np.argsort(encoded.record_of_row[real])]
    return np.unpackbits(encoded.table.columns["filters"][ordered], axis=1, bitorder="little")


def distances(bits):
    return (bits[:, None, :] != bits[None, :, :]).sum(axis=2)


def test_equal_records_have_equal_filters_and_alike_ones_near_ones(encode):
    first = filters_of(encode("lahir", records_of(NAMES, "kusumo")))[:, :256]
    again = filters_of(encode("lahir", records_of(NAMES, "kusumo"), seed=b"1" * 32))[:, :256]
    assert (first == again).all()
    away = distances(first)[0]
    typo, extra_token, other = away[1], away[3], away[2]
    assert typo < extra_token < other
    assert 100 < other < 156  # unrelated: half the bits


def test_other_exact_fields_make_unrelated_filters(encode):
    bits = filters_of(encode("lahir", records_of(["wira"] * 2, "k", ["1990-01-02", "1990-01-03"])))
    assert 200 < distances(bits)[0, 1] < 312


@pytest.mark.parametrize("change", ["key", "schema"])
def test_another_key_or_schema_makes_unrelated_tables(encode, schema, change):
    records = records_of(NAMES, "kusumo")
    using, options = schema, {}
    if change == "key":
        options = {"key": LinkageKey(b"K" * 32, b"d" * 32, "asn-status", 1)}
    else:
        using = schema.model_copy(update={"decoy_share": 0.5})
    mine = encode("lahir", records)
    theirs = encode("lahir", records, using=using, **options)
    assert (abs((filters_of(mine) != filters_of(theirs)).sum(axis=1) - 256) < 70).all()
    assert not real_tokens(mine) & real_tokens(theirs)


def test_two_passes_with_one_definition_are_unrelated(encode, schema):
    twin = schema.get_pass("lahir").model_copy(update={"id": "kembar"})
    both = schema.model_copy(update={"passes": (*schema.passes, twin)})
    records = records_of(NAMES, "kusumo")
    first = encode("lahir", records, using=both)
    second = encode("kembar", records, using=both)
    assert (abs((filters_of(first) != filters_of(second)).sum(axis=1) - 256) < 70).all()
    assert not real_tokens(first) & real_tokens(second)
    assert (first.record_of_row != second.record_of_row).any()


def numbered(count):
    """Numbers of different people."""
    return pa.array([f"31710101017{n:05}" for n in range(count)])


def real_tokens(encoded):
    return {bytes(t) for t in encoded.tokens[encoded.record_of_row >= 0]}


def unmasked(schema, key, pass_id, records):
    """Filters before the mask: the pad is what a segment without diffusion rows leaves."""
    encoder = PassEncoder(schema, schema.get_pass(pass_id), key)
    tokens = encoder._tokens(records)
    salts = salt_keys(tokens.hashes)
    source = (salts, np.arange(len(salts)), np.zeros((len(salts), 2), np.uint64))
    maker = encoder._maker
    texts = maker.texts(records)
    masked = maker.filters(texts, source)["filters"]
    for label, rows in maker.diffusion.items():
        maker.diffusion[label] = np.zeros_like(rows)
    pads = maker.filters(texts, source)["filters"]
    as_bits = [np.unpackbits(a, axis=1, bitorder="little") for a in (masked, pads, masked ^ pads)]
    return dict(zip(("masked", "pads", "unmasked"), as_bits, strict=True))


def test_the_mask_keeps_distances_and_hides_weight(schema, key):
    records = records_of(NAMES, "kusumo")
    bits = unmasked(schema, key, "lahir", records)
    assert (distances(bits["masked"]) == distances(bits["unmasked"])).all()
    assert (bits["pads"] == bits["pads"][0]).all()  # one salt key, one pad
    assert 180 < bits["pads"][0].sum() < 332

    dates = [f"19{y}-0{m}-1{d}" for y in range(50, 99) for m in range(1, 6) for d in range(2)]
    short = unmasked(schema, key, "lahir", records_of(["x"] * len(dates), "y", dates))
    weights = short["masked"].sum(axis=1)
    assert abs(weights.mean() - 256) < 3
    assert abs(weights.std() - np.sqrt(128)) < 2  # a fair coin for every bit


def test_short_and_long_names_weigh_the_same(schema, key):
    """Constant weight: before the mask a mononym is as dense as a long name."""
    dates = [f"19{y}-0{m}-1{d}" for y in range(50, 99) for m in range(1, 6) for d in range(4)]
    weights = [
        unmasked(schema, key, "lahir", records_of([name] * len(dates), name, dates))["unmasked"]
        .sum(axis=1)
        .mean()
        for name in ("x", "maharani kusumawardani putri")
    ]
    assert abs(weights[0] - weights[1]) < 5


def test_swapped_names_meet_crosswise(encode):
    records = records_of(["wira", "kusumo"], ["kusumo", "wira"])
    bits = filters_of(encode("lahir", records))
    assert (bits[0, :256] == bits[1, 256:]).all()
    assert (bits[0, 256:] == bits[1, :256]).all()
    assert (bits[0, :256] != bits[0, 256:]).any()


def test_merged_fields_do_not_mix(encode):
    records = records_of(["wira", ""], ["", "wira"])
    bits = filters_of(encode("kota", records))[:, :512]
    assert (bits[0] != bits[1]).sum() > 180


def test_an_empty_segment_is_random_and_tells_nothing(encode):
    records = records_of(["wira"] * 40) | {"nik": numbered(40)}
    bits = filters_of(encode("lahir", records))[:, 256:]
    away = distances(bits)[np.triu_indices(40, 1)]
    assert abs(away.mean() - 128) < 2
    assert away.min() > 80
    assert "presence" not in encode("lahir", records).table.columns


def test_an_empty_segment_is_the_same_in_every_list_and_the_other_sides_is_another(
    encode, provider_inputs
):
    records = records_of(["wira"] * 40) | {"nik": numbered(40)}
    bits, again = (filters_of(encode("lahir", records, seed=s * 32)) for s in (b"1", b"2"))
    assert (bits == again).all()
    part = {name: column.slice(30, 5) for name, column in records.items()}
    assert (filters_of(encode("lahir", part)) == bits[30:35]).all()
    theirs = filters_of(encode("lahir", records, provider=provider_inputs(40)))
    assert (theirs[:, :256] == bits[:, :256]).all()
    assert ((theirs[:, 256:] != bits[:, 256:]).sum(axis=1) > 80).all()


def test_presence_is_sent_only_where_the_schema_says(encode, schema):
    open_schema = schema.model_copy(update={"presence": True})
    records = records_of(["wira", "", "", "sri"], ["", "kusumo", "", "k"])
    encoded = encode("lahir", records, using=open_schema)
    rows = [int(np.flatnonzero(encoded.record_of_row == i)[0]) for i in range(4)]
    assert encoded.table.columns["presence"][rows, 0].tolist() == [1, 2, 0, 3]


def test_a_single_threaded_table_equals_a_threaded_one(encode, people):
    records = people(700)
    for pass_id in ("nik", "lahir", "kota"):
        one, three = (encode(pass_id, records, threads=n) for n in (1, 3))
        assert one.table.digest() == three.table.digest()


def tags_of(encoded):
    """Record -> tags."""
    tags = map(bytes, encoded.table.columns["tags"])
    return dict(zip(encoded.record_of_row.tolist(), tags, strict=True))


def test_confirmation_tags_agree_exactly_where_values_do(encode):
    records = records_of(["a", "b", "c"], kota="batu")
    records["kota"] = pa.array(["batu", "batu", "malang"])
    encoded = encode("lahir", records)
    tags = tags_of(encoded)
    assert tags[0] == tags[1] != tags[2]
    apart = encode("lahir", records | {"lahir": pa.array(["1990-01-02", "1990-01-03", ""])})
    apart_tags = tags_of(apart)
    assert apart_tags[0] == tags[0] != apart_tags[1]  # salted by the exact fields


def test_an_empty_confirmed_value_never_agrees(encode):
    records = records_of(["a"] * 6) | {"kota": pa.array([""] * 6), "nik": numbered(6)}
    encoded = encode("lahir", records)
    tags = [bytes(t) for t in encoded.table.columns["tags"]]
    assert len(set(tags)) == len(tags)


def test_a_doubtful_value_is_alike_and_equals_nothing(encode):
    records = records_of(["?sri dewi"] * 4) | {"kota": pa.array(["?batu"] * 4), "nik": numbered(4)}
    doubtful = encode("lahir", records)
    known = encode("lahir", records_of(["sri dewi"] * 4))
    assert (filters_of(doubtful)[:, :256] == filters_of(known)[:, :256]).all()
    assert len(set(tags_of(doubtful).values())) == len(tags_of(doubtful))
    unused = encode("lahir", records_of(["a"] * 4, lahir="?1990-01-02"))
    assert (unused.record_of_row < 0).all()


def test_all_lengths_of_segments_work(encode):
    shape = {"fields": ["depan"], "bits": 64, "weight": 9}
    segments = [{**shape, "bits": bits, "group": f"g{bits}"} for bits in (64, 320, 576, 4096)]
    schema = Schema.model_validate(
        {
            "fields": [{"name": "depan", "kind": "person_name"}, {"name": "nik", "kind": "nik"}],
            "passes": [{"id": "p", "exact": ["nik"], "similar": segments}],
        }
    )
    records = {"depan": pa.array(["wira", "wira"]), "nik": pa.array(["3171010101700001"] * 2)}
    encoded = encode("p", records, using=schema)
    bits = filters_of(encoded)
    assert bits.shape == (2, 64 + 320 + 576 + 4096)
    assert (bits[0] == bits[1]).all()
