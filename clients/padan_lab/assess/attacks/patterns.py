"""PM: bits that occur together are a q-gram; which one, its frequency says.

Pattern mining after Christen, Vidanage, Ranbaduge & Schnell (PAKDD 2018): frequent sets of bits are
matched with q-grams by how often they occur and with which others. The assignment found is used to
learn the bits of every q-gram, and again to assign, in a few rounds.
"""

from __future__ import annotations

import numpy as np

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.claims import assign
from padan_lab.assess.material.attacker_view import Numbers, Reals, Seen

_PATTERNS, _TOGETHER, _SMALLEST = 250, 0.5, 3
_ALWAYS, _ROUNDS = 0.9, 6


def attack_patterns(attacker: Attacker, seen: Seen, rng: np.random.Generator) -> Numbers:
    """Claims for every row from the q-grams that its bits give away."""
    bits = np.concatenate([np.unpackbits(s, axis=1) for s in seen.segments], axis=1)
    bits = np.where(bits.mean(axis=0) > 0.5, 1 - bits, bits).astype(np.float32)
    persons = attacker.candidates
    grams = gram_matrix(attacker, persons)
    patterns = _mine(bits)
    score = np.zeros((len(bits), len(persons)), np.float32)
    if patterns.shape[1]:
        meaning = _named(patterns, grams, rng)
        score = (2 * patterns - 1) @ (2 * grams[:, meaning] - 1).T
    claims = assign(-score, rng)
    for _ in range(_ROUNDS):
        claims = assign(-_learnt(bits, grams, claims), rng)
    return np.where(claims >= 0, persons[claims], -1)


def gram_matrix(attacker: Attacker, persons: Numbers) -> Reals:
    """Who has which q-gram, float32[persons, q-grams]; those of a single person left out."""
    sets = attacker.scheme.grams(attacker.people)
    number: dict[bytes, int] = {}
    for person in persons.tolist():
        for gram in sets[person]:
            number.setdefault(gram, len(number))
    has = np.zeros((len(persons), len(number)), np.float32)
    for row, person in enumerate(persons.tolist()):
        has[row, [number[gram] for gram in sets[person]]] = 1
    return has[:, has.sum(axis=0) > 1]


def _mine(bits: Reals) -> Reals:
    """Which row has which set of bits that occur together: float32[rows, patterns], 0 or 1."""
    apart = bits - bits.mean(axis=0)
    unit = apart / (np.sqrt((apart**2).sum(axis=0)) + np.float32(1e-6))
    together = unit.T @ unit
    np.fill_diagonal(together, 0)
    strength = -np.sort(-together, axis=0)[:_SMALLEST].mean(axis=0)
    used, found = np.zeros(bits.shape[1], np.bool_), []
    for seed in np.argsort(-strength).tolist():
        members = np.append(np.flatnonzero(together[seed] > _TOGETHER), seed)
        if used[seed] or len(members) < _SMALLEST:
            continue
        used[members] = True
        found.append(bits[:, members].mean(axis=1) > 0.95)
        if len(found) == _PATTERNS:
            break
    return np.array(found, np.float32).reshape(len(found), len(bits)).T


def _named(patterns: Reals, grams: Reals, rng: np.random.Generator) -> Numbers:
    """The q-gram of each pattern: by how often it occurs, then by which it occurs with."""
    n = len(patterns)
    often, expected = patterns.mean(axis=0), grams.mean(axis=0)
    both, expected_both = patterns.T @ patterns / n, grams.T @ grams / len(grams)
    spread = expected * (1 - expected) / n + 1e-4
    cost = ((often[:, None] - expected[None, :]) ** 2 / spread).astype(np.float32)
    named = assign(cost, rng)
    sure = np.arange(len(cost))
    for share in np.linspace(0.1, 1, 2 * _ROUNDS):
        # The likeliest names first: what they occur with names the others.
        gap = np.partition(cost, 1, axis=1)[:, 1] - cost[sure, np.maximum(named, 0)]
        known = np.argsort(-gap)[: max(3, int(share * len(cost)))]
        known = known[named[known] >= 0]
        mine = expected_both[:, named[known]]
        weight = 1 / (mine * (1 - mine) / n + 1e-4)
        apart = (both[:, None, known] - mine[None, :, :]) ** 2
        cost = (apart * weight[None, :, :]).sum(axis=2).astype(np.float32)
        cost += ((often[:, None] - expected[None, :]) ** 2 / spread).astype(np.float32)
        named = assign(cost, rng)
    return np.maximum(named, 0)


def _learnt(bits: Reals, grams: Reals, claims: Numbers) -> Reals:
    """Log-likelihood of every row being every person, float32[n, k], bits learnt from claims.

    A bit belongs to a q-gram if nearly all rows claimed to have the q-gram have it. The odds of a
    bit in a row with and without any q-gram that owns it are counted anew each round.
    """
    rows = np.flatnonzero(claims >= 0)
    has = grams[claims[rows]]
    counts = has.sum(axis=0)
    share = (has.T @ bits[rows]) / np.maximum(counts, 1)[:, None]
    base = bits.mean(axis=0)
    lift = (share - base) / np.sqrt(base * (1 - base) + 1e-6) * np.sqrt(counts)[:, None]
    owns = ((share > _ALWAYS) & (lift > 4)).astype(np.float32)
    expected = np.minimum(grams @ owns, 1)
    on = expected[claims[rows]] > 0
    values = bits[rows]
    hit = np.clip((values * on).sum() / max(on.sum(), 1), 0.02, 0.98)
    miss = np.clip((values * ~on).sum() / max((~on).sum(), 1), 0.02, 0.98)
    gain = np.float32(np.log(hit / miss) - np.log((1 - hit) / (1 - miss)))
    rest = np.float32(np.log((1 - hit) / (1 - miss)))
    score: Reals = gain * (bits @ expected.T) + rest * expected.sum(axis=1)[None, :]
    return score
