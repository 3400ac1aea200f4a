"""Blind scoring: what a user of the unit would notice."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.answering.outcomes import AMBIGUOUS, MATCHED, NOT_MATCHED
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.matching import (
    Calibration,
    CancelledError,
    PassIndex,
    match_and_learn,
    match_pass,
)
from padan_linkage.matching.scoring.calibration import monotone_ratio, tail_free_ratio

POLICY = MatchPolicy(min_precision=0.99)


def _right(result, known: int) -> tuple[float, float]:
    """Precision and recall where list row i < known is registry row i."""
    matched = np.flatnonzero(result.outcome == MATCHED)
    right = int((result.row[matched] == matched)[matched < known].sum())
    return right / max(1, len(matched)), right / known


@pytest.mark.parametrize("presence", [False, True])
def test_planted_matches_are_found_and_estimated(make_world, presence):
    world = make_world(1, presence=presence)
    provider, requester = world.two(3000, 1500, 0.5)
    result = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    precision, recall = _right(result, 750)
    assert precision >= 0.99
    assert recall >= 0.85
    assert result.scoring.method == "decoys"
    assert result.estimate.precision == pytest.approx(precision, abs=0.01)


def test_an_estimate_of_recall_is_near_the_truth(make_world):
    world = make_world(2)
    provider, requester = world.two(3000, 1500, 0.5)
    result = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    assert result.estimate.recall == pytest.approx(_right(result, 750)[1], abs=0.06)
    assert result.scoring.match_rate == pytest.approx(0.5, abs=0.06)


def test_no_overlap_gives_next_to_no_answer(make_world):
    world = make_world(3)
    provider, requester = world.two(3000, 1500, 0.0)
    result = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    assert (result.outcome == MATCHED).sum() <= 2


@pytest.mark.parametrize("rows", [1, 3, 10])
def test_a_tiny_list_against_a_tiny_registry(make_world, rows):
    world = make_world(4, bucket_bits=4)
    segments, keys = world.registry(rows, sharing=0)
    provider = world.table(segments, keys, provider=True)
    requester = world.table(segments, keys, provider=False)
    result = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    assert result.row.tolist() == list(range(rows))
    assert result.scoring.method == "priors"


def test_empty_tables_give_empty_or_no_answers(make_world):
    world = make_world(5)
    segments, keys = world.registry(5)
    nobody = [bits[:0] for bits in segments]
    full = world.table(segments, keys, provider=True)
    empty = world.table(nobody, keys[:0], provider=True)
    asked = world.table(segments, keys, provider=False)
    none_asked = world.table(nobody, keys[:0], provider=False)
    assert (
        match_and_learn(world.schema, world.p, empty, asked, POLICY).outcome == NOT_MATCHED
    ).all()
    assert len(match_and_learn(world.schema, world.p, full, none_asked, POLICY).outcome) == 0


def test_a_registry_with_duplicates_does_not_answer_for_them(make_world):
    world = make_world(6)
    segments, keys = world.registry(2000)
    twice = [np.concatenate([bits, bits[:100]]) for bits in segments]
    provider = world.table(twice, np.concatenate([keys, keys[:100]]), provider=True)
    mine, my_keys = world.ask(segments, keys, 1000, 0.5)
    requester = world.table(mine, my_keys, provider=False)
    result = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    assert (result.outcome[:100] == MATCHED).sum() == 0
    assert (result.outcome[:100] == AMBIGUOUS).sum() >= 80
    assert (result.row[100:500] == np.arange(100, 500)).mean() >= 0.85
    assert result.scoring.duplicates == pytest.approx(0.095, abs=0.02)


def test_a_long_list_shows_a_short_registry_what_strangers_look_like(make_world):
    """Asked of as many rows as a registry has, a list's people meet as many strangers as there."""
    world = make_world(9)
    segments, keys = world.registry(4000, sharing=0.4)
    order = world.rng.permutation(4000)
    short, long = (
        world.table([bits[at] for bits in segments], keys[at], provider=provider)
        for at, provider in ((order[:200], True), (order[200:], False))
    )
    whole = world.table(segments, keys, provider=True)
    expected = match_and_learn(
        world.schema, world.p, whole, long, POLICY
    ).scoring.calibration.strangers
    alone = match_and_learn(world.schema, world.p, short, long, POLICY)
    taught = match_and_learn(world.schema, world.p, short, long, POLICY, others=long)
    assert alone.scoring.method == "priors"
    assert taught.scoring.method == "decoys"
    assert taught.scoring.calibration.strangers == pytest.approx(expected * 200 / 4000, rel=0.2)


def test_one_bucket_of_everybody(make_world):
    world = make_world(7, bucket_bits=4)
    segments, keys = world.registry(1200, buckets=1)
    mine, _ = world.ask(segments, keys, 600, 0.5)
    provider = world.table(segments, keys, provider=True)
    requester = world.table(mine, np.zeros(600, "<u2"), provider=False)
    precision, recall = _right(
        match_and_learn(world.schema, world.p, provider, requester, POLICY), 300
    )
    assert precision >= 0.99
    assert recall >= 0.9


def test_a_registry_without_company_falls_back_to_the_priors(make_world):
    world = make_world(8, bucket_bits=16)
    provider, requester = world.two(300, 200, 0.5, sharing=0)
    result = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    assert result.scoring.method == "priors"
    assert _right(result, 100)[0] == 1.0
    assert _right(result, 100)[1] >= 0.9


def test_answers_do_not_depend_on_threads_or_repetition(make_world):
    world = make_world(9)
    provider, requester = world.two(2000, 1000, 0.5)
    first, second = (
        match_and_learn(world.schema, world.p, provider, requester, POLICY, threads=n)
        for n in (1, 3)
    )
    assert np.array_equal(first.row, second.row)
    assert np.array_equal(first.score, second.score)
    assert first.estimate == second.estimate


def test_read_only_tables_serve(make_world, tmp_path):
    world = make_world(10)
    provider, requester = world.two(500, 200, 0.5)
    mapped = {}
    for name, column in provider.columns.items():
        np.save(tmp_path / f"{name}.npy", column)
        mapped[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    stored = type(provider)(provider.pass_id, provider.layout, mapped)
    a = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    b = match_and_learn(world.schema, world.p, stored, requester, POLICY)
    assert np.array_equal(a.row, b.row)


def test_a_runner_up_within_the_margin_is_ambiguous(make_world):
    world = make_world(11)
    segments, keys = world.registry(1500)
    near = [np.concatenate([bits, bits[:50]]) for bits in segments]
    near[0][1500:] ^= world.rng.random(near[0][1500:].shape) < 0.03
    provider = world.table(near, np.concatenate([keys, keys[:50]]), provider=True)
    asked = world.table(segments, keys, provider=False)
    strict, lax = (
        match_and_learn(
            world.schema, world.p, provider, asked, POLICY.model_copy(update={"margin": m})
        )
        for m in (50.0, 0.0)
    )
    assert (strict.outcome[:50] == AMBIGUOUS).mean() >= 0.9
    assert (strict.row[:50] == -1).all()
    assert (lax.row[:50] == np.arange(50)).mean() >= 0.9


def test_one_to_one_lets_a_registry_row_answer_once(make_world):
    world = make_world(12)
    segments, keys = world.registry(800, sharing=0)
    mine = [np.concatenate([bits, bits]) for bits in segments]
    mine[0][800:] ^= world.rng.random(mine[0][800:].shape) < 0.25
    provider = world.table(segments, keys, provider=True)
    asked = world.table(mine, np.concatenate([keys, keys]), provider=False)
    free = match_and_learn(world.schema, world.p, provider, asked, POLICY)
    single = match_and_learn(
        world.schema, world.p, provider, asked, POLICY.model_copy(update={"one_to_one": True})
    )
    assert len(np.unique(free.row[free.row >= 0])) < (free.row >= 0).sum()
    used = single.row[single.row >= 0]
    assert len(np.unique(used)) == len(used)
    assert (single.row[:800] == np.arange(800)).mean() >= 0.99


def test_more_precision_asked_means_a_higher_threshold(make_world):
    world = make_world(13, segments=((512, None), (512, None)))
    provider, requester = world.two(3000, 1500, 0.3, sharing=0.1)
    lax, strict = (
        match_and_learn(
            world.schema, world.p, provider, requester, MatchPolicy(min_precision=p)
        ).scoring.threshold
        for p in (0.9, 0.999)
    )
    assert lax < strict


def test_field_confirmations_compare_tags(make_world, make_schema):
    world = make_world(15, confirm=("f0", "f1"))
    segments, keys = world.registry(400)
    theirs = world.rng.integers(0, 256, (400, 16), dtype=np.uint8)
    mine = theirs.copy()
    mine[::2, 8] ^= 1
    provider = world.table(segments, keys, provider=True, tags=theirs)
    asked = world.table(segments, keys, provider=False, tags=mine)
    result = match_and_learn(world.schema, world.p, provider, asked, POLICY)
    matched = result.outcome == MATCHED
    assert matched.mean() > 0.9
    assert (result.confirmations[matched & (np.arange(400) % 2 == 0)] == 0b01).all()
    assert (result.confirmations[matched & (np.arange(400) % 2 == 1)] == 0b11).all()
    assert (result.confirmations[~matched] == 0).all()


def test_exact_passes_answer_unique_tokens_only(make_world, make_schema):
    schema = make_schema(exact=True)
    world = make_world(16)
    world.schema = schema
    tokens = world.rng.integers(0, 256, (6, 16), dtype=np.uint8)
    tokens[5] = tokens[4]
    provider = _token_table(world, tokens, provider=True)
    asked = _token_table(world, np.concatenate([tokens[[2, 4]], tokens[:1] ^ 1]), provider=False)
    result = match_and_learn(schema, world.p, provider, asked, POLICY)
    assert result.outcome.tolist() == [MATCHED, AMBIGUOUS, NOT_MATCHED]
    assert result.row.tolist() == [2, -1, -1]


def _token_table(world, tokens, *, provider):
    from padan_linkage.schema import Layout
    from padan_linkage.tables import PassTable

    layout = Layout.of(world.schema, world.p, provider=provider)
    columns = {n: np.zeros((len(tokens), w), np.uint8) for n, w in layout.columns()}
    columns["keys"] = np.ascontiguousarray(tokens)
    return PassTable(world.p.id, layout, columns)


def test_an_index_answers_single_rows_like_a_list(make_world):
    world = make_world(18)
    provider, requester = world.two(3000, 1500, 0.5)
    learned = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    index = PassIndex(world.schema, world.p, provider, POLICY, learned.scoring.calibration)
    assert np.array_equal(index.match(requester).row, learned.row)


def test_a_pass_with_a_filter_needs_a_calibration(make_world):
    world = make_world(18)
    provider, requester = world.two(300, 150, 0.5)
    with pytest.raises(ValueError, match="calibration"):
        match_pass(world.schema, world.p, provider, requester, POLICY, None)
    with pytest.raises(ValueError, match="calibration"):
        PassIndex(world.schema, world.p, provider, POLICY, None)


def test_an_index_of_tokens_answers(make_world, make_schema):
    world = make_world(19)
    world.schema = make_schema(exact=True)
    tokens = world.rng.integers(0, 256, (50, 16), dtype=np.uint8)
    index = PassIndex(
        world.schema, world.p, _token_table(world, tokens, provider=True), POLICY, None
    )
    answers = index.match(_token_table(world, tokens[::-1], provider=False))
    assert answers.row.tolist() == list(range(49, -1, -1))


def test_a_calibration_survives_json(make_world):
    world = make_world(20)
    provider, requester = world.two(1000, 400, 0.5)
    kept = match_and_learn(world.schema, world.p, provider, requester, POLICY).scoring.calibration
    text = kept.to_json()
    assert Calibration.from_json(text) == kept
    assert "Infinity" not in json.dumps(json.loads(text)["m"])
    with pytest.raises(ValueError, match="calibration"):
        Calibration.from_json('{"m": []}')


def test_a_table_of_another_pass_is_refused(make_world):
    narrow, wide = make_world(21, segments=((64, None),)), make_world(21)
    provider, _ = narrow.two(20, 10, 0.5)
    _, requester = wide.two(20, 10, 0.5)
    with pytest.raises(ValueError, match="filters"):
        match_and_learn(narrow.schema, narrow.p, provider, requester, POLICY)


def test_cancelling_before_the_start(make_world):
    world = make_world(22)
    provider, requester = world.two(20, 10, 0.5)
    with pytest.raises(CancelledError):
        match_pass(world.schema, world.p, provider, requester, POLICY, None, cancelled=lambda: True)


def test_progress_ends_at_one(make_world):
    world = make_world(23)
    provider, requester = world.two(200, 100, 0.5)
    shares: list[float] = []
    learned = match_and_learn(
        world.schema, world.p, provider, requester, POLICY
    ).scoring.calibration
    match_pass(world.schema, world.p, provider, requester, POLICY, learned, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


_COUNTS = st.lists(st.floats(0.001, 1), min_size=11, max_size=11).map(np.array)


@given(_COUNTS, _COUNTS)
def test_evidence_never_rises_with_the_distance(m, u):
    ratio = monotone_ratio(m, u)
    assert (np.diff(ratio) <= 1e-9).all()
    assert (ratio * u).sum() == pytest.approx(m.sum())


@given(_COUNTS, _COUNTS)
def test_random_fill_is_never_evidence_for_a_match(m, u):
    assert (tail_free_ratio(m, u)[-2:] <= 1.0).all()


def test_twins_are_no_matches(make_world):
    """Strangers who share two fields at once must not add up to a match, field by field."""
    world = make_world(31, presence=True, segments=((512, None),) * 4)
    segments, keys = world.registry(3000, sharing=0.0)
    twins = np.arange(1, 600, 2)
    for bits in segments[:2]:
        bits[twins] = bits[twins - 1]
    keys[twins] = keys[twins - 1]
    mine, my_keys = world.ask(segments, keys, 1500, 0.5)
    lonely = np.arange(750, 1050)  # their twin is in the registry, they are not
    for bits, theirs in zip(mine[:2], segments[:2], strict=True):
        bits[lonely] = theirs[twins]
    my_keys[lonely] = keys[twins]
    provider = world.table(segments, keys, provider=True)
    requester = world.table(mine, my_keys, provider=False)
    result = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    precision, recall = _right(result, 750)
    assert precision >= 0.98
    assert recall >= 0.85
    assert result.estimate.precision == pytest.approx(precision, abs=0.02)


@pytest.mark.parametrize("rows", [10, 50, 500])
@pytest.mark.parametrize("overlap", [0.0, 0.05, 0.5])
def test_tiny_and_nearly_strange_files_stay_precise(make_world, rows, overlap):
    """Few rows teach little: wrong answers stay fewer than a handful, estimates stay shares."""
    world = make_world(rows)
    provider, requester = world.two(rows, rows, overlap)
    result = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    known = int(rows * overlap)
    matched = np.flatnonzero(result.outcome == MATCHED)
    wrong = len(matched) - int((result.row[matched] == matched)[matched < known].sum())
    assert wrong <= 2
    assert result.estimate.precision is None or 0 <= result.estimate.precision <= 1
    if rows <= 50:
        assert result.scoring.method == "priors"
