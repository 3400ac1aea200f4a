"""GMA: the graph matching attack of Schäfer, Armknecht & Heng (ACSAC 2024), implemented anew.

Two graphs of similar records, one of encodings and one of plaintext: the weakest edges dropped,
nodes embedded by random walks (in closed form: Qiu et al., NetMF, WSDM 2018), the embeddings
aligned without a single known pair by Wasserstein–Procrustes from node features (Grave, Joulin &
Berthet, AISTATS 2019), and nodes assigned (Vidanage et al., CIKM 2020).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.claims import assign
from padan_lab.assess.material.attacker_view import Numbers, Reals, Seen

_KEPT_EDGES = 0.5
_RANK, _DIMENSIONS, _WINDOW, _ROUNDS = 192, 64, 5, 20
_ANCHORS = 1_500
_SPARE, _ITERATIONS = 32, 8


def attack_graph(attacker: Attacker, seen: Seen, rng: np.random.Generator) -> Iterator[Numbers]:
    """Claims for every row, with the plaintext's graph of q-grams and with the simulated one."""
    theirs = np.zeros((len(seen), len(seen)), np.float32)
    for likeness in seen.likenesses():
        theirs += likeness
    grams = attacker.scheme.grams(attacker.people)
    groups = attacker.groups[attacker.candidates]
    plain = dice([grams[i] for i in attacker.candidates.tolist()])
    plain[groups[:, None] != groups[None, :]] = 0
    for mine in (plain, np.sum(attacker.means, axis=0)):
        claims = match_graphs(mine, theirs, rng)
        yield np.where(claims >= 0, attacker.candidates[claims], -1)


def dice(sets: Sequence[frozenset[bytes]]) -> Reals:
    """Dice coefficient of any two sets, float32[n, n], 0 of one with itself."""
    from scipy.sparse import csr_matrix

    number: dict[bytes, int] = {}
    columns = [number.setdefault(gram, len(number)) for s in sets for gram in s]
    sizes = np.array([len(s) for s in sets])
    edges = np.concatenate([[0], np.cumsum(sizes)])
    has = csr_matrix((np.ones(len(columns), np.float32), columns, edges))
    common = (has @ has.T).toarray()
    coefficient: Reals = 2 * common / np.maximum(sizes[:, None] + sizes[None, :], 1)
    np.fill_diagonal(coefficient, 0)
    return coefficient.astype(np.float32)


def match_graphs(mine: Reals, theirs: Reals, rng: np.random.Generator) -> Numbers:
    """Place in ``mine`` of every node of ``theirs``, from weights float32[n, n] of each.

    Where one of the graphs has no edge there is nothing to match by, and guesses are made.
    """
    if not (mine > 0).any() or not (theirs > 0).any():
        return assign(rng.random((len(theirs), len(mine)), np.float32), rng)
    a, b = (_sparse(weights) for weights in (mine, theirs))
    x, y = _embedded(a, rng), _embedded(b, rng)
    claims = assign(_apart(_shape(b), _shape(a)), rng)
    for _ in range(_ROUNDS):
        known = np.flatnonzero(claims >= 0)
        turn = _rotation(y[known], x[claims[known]])
        likeness = ((y @ turn) @ x.T).astype(np.float32)
        claims = _nearest(likeness)
    return assign(-likeness, rng)


def _sparse(weights: Reals) -> Reals:
    """Only the strongest edges, each as its rank among them.

    Dice coefficients and Hamming distances are on different scales; their ranks are comparable.
    """
    positive = np.maximum(weights, 0)
    upper = np.triu(positive, 1)
    rows, columns = np.nonzero(upper)
    strength = upper[rows, columns]
    count = min(len(strength), max(int(_KEPT_EDGES * weights.size / 2), 1))
    strongest = np.argsort(-strength, kind="stable")[:count]
    kept = np.zeros_like(positive)
    ranks = np.linspace(1, 0.05, len(strongest), dtype=np.float32)
    kept[rows[strongest], columns[strongest]] = ranks
    both: Reals = kept + kept.T
    return both


def _embedded(weights: Reals, rng: np.random.Generator) -> Reals:
    """NetMF: the logarithm of how often walks from one node meet another, factorised.

    float32[n, _DIMENSIONS]; of a tiny graph the last ones are zero.
    """
    degree = weights.sum(axis=1) + np.float32(1e-6)
    root = np.sqrt(degree)[:, None]
    values, vectors = _leading(weights / root / root.T, _RANK, rng)
    powers = np.mean([values**r for r in range(1, _WINDOW + 1)], axis=0)
    scaled = vectors / root
    walks = (scaled * powers) @ scaled.T * degree.sum()
    strength, nodes = _leading(np.log(np.maximum(walks, 1)), _DIMENSIONS, rng)
    embedding = np.zeros((len(weights), _DIMENSIONS), np.float32)
    embedding[:, : len(strength)] = nodes * np.sqrt(np.abs(strength))
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True) + np.float32(1e-9)
    return embedding


def _leading(matrix: Reals, rank: int, rng: np.random.Generator) -> tuple[Reals, Reals]:
    """The eigenvalues of largest modulus of a symmetric matrix, and their vectors.

    Subspace iteration from random vectors (Halko, Martinsson & Tropp 2011): it always ends.
    """
    n = len(matrix)
    rank = min(rank, n)
    block = rng.normal(size=(n, min(n, rank + _SPARE))).astype(np.float32)
    for _ in range(_ITERATIONS):
        block = np.linalg.qr(matrix @ block)[0]
    values, turn = np.linalg.eigh(block.T @ (matrix @ block))
    chosen = np.argsort(-np.abs(values))[:rank]
    return values[chosen].astype(np.float32), (block @ turn[:, chosen]).astype(np.float32)


def _shape(weights: Reals) -> Reals:
    """Features of nodes that need no alignment: degrees, strengths, those of the neighbours."""
    degree = (weights > 0).sum(axis=1).astype(np.float32)
    strength = weights.sum(axis=1)
    total = strength + np.float32(1e-6)
    around = np.stack([weights @ degree / total, weights @ strength / total], axis=1)
    top = -np.sort(-weights, axis=1)[:, [0, 1, 3, 7, 15]] if len(weights) > 16 else weights[:, :1]
    features = np.concatenate([np.stack([degree, strength], axis=1), around, top], axis=1)
    ranks = np.argsort(np.argsort(features, axis=0), axis=0) / len(features)
    return ranks.astype(np.float32)


def _apart(a: Reals, b: Reals) -> Reals:
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :]
    distance: Reals = squares - 2 * a @ b.T
    return distance


def _rotation(a: Reals, b: Reals) -> Reals:
    """The orthogonal map that brings ``a`` nearest to ``b`` (Procrustes)."""
    left, _, right = np.linalg.svd(a.T @ b)
    turn: Reals = (left @ right).astype(np.float32)
    return turn


def _nearest(likeness: Reals) -> Numbers:
    """Nodes that are each other's nearest, the likest of them; -1 for the rest."""
    mine, theirs = likeness.argmax(axis=0), likeness.argmax(axis=1)
    rows = np.arange(len(likeness))
    mutual = mine[theirs] == rows
    strength = np.where(mutual, likeness[rows, theirs], -np.inf)
    best = np.argsort(-strength)[: min(_ANCHORS, int(mutual.sum()))]
    claims = np.full(len(likeness), -1, np.int64)
    claims[best] = theirs[best]
    return claims
