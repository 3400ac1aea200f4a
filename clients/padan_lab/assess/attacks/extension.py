"""DEA: the dataset extension attack, for people whom the attacker's population lacks.

First graph matching on the half that she knows, or rows that somebody tells her (:mod:`~.seeded`),
then a decoder learnt from that, which reads q-grams out of the bits of all other rows; those are
named by the values that anybody may have. The decoder is a ridge regression, its penalty chosen on
rows held back: it has as many parameters as a linear network, and one best fit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.claims import assign
from padan_lab.assess.attacks.graph import attack_graph
from padan_lab.assess.attacks.patterns import gram_matrix
from padan_lab.assess.attacks.seeded import known_rows
from padan_lab.assess.material.attacker_view import Numbers, Reals, Seen

_PENALTIES, _ROUNDS = (1.0, 10.0, 100.0), 3
#: Claims that a decoder is learnt from: those it agrees with best after a round.
_TRUSTED = 0.5


def attack_extension(
    attacker: Attacker, seen: Seen, person: Numbers, rng: np.random.Generator
) -> tuple[Numbers, NDArray[np.bool_]]:
    """Claims for every row, and which rows are of people that she did not know, bool[rows].

    ``person``: the truth, int64[rows], -1 for a decoy; it decides nothing but which half she knows.
    """
    known = np.sort(rng.permutation(attacker.candidates)[: len(attacker.candidates) // 2])
    half = _knowing(attacker, known)
    bits = np.concatenate([np.unpackbits(s, axis=1) for s in seen.segments], axis=1)
    bits = (2 * bits.astype(np.float32) - 1) / np.float32(bits.shape[1] ** 0.5)
    grams = gram_matrix(attacker, attacker.candidates)
    place = np.full(len(attacker), -1, np.int64)
    place[attacker.candidates] = np.arange(len(attacker.candidates))
    best, claims = -np.inf, np.full(len(bits), -1, np.int64)
    told_rows = known_rows(half, _place(person, known), rng)
    for first in (*attack_graph(half, seen, rng), told_rows):
        told = np.where(first >= 0, known[np.maximum(first, 0)], -1)
        read, sure = _extended(bits, grams, np.where(told >= 0, place[told], -1), rng)
        if sure > best:
            best, claims = sure, read
    other = (person >= 0) & ~np.isin(person, known)
    return np.where(claims >= 0, attacker.candidates[claims], -1), other


def _place(person: Numbers, known: Numbers) -> Numbers:
    """Which of the known people each row is, int64[rows], -1 for anybody else."""
    place = np.searchsorted(known, person)
    place[place == len(known)] = 0
    return np.where(known[place] == person, place, -1)


def _knowing(attacker: Attacker, known: Numbers) -> Attacker:
    """The same attacker with fewer people."""
    chosen = pa.array(known)
    some = {name: column.take(chosen) for name, column in attacker.people.items()}
    return replace(attacker, people=some)


def _extended(
    bits: Reals, grams: Reals, claims: Numbers, rng: np.random.Generator
) -> tuple[Numbers, float]:
    """Claims of all rows by a decoder learnt from some, and how well it reads what it learnt."""
    rows = np.flatnonzero(claims >= 0)
    usual = grams.mean(axis=0)
    unit = grams - usual
    unit = unit / (np.linalg.norm(unit, axis=1, keepdims=True) + np.float32(1e-6))
    sure = 0.0
    for _ in range(_ROUNDS):
        penalty, sure = _best_penalty(bits[rows], grams[claims[rows]] - usual, rng)
        decoder = _ridge(bits[rows], grams[claims[rows]] - usual, penalty)
        read = bits @ decoder
        read /= np.linalg.norm(read, axis=1, keepdims=True) + np.float32(1e-6)
        likeness = read @ unit.T
        claims = assign(-likeness, rng)
        made = np.flatnonzero(claims >= 0)
        fit = likeness[made, claims[made]]
        rows = made[np.argsort(-fit)[: max(int(_TRUSTED * len(made)), 2)]]
    return claims, sure


def _best_penalty(bits: Reals, wanted: Reals, rng: np.random.Generator) -> tuple[float, float]:
    """The penalty that reads held-back rows best, and how well: the mean correlation."""
    order = rng.permutation(len(bits))
    held, learnt = order[: len(order) // 5], order[len(order) // 5 :]
    if not len(held):
        return _PENALTIES[0], 0.0
    tried = [
        (_agreement(bits[held] @ _ridge(bits[learnt], wanted[learnt], penalty), wanted[held]), -i)
        for i, penalty in enumerate(_PENALTIES)
    ]
    sure, number = max(tried)
    return _PENALTIES[-number], sure


def _agreement(read: Reals, wanted: Reals) -> float:
    lengths = np.linalg.norm(read, axis=1) * np.linalg.norm(wanted, axis=1) + 1e-6
    return float(((read * wanted).sum(axis=1) / lengths).mean())


def _ridge(bits: Reals, wanted: Reals, penalty: float) -> Reals:
    """The linear map, float32[bits, q-grams], from bits to q-grams."""
    if len(bits) < bits.shape[1]:
        square = bits @ bits.T + np.float32(penalty) * np.eye(len(bits), dtype=np.float32)
        short: Reals = bits.T @ np.linalg.solve(square, wanted)
        return short
    square = bits.T @ bits + np.float32(penalty) * np.eye(bits.shape[1], dtype=np.float32)
    long: Reals = np.linalg.solve(square, bits.T @ wanted)
    return long
