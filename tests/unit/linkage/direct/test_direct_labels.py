"""Labels and tables: one answer for each input, sealed once, found again, and never forged."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from padan_linkage.answering.answers import RecordAnswers
from padan_linkage.answering.outcomes import AMBIGUOUS, MATCHED, NOT_MATCHED
from padan_linkage.answering.payloads import Payloads
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.inputs import KeyInputs
from padan_linkage.direct.label_payloads import LabelPayloads
from padan_linkage.direct.labels import (
    dummies,
    label_keys,
    label_material,
    open_rows,
    seal,
)
from padan_linkage.direct.lookup import SourceTable, look_up, settle
from padan_linkage.direct.registry import changes, label_inputs
from padan_linkage.direct.schema import DirectKey
from padan_linkage.direct.table import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    LabelTable,
    LabelTableWriter,
    TableError,
    padded_rows,
    split_hashes,
    verify_chunk,
)

STRICT = DirectKey(id="nik", exact=("nik",))
TOLERANT = DirectKey(id="nama", exact=("nama", "lahir"), weak=True, alone=True)
BASE, DELTA, NEWER = (bytes([i]) * 16 for i in range(3))


def outputs(*names):
    """What the PRF would give, any 64 bytes for each name."""
    made = b"".join(Drbg(name.encode().ljust(32, b".")).bytes(64) for name in names)
    return np.frombuffer(made, np.uint8).reshape(-1, 64)


def in_order(material):
    """The rows in ascending order of their tags, as a table has them."""
    tags = [tag.tobytes() for tag in material["tag"]]
    return material[sorted(range(len(tags)), key=tags.__getitem__)]


def table(path, table_id, answers, *, fill=0):
    """A table that says ``answers``: name -> codes, "?" (ambiguous) or None (removed)."""
    codes = np.array([c if isinstance(c, int) else 0 for c in answers.values()], np.uint64)
    said = LabelPayloads.of(
        codes,
        np.array([c == "?" for c in answers.values()]),
        np.array([c is None for c in answers.values()]),
    )
    material = label_material(outputs(*answers), table_id, said)
    filled = np.concatenate([material, dummies(fill, Drbg(bytes(32)))])
    with LabelTableWriter(path) as writer:
        writer.append(seal(in_order(filled)))
    return SourceTable(LabelTable.open(path, writer.rows), table_id), writer


def test_the_requester_finds_what_the_provider_says(tmp_path):
    source, _ = table(tmp_path / "t", BASE, {"a": 1, "b": 6, "c": "?"}, fill=5000)
    found = look_up([source], outputs("c", "x", "b", "a"))
    assert found.hit.tolist() == [True, False, True, True]
    assert found.codes.tolist() == [0, 0, 6, 1]
    assert found.ambiguous.tolist() == [True, False, False, False]
    assert not found.failed.any()


def test_the_newest_table_that_has_an_input_speaks_for_it(tmp_path):
    base, _ = table(tmp_path / "b", BASE, {"a": 1, "b": 1, "c": 1, "d": "?"})
    delta, _ = table(tmp_path / "d", DELTA, {"a": 2, "b": None, "e": 4, "d": 1})
    newer, _ = table(tmp_path / "n", NEWER, {"b": 8, "e": None})
    found = look_up([base, delta, newer], outputs("a", "b", "c", "d", "e"))
    assert found.codes.tolist() == [2, 8, 1, 1, 0]
    assert found.hit.tolist() == [True, True, True, True, False]
    assert look_up([base, delta], outputs("b")).hit.tolist() == [False]


def test_no_key_and_no_tag_is_used_in_two_tables():
    one, other = (label_keys(outputs("a"), table_id) for table_id in (BASE, DELTA))
    for mine, theirs in zip(one, other, strict=True):
        assert mine.tobytes() != theirs.tobytes()


def test_a_wrong_label_is_told_and_answers_nothing(tmp_path):
    source, _ = table(tmp_path / "t", BASE, {"a": 1, "b": 2})
    rows = source.table.rows.copy()
    for byte in (16, 31, 32, 47):
        bent = rows.copy()
        bent[:, byte] ^= 1
        found = look_up([SourceTable(LabelTable(bent), BASE)], outputs("a", "x"))
        assert found.failed.tolist() == [True, False]
        assert not found.hit.any()
        assert not found.codes.any()
    swapped = rows.copy()
    swapped[:, 16:] = rows[::-1, 16:]
    assert look_up([SourceTable(LabelTable(swapped), BASE)], outputs("a", "b")).failed.all()


def test_an_opened_payload_of_unknown_form_is_a_wrong_label():
    material = label_material(outputs("a"), BASE, LabelPayloads.of(np.array([1], np.uint64)))
    for byte, value in ((0, 9), (1, 1), (1, 6), (1, 2), (3, 1), (12, 1)):
        bent = material.copy()
        bent["payload"][0, byte] = value
        answers, opened = open_rows(bent["key"], seal(bent))
        assert (opened.tolist(), answers.valid.tolist()) == ([False], [False])


def test_a_key_never_seals_twice():
    twice = LabelPayloads.of(np.array([1, 2], np.uint64))
    material = label_material(outputs("a", "a"), BASE, twice)
    with pytest.raises(ValueError, match="ascend"):
        seal(material)
    with pytest.raises(ValueError, match="ascend"):
        seal(in_order(material))
    with pytest.raises(ValueError, match="16 bytes"):
        label_keys(outputs("a"), b"short")
    with pytest.raises(ValueError, match="number"):
        label_material(outputs("a", "b"), BASE, LabelPayloads.of(np.array([1], np.uint64)))


def test_rows_look_alike_whatever_they_say():
    said = LabelPayloads.of(
        np.array([1, 1 << 63, 0, 0], np.uint64),
        np.array([False, False, True, False]),
        np.array([False, False, False, True]),
    )
    rows = seal(in_order(label_material(outputs(*"abcd"), BASE, said)))
    assert rows.shape == (4, 48)
    assert len({row.tobytes()[16:] for row in rows}) == 4


# One answer for each input


def merged(key, names, codes):
    inputs = KeyInputs(
        pa.array([n.encode() for n in names], pa.large_binary()), np.arange(len(names))
    )
    made = label_inputs(key, inputs, np.array(codes, np.uint64))
    said = zip(made.answers.codes.tolist(), made.answers.ambiguous.tolist(), strict=True)
    return dict(zip(made.messages.to_pylist(), said, strict=True)), made


def test_records_that_share_an_identifier_agree_or_are_ambiguous():
    said, _ = merged(STRICT, "aabbc", [1, 1, 1, 2, 4])
    assert said == {b"a": (1, False), b"b": (0, True), b"c": (4, False)}


def test_records_that_share_a_tolerant_key_are_ambiguous():
    said, _ = merged(TOLERANT, "aab", [1, 1, 2])
    assert said == {b"a": (0, True), b"b": (2, False)}


def test_a_delta_says_what_is_new_other_gone_or_clear_again():
    _, old = merged(TOLERANT, "aabcd", [1, 1, 1, 2, 4])
    _, new = merged(TOLERANT, "abce", [1, 1, 8, 4])
    made = changes(old, new)
    said = {
        message: (int(code), bool(gone))
        for message, code, gone in zip(
            made.messages.to_pylist(), made.answers.codes, made.answers.removed, strict=True
        )
    }
    assert said == {b"a": (1, False), b"c": (8, False), b"d": (0, True), b"e": (4, False)}
    assert len(changes(new, new)) == 0


@settings(max_examples=25)
@given(
    st.dictionaries(st.text("ab", max_size=3), st.sampled_from([1, 2, 4]), max_size=8), st.data()
)
def test_a_base_with_its_delta_answers_as_a_new_base(tmp_path_factory, now, data):
    then = {
        k: data.draw(st.sampled_from([1, 2, 4]))
        for k in data.draw(st.sets(st.text("ab", max_size=3), min_size=1, max_size=8))
    }
    _, old = merged(STRICT, list(then), list(then.values()))
    _, new = merged(STRICT, list(now), list(now.values()))
    delta = changes(old, new)
    folder = tmp_path_factory.mktemp("t")
    sources = []
    for number, labelled in enumerate((old, delta)):
        if len(labelled):
            names = [m.decode() for m in labelled.messages.to_pylist()]
            material = label_material(outputs(*names), bytes([number]) * 16, labelled.answers)
            with LabelTableWriter(folder / str(number)) as writer:
                writer.append(seal(in_order(material)))
            opened = LabelTable.open(folder / str(number), writer.rows)
            sources.append(SourceTable(opened, bytes([number]) * 16))
    everybody = sorted({*then, *now, "nobody"})
    found = look_up(sources, outputs(*everybody))
    assert dict(zip(everybody, found.codes.tolist(), strict=True)) == {
        n: now.get(n, 0) for n in everybody
    }
    assert found.hit.tolist() == [n in now for n in everybody]


# Payloads


@given(st.integers(0, (1 << 64) - 1), st.sampled_from(["said", "ambiguous", "removed"]))
def test_payloads_come_back(codes, kind):
    flags = {"ambiguous": np.array([kind == "ambiguous"]), "removed": np.array([kind == "removed"])}
    made = LabelPayloads.of(np.array([codes], np.uint64), **flags)
    again = LabelPayloads.unpack(made.pack())
    assert again.valid.all()
    assert again.codes[0] == (codes if kind == "said" else 0)
    assert (again.ambiguous[0], again.removed[0]) == (kind == "ambiguous", kind == "removed")


def test_a_unit_s_payload_is_a_label_s_and_a_decoy_is_not():
    plain = Payloads.of(np.array([5], np.uint64)).pack()
    assert LabelPayloads.unpack(plain).codes.tolist() == [5]
    assert not LabelPayloads.unpack(Payloads.decoys(1).pack()).valid.any()
    assert not Payloads.unpack(
        LabelPayloads.of(np.zeros(1, np.uint64), np.array([True])).pack()
    ).valid.any()
    with pytest.raises(ValueError, match="not both"):
        LabelPayloads.of(np.zeros(1, np.uint64), np.array([True]), np.array([True]))


# Tables


def random_rows(count, seed=1):
    rows = np.frombuffer(Drbg(bytes([seed]) * 32).bytes(48 * count), np.uint8).reshape(-1, 48)
    return rows[np.lexsort(rows[:, 15::-1].T)]


def test_a_table_is_the_same_however_its_blocks_came(tmp_path):
    rows = random_rows(2 * CHUNK_ROWS + 100)
    roots = set()
    for number, cuts in enumerate(([], [5, 4096, 4097, 9000][:3], range(0, len(rows), 1000))):
        with LabelTableWriter(tmp_path / str(number)) as writer:
            for block in np.split(rows, list(cuts)):
                writer.append(block)
        roots.add((writer.root, writer.chunk_hashes, (tmp_path / str(number)).read_bytes()))
    assert len(roots) == 1


def test_downloaded_chunks_verify_one_by_one(tmp_path):
    with LabelTableWriter(tmp_path / "t") as writer:
        writer.append(random_rows(CHUNK_ROWS + 100))
    opened = LabelTable.open(tmp_path / "t", writer.rows)
    assert opened.chunk_hashes() == writer.chunk_hashes
    leaves = split_hashes(writer.chunk_hashes, writer.rows, writer.root)
    for number in range(2):
        verify_chunk(leaves, writer.rows, number, opened.chunk(number))
    bent = bytearray(opened.chunk(0))
    bent[7] ^= 1
    for number, data in (
        (0, bytes(bent)),
        (1, opened.chunk(0)),
        (0, b""),
        (2, opened.chunk(1)),
        (-1, opened.chunk(1)),
    ):
        with pytest.raises(TableError):
            verify_chunk(leaves, writer.rows, number, data)
    for hashes, rows, root in (
        (writer.chunk_hashes[:-1], writer.rows, writer.root),
        (writer.chunk_hashes[32:], writer.rows, writer.root),
        (writer.chunk_hashes[::-1], writer.rows, writer.root),
        (writer.chunk_hashes, writer.rows + CHUNK_ROWS, writer.root),
        (writer.chunk_hashes, writer.rows, bytes(32)),
    ):
        with pytest.raises(TableError):
            split_hashes(hashes, rows, root)


@settings(max_examples=30)
@given(st.integers(1, 400), st.integers(0, 255))
def test_search_finds_each_row_and_nothing_between(count, first):
    rows = random_rows(count).copy()
    rows[:, 0] = first  # crowd the tags together
    rows[:, 1:9] = 7
    order = np.lexsort(rows[:, 15::-1].T)
    opened = LabelTable(rows[order])
    assert opened.find(opened.rows[:, :16]).tolist() == list(range(count))
    absent = opened.rows[:, :16].copy()
    absent[:, 8] ^= 1
    assert (opened.find(absent) == -1).all()
    edges = np.array([[0] * 16, [255] * 16], np.uint8)
    assert (opened.find(edges) == -1).all()


def test_rows_out_of_order_or_twice_there_are_refused(tmp_path):
    rows = random_rows(4)
    for number, blocks in enumerate(
        ([rows[::-1]], [rows[[0, 1, 1]]], [rows[2:], rows[:1]], [rows[:2], rows[1:]])
    ):
        *before, last = blocks
        with LabelTableWriter(tmp_path / str(number)) as writer:
            for block in before:
                writer.append(block)
            with pytest.raises(ValueError, match="ascend"):
                writer.append(last)
    with LabelTableWriter(tmp_path / "shape") as writer, pytest.raises(ValueError, match="48"):
        writer.append(rows[:, :47])
    with pytest.raises(FileExistsError):
        LabelTableWriter(tmp_path / "shape")


def test_a_file_of_another_length_is_no_table(tmp_path):
    (tmp_path / "t").write_bytes(bytes(48 * 3 + 1))
    for rows in (3, 4, 0):
        with pytest.raises(TableError):
            LabelTable.open(tmp_path / "t", rows)


@given(st.integers(0, 50_000_000), st.sampled_from([0, 0.1, 0.25]))
def test_padding_hides_the_size_and_costs_little(real, share):
    rows = padded_rows(real, share)
    assert rows >= real * (1 + share)
    assert rows % CHUNK_ROWS == 0
    assert rows <= max(CHUNK_ROWS, real * (1 + share) * 1.13 + CHUNK_ROWS)
    assert padded_rows(real + 1, share) >= rows
    assert CHUNK_BYTES == 196_608


# Settling


def taken(answers, key, *found):
    """``found``: (record, codes or "?" or None)."""
    from padan_linkage.direct.lookup import Found

    said = [c for _, c in found]
    hit = np.array([c is not None for c in said])
    settle(
        answers,
        key,
        np.array([r for r, _ in found], np.int64),
        Found(
            hit,
            np.array([c if isinstance(c, int) else 0 for c in said], np.uint64),
            np.array([c == "?" for c in said]),
            ~hit & False,
        ),
    )


def test_the_first_key_that_hits_settles_a_record():
    answers = RecordAnswers.none(4)
    taken(answers, 0, (0, 1), (1, None), (2, None))
    assert np.flatnonzero(answers.answered_by < 0).tolist() == [1, 2, 3]
    taken(answers, 1, (0, 2), (1, 2), (2, None))
    assert answers.outcome.tolist() == [MATCHED, MATCHED, NOT_MATCHED, NOT_MATCHED]
    assert answers.code.tolist() == [1, 2, 0, 0]
    assert answers.answered_by.tolist() == [0, 1, -1, -1]


def test_values_that_differ_are_ambiguous_and_stay_so():
    answers = RecordAnswers.none(4)
    taken(answers, 0, (0, 1), (0, 1), (1, 1), (1, 2), (2, 1), (2, "?"), (3, "?"))
    assert answers.outcome.tolist() == [MATCHED, AMBIGUOUS, AMBIGUOUS, AMBIGUOUS]
    assert answers.code.tolist() == [1, 0, 0, 0]
    assert np.flatnonzero(answers.answered_by < 0).tolist() == []
    taken(answers, 1, (1, 1))
    assert answers.outcome[1] == AMBIGUOUS


def test_a_record_without_a_code_is_found_all_the_same():
    answers = RecordAnswers.none(1)
    taken(answers, 0, (0, 0))
    assert (answers.outcome[0], answers.code[0]) == (MATCHED, 0)
