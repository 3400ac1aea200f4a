"""q-grams by kind, diffusion rows, tokens: the small parts."""

import numpy as np
import pyarrow as pa
import pytest

from padan_linkage.encoding.diffusion import diffusion_indices, diffusion_rows
from padan_linkage.encoding.qgrams import cut_of, qgrams
from padan_linkage.encoding.tokens import buckets, make_tokens
from padan_linkage.schema import Kind


def test_names_are_padded_bigrams_of_each_token():
    grams = [gram[2:].decode() for gram in qgrams(Kind.PERSON_NAME, "sri ayu")]
    assert grams == [" s", "sr", "ri", "i ", " a", "ay", "yu", "u "]


def test_repeats_are_numbered():
    grams = {(gram[2:].decode(), gram[1]) for gram in qgrams(Kind.PERSON_NAME, "anana")}
    assert {("an", 0), ("an", 1), ("na", 0), ("na", 1)} < grams


def test_token_order_hardly_matters():
    first, second = (set(qgrams(Kind.PERSON_NAME, n)) for n in ("sri ayu", "ayu sri"))
    assert first == second


def test_a_date_with_day_and_month_swapped_shares_their_loose_forms():
    first, second = (set(qgrams(Kind.DATE, d)) for d in ("1990-05-06", "1990-06-05"))
    loose = {gram for gram in first if gram[0] in (7, 8)}
    assert len(loose) == 6
    assert loose <= second
    assert not {gram for gram in first if gram[0] in (4, 5, 6)} & second


def test_a_digit_wrong_in_a_code_keeps_the_other_places():
    first, second = (set(qgrams(Kind.NIK, n)) for n in ("3171234506900001", "3171234506900007"))
    assert len(first) == len(second) == 31
    assert len(first & second) == 29


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_cut_and_an_empty_value_is_nothing(kind):
    assert cut_of(kind) in range(4)
    assert qgrams(kind, "") == []
    assert qgrams(kind, "AB1") != []


def test_sex_is_one_qgram():
    assert qgrams(Kind.SEX, "L") == [b"\x09L\x00\x00"]


def test_each_output_bit_has_its_number_of_distinct_taps():
    taps = diffusion_indices(b"k" * 32, 192, 12)
    assert taps.shape == (192, 12)
    assert all(len(set(row)) == 12 for row in taps.tolist())
    assert set(taps.ravel()) == set(range(192))  # at this density no input bit is left out


def test_all_bits_can_be_taps():
    taps = diffusion_indices(b"k" * 32, 64, 64)
    assert (np.sort(taps, axis=1) == np.arange(64)).all()


def test_more_taps_than_bits_are_refused():
    with pytest.raises(ValueError, match="taps"):
        diffusion_indices(b"k" * 32, 64, 65)


def test_rows_are_the_taps_seen_from_the_input():
    taps = diffusion_indices(b"k" * 32, 128, 10)
    rows = np.unpackbits(diffusion_rows(b"k" * 32, 128, 10).view(np.uint8), bitorder="little")
    as_matrix = rows.reshape(128, 128)
    assert as_matrix.sum() == 1280
    assert all(as_matrix[taps[output], output].all() for output in range(128))


def test_without_taps_diffusion_is_the_identity():
    rows = np.unpackbits(diffusion_rows(b"k" * 32, 64, 0).view(np.uint8), bitorder="little")
    assert (rows.reshape(64, 64) == np.eye(64)).all()


def test_diffusion_differs_between_keys():
    first, second = (diffusion_rows(key * 32, 128, 10) for key in (b"a", b"b"))
    assert np.bitwise_count(first ^ second).sum() > 2000


def test_tokens_bind_the_border_between_values():
    columns = [pa.array(["ab", "a", "ab"]), pa.array(["c", "bc", "c"])]
    tokens = make_tokens(b"k" * 32, columns)
    assert (tokens.hashes[0] == tokens.hashes[2]).all()
    assert len(np.unique(tokens.hashes, axis=0)) == 2


def test_a_missing_exact_value_makes_a_record_unusable():
    tokens = make_tokens(b"k" * 32, [pa.array(["a", "", "b"]), pa.array(["x", "y", None])])
    assert tokens.usable.tolist() == [0]


@pytest.mark.parametrize("bits", [4, 9, 16])
def test_a_bucket_is_the_leading_bits(bits):
    hashes = np.array([[0xAB, 0xCD, *[7] * 30]], np.uint8)
    assert int.from_bytes(buckets(hashes, bits).tobytes(), "little") == 0xABCD >> (16 - bits)
