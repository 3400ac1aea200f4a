"""The compiled kernels give what the plain reference gives."""

import numpy as np
import plain_sweep
import pytest
from token_reference import pair_up

from padan_linkage.matching.exact import NOBODY, SEVERAL, TokenIndex
from padan_linkage.matching.kernels.kernel import BLOCK
from padan_linkage.matching.learning import survivors
from padan_linkage.matching.scoring.features import (
    FeaturePlan,
    level_table,
    levels_around,
    levels_of,
    screen_cut,
)
from padan_linkage.matching.sides import (
    CancelledError,
    FilterSide,
    Screen,
    Sweep,
    SweepRunner,
    numba_sweep,
)
from padan_linkage.matching.similar import SortedRegistry

SHAPES = [
    ((512, None), (512, None)),
    ((512, "name"), (512, "name"), (512, None)),
    ((64, None),),
    ((192, "name"), (192, "name"), (192, "name"), (1024, None)),
    ((128, "name"), (128, "name"), (128, "name"), (128, "name")),
]
IMPLEMENTATIONS = [numba_sweep, plain_sweep.sweep]


def _sweep(run, plan, provider, requester, *, cut=8.0, same_table=False, keep=2):
    screen = Screen.at(plan, cut)
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(plan.features, int(plan.bits.max()) + 1)).astype(np.float32)
    rows = len(requester.order)
    counting = Sweep(count=np.zeros(rows, np.int64), same_table=same_table)
    SweepRunner(run).run(plan, provider, requester, screen, counting)
    total = int(counting.count.sum())
    out = Sweep(
        count=np.zeros(rows, np.int64),
        same_table=same_table,
        offset=np.cumsum(counting.count) - counting.count,
        found_rows=np.zeros(total, np.int64),
        found_values=np.zeros((total, plan.features), np.int32),
        scores=scores,
        best_score=np.zeros((rows, keep), np.float32),
        best_row=np.full((rows, keep), -1, np.int64),
    )
    SweepRunner(run).run(plan, provider, requester, screen, out)
    assert (out.count == counting.count).all()
    return out


def _same(a: Sweep, b: Sweep) -> None:
    for name in ("count", "found_rows", "found_values", "best_row", "best_score"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("presence", [False, True])
def test_the_kernel_agrees_with_the_reference(make_world, shape, presence):
    world = make_world(3, shape, bucket_bits=4, presence=presence)
    segments, keys = world.registry(300, sharing=0.3)
    mine, my_keys = world.ask(segments, keys, 120, 0.7, wrong=0.3)
    provider = world.table(segments, keys, provider=True)
    requester = world.table(mine, my_keys, provider=False)
    plan = FeaturePlan.of(world.p, presence=presence)
    sides = FilterSide.of(provider, 16), FilterSide.of(requester, 16)
    fast, plain = (_sweep(run, plan, *sides) for run in IMPLEMENTATIONS)
    _same(fast, plain)
    assert fast.count.sum() > 80
    if presence:
        assert (fast.found_values == -1).any()


def test_a_bucket_larger_than_a_block_is_seen_whole(make_world):
    world = make_world(4, ((64, None), (64, None)), bucket_bits=4)
    rows = 2 * BLOCK + 13
    segments, keys = world.registry(rows, buckets=1)
    mine, my_keys = world.ask(segments, keys, 40, 1.0, wrong=0.0)
    mine = [bits[::-1] for bits in mine]  # so that row i of the list is not row i of the registry
    plan = FeaturePlan.of(world.p, presence=False)
    sides = (
        FilterSide.of(world.table(segments, keys, provider=True), 16),
        FilterSide.of(world.table(mine, my_keys, provider=False), 16),
    )
    fast, plain = (_sweep(run, plan, *sides, cut=40.0) for run in IMPLEMENTATIONS)
    _same(fast, plain)
    assert (fast.best_row[:, 0] >= 0).all()


@pytest.mark.parametrize("run", IMPLEMENTATIONS)
def test_a_row_does_not_meet_itself(make_world, run):
    world = make_world(5, ((128, None),), bucket_bits=4)
    segments, keys = world.registry(60, sharing=0)
    side = FilterSide.of(world.table(segments, keys, provider=True), 16)
    plan = FeaturePlan.of(world.p, presence=False)
    out = _sweep(run, plan, side, side, cut=100.0, same_table=True)
    assert out.count.sum() == 0


@pytest.mark.parametrize("run", IMPLEMENTATIONS)
def test_traded_segments_are_recognised(make_world, run):
    world = make_world(6, ((512, "name"), (512, "name")), bucket_bits=4)
    segments, keys = world.registry(20, buckets=1, sharing=0)
    provider = world.table(segments, keys, provider=True)
    traded = world.table(segments[::-1], keys, provider=False)
    plan = FeaturePlan.of(world.p, presence=False)
    out = _sweep(run, plan, FilterSide.of(provider, 16), FilterSide.of(traded, 16), cut=600.0)
    assert (out.count == 1).all()
    assert (out.found_values == [0, 0, 1]).all()


def test_rows_of_no_bucket_meet_nobody(make_world):
    world = make_world(7, ((64, None),), bucket_bits=4)
    segments, keys = world.registry(10, buckets=1, sharing=0)
    keys[3] = 60_000
    table = world.table(segments, keys, provider=True)
    side = FilterSide.of(table, 16)
    assert sorted(side.order.tolist()) == [i for i in range(10) if i != 3]


def test_threads_and_pieces_change_nothing(make_world):
    world = make_world(8)
    provider, requester = world.two(2000, 800, 0.5)
    plan = FeaturePlan.of(world.p, presence=False)
    sides = FilterSide.of(provider, 256), FilterSide.of(requester, 256)
    shares: list[float] = []
    outs = []
    for threads in (1, 3):
        out = Sweep(count=np.zeros(800, np.int64))
        runner = SweepRunner(threads=threads, progress=shares.append)
        runner.run(plan, *sides, Screen.at(plan, 10.0), out)
        outs.append(out.count)
    assert np.array_equal(*outs)
    assert shares[-1] == 1.0


def test_cancelling_stops_the_sweep(make_world):
    world = make_world(9)
    provider, requester = world.two(200, 100, 0.5)
    plan = FeaturePlan.of(world.p, presence=False)
    out = Sweep(count=np.zeros(100, np.int64))
    with pytest.raises(CancelledError):
        SweepRunner(cancelled=lambda: True).run(
            plan,
            FilterSide.of(provider, 256),
            FilterSide.of(requester, 256),
            Screen.at(plan, 10.0),
            out,
        )


@pytest.mark.parametrize("shape", SHAPES)
def test_a_statistic_on_the_cut_passes_and_one_below_does_not(make_world, shape):
    world = make_world(10, shape, bucket_bits=4)
    segments, keys = world.registry(120, sharing=0.3)
    mine, my_keys = world.ask(segments, keys, 60, 0.7, wrong=0.3)
    plan = FeaturePlan.of(world.p, presence=False)
    sides = (
        FilterSide.of(world.table(segments, keys, provider=True), 16),
        FilterSide.of(world.table(mine, my_keys, provider=False), 16),
    )
    known = plain_sweep.statistics(plan, *sides, Screen.at(plan, 0.0))
    assert len(known) > 100
    for cut in [0.0, *np.quantile(known, [0.1, 0.5, 0.9, 0.99, 1.0], method="nearest")]:
        for least in (cut, np.nextafter(cut, np.inf)):
            fast, plain = (_sweep(run, plan, *sides, cut=least) for run in IMPLEMENTATIONS)
            _same(fast, plain)
            assert fast.count.sum() == (known >= least).sum()


def test_calibration_sees_every_survivor(make_world):
    world = make_world(11, ((128, None), (128, None)), bucket_bits=4)
    provider, requester = world.two(300, 200, 0.4)
    registry = SortedRegistry.of(world.p, provider)
    screen = Screen.at(registry.plan, 12.0)
    asked = np.arange(0, len(requester), 2)
    seen = survivors(registry, requester, asked, screen, SweepRunner(), same_table=False)
    plain = _sweep(
        plain_sweep.sweep,
        registry.plan,
        registry.side,
        registry.side_of(requester, asked),
        cut=12.0,
    )
    assert 0 < (plain.count > 0).sum() < len(asked)
    assert np.array_equal(np.bincount(seen.row, minlength=len(asked)), plain.count)
    assert np.array_equal(seen.other, plain.found_rows)
    assert np.array_equal(seen.levels, levels_of(registry.plan, plain.found_values))


@pytest.mark.parametrize("words", [2, 4])
@pytest.mark.parametrize("seed", range(4))
def test_the_token_index_agrees_with_the_reference(seed, words):
    rng = np.random.default_rng(seed)
    provider = rng.integers(0, 6, (60, words)).astype(np.uint64)
    asked = rng.integers(0, 6, (200, words)).astype(np.uint64)
    provider[55:] = provider[:5]
    asked[:30] = provider[:30]
    index = TokenIndex.of(provider, seed)
    expected, shared = pair_up(provider, asked)
    assert {NOBODY, SEVERAL} < set(expected.tolist())
    assert np.array_equal(index.find(asked), expected)
    assert index.shared == shared


def test_tokens_that_differ_in_half_of_their_bytes_are_told_apart():
    provider = np.array([[7, 1], [7, 2], [7, 2]], dtype=np.uint64)
    asked = np.array([[7, 1], [7, 2], [7, 3], [8, 1]], dtype=np.uint64)
    assert TokenIndex.of(provider, 0).find(asked).tolist() == [0, SEVERAL, NOBODY, NOBODY]


def test_an_empty_registry_has_no_token():
    nobody = np.zeros((0, 2), dtype=np.uint64)
    asked = np.ones((3, 2), dtype=np.uint64)
    assert TokenIndex.of(nobody, 0).find(asked).tolist() == [NOBODY] * 3


def test_levels_rise_with_the_distance(make_world):
    plan = FeaturePlan.of(make_world(1, ((512, None), (64, None))).p, presence=False)
    table = level_table(plan)
    assert table[0, 0] == 0
    assert table[0, 1] == 1
    assert (np.diff(table, axis=1) >= 0).all()
    assert table[1, 32] == table.max()


def test_the_screen_lets_the_promised_share_of_noise_pass():
    rng = np.random.default_rng(1)
    below = np.maximum(rng.normal(size=(200_000, 3)), 0)
    cut = screen_cut(3, 0.01)
    assert 0.008 < ((below**2).sum(axis=1) >= cut).mean() < 0.012


def test_noise_levels_are_those_of_random_bits():
    rng = np.random.default_rng(2)
    counts = rng.binomial(512, 0.5, 100_000) / 512
    expected = levels_around(512)
    assert expected.sum() == pytest.approx(1.0)
    assert (counts > 0.475).mean() == pytest.approx(expected[-1], abs=0.01)
