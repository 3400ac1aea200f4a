"""How names are written otherwise: titles, abbreviations, spellings, slips.

Rates follow two real registers of the same people: half of the raw names are equal, and seven in
eight are once titles are off. The tables are the generator's own (see ``tokens``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from padan_client.generate.persons import Tokens
from padan_client.generate.tokens import Rng, Weighted

_BEHIND = Weighted(
    ["S.H.", "S.E.", "S.Pd.", "S.Sos.", "S.Kom.", "S.T.", "S.IP", "A.Md.", "S.Ag.", "SH", "SE",
     "S.Si", "S.Kep., Ners", "S.Pd.I", "S.P.", "S. Pd", "SKM"],
    [14, 14, 16, 9, 7, 7, 4, 8, 4, 4, 4, 3, 3, 3, 2, 3, 2],
)  # fmt: skip
_HIGHER = Weighted(
    ["M.Si.", "M.M.", "M.H.", "M.Pd.", "M.Kom.", "M.A.", "MM", "M.AP.", "M.Kes.", "M.T."],
    [12, 14, 12, 12, 4, 4, 4, 4, 4, 4],
)
_FRONT_MEN = Weighted(["H. ", "Drs. ", "Ir. ", "Dr. ", "Drs. H. ", "H ", "dr. ", "Prof. Dr. "],
                      [24, 14, 6, 5, 6, 5, 3, 1])  # fmt: skip
_FRONT_WOMEN = Weighted(["Hj. ", "Dra. ", "Ir. ", "Dr. ", "Dra. Hj. ", "Hj ", "dr. "],
                        [22, 12, 3, 5, 4, 4, 4])  # fmt: skip

_PROPHET = {
    "muhammad", "m.", "muhamad", "mohammad", "muh.", "moh.", "mochammad", "mohamad"
}  # fmt: skip
_PROPHET_FORMS = Weighted(
    ["M.", "Muhammad", "Moh.", "Muh.", "Mohammad", "Muhamad", "Mohd", "Moch.", "Mochamad"],
    [30, 25, 12, 12, 8, 7, 1, 3, 2],
)
#: Letters that stand for each other, either way round.
_SPELLINGS = (
    ("u", "oe"), ("j", "dj"), ("c", "tj"), ("sy", "sj"), ("sy", "s"), ("kh", "ch"), ("kh", "h"),
    ("dz", "z"), ("z", "s"), ("z", "j"), ("f", "p"), ("v", "f"), ("y", "i"), ("ai", "ae"),
    ("d", "dh"), ("t", "th"), ("q", "k"), ("ks", "x"), ("ie", "i"), ("o", "u"), ("e", "i"),
    ("ah", "a"), ("iya", "ia"), ("au", "ao"), ("sh", "s"), ("ny", "ni"), ("k", "c"), ("w", "v"),
)  # fmt: skip
_BALI = {
    "wayan": "wy.",
    "made": "md.",
    "nyoman": "nym.",
    "ketut": "kt.",
    "gede": "gd.",
    "putu": "pt.",
}
_NICKNAMES = [
    "bejo",
    "ujang",
    "asep",
    "ucok",
    "butet",
    "iwan",
    "tini",
    "jono",
    "agus",
    "neneng",
    "udin",
    "yuyun",
    "dedi",
    "lala",
]
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WIDTHS = (20, 25, 30)


def respell(tokens: Tokens, rng: Rng) -> Tokens:
    """One token in another spelling."""
    options = [
        (i, a, b)
        for i, token in enumerate(tokens)
        if len(token) > 3
        for pair in _SPELLINGS
        for a, b in (pair, pair[::-1])
        if a in token
    ]
    if not options:
        return slip(tokens, rng)
    i, a, b = options[rng.integers(len(options))]
    return _with(tokens, i, tokens[i].replace(a, b, 1))


def double(tokens: Tokens, rng: Rng) -> Tokens:
    """A doubled letter single, or a single one doubled."""
    i = _longest(tokens)
    token = tokens[i]
    for at in range(1, len(token)):
        if token[at] == token[at - 1]:
            return _with(tokens, i, token[:at] + token[at + 1 :])
    at = int(rng.integers(min(2, len(token)), max(3, len(token))))
    return _with(tokens, i, token[:at] + token[at - 1] + token[at:])


def slip(tokens: Tokens, rng: Rng) -> Tokens:
    """A letter wrong, missing, added or in its neighbour's place."""
    i = int(rng.integers(len(tokens)))
    token = tokens[i]
    at = int(rng.integers(len(token)))
    other = _LETTERS[rng.integers(len(_LETTERS))]
    kind = rng.integers(4)
    if kind == 0 or len(token) < 3:
        changed = token[:at] + other + token[at + (kind == 0) :]
    elif kind == 1:
        changed = token[:at] + token[at + 1 :]
    elif kind == 2:
        changed = token[:at] + other + token[at:]
    else:
        changed = token[:at] + token[at + 1 : at + 2] + token[at : at + 1] + token[at + 2 :]
    return _with(tokens, i, changed)


def abbreviate(tokens: Tokens, rng: Rng) -> Tokens:
    """Muhammad or a Balinese order of birth shortened, or a later token to its initial."""
    if tokens[0] in _PROPHET:
        return [_PROPHET_FORMS.draw(rng, 1)[0].lower(), *tokens[1:]]
    if tokens[0] in {"i", "ni"} and tokens[1] in _BALI:
        return [tokens[0], _BALI[tokens[1]], *tokens[2:]]
    if len(tokens) == 1:
        return respell(tokens, rng)
    i = int(rng.integers(1, len(tokens)))
    return _with(tokens, i, tokens[i][0] + ".")


def join(tokens: Tokens, rng: Rng) -> Tokens:
    """Two tokens as one, or a long one in two."""
    if len(tokens) == 1:
        token = tokens[0]
        return [token[:3], token[3:]] if len(token) > 7 else double(tokens, rng)
    i = int(rng.integers(len(tokens) - 1))
    return [*tokens[:i], tokens[i].rstrip(".") + tokens[i + 1], *tokens[i + 2 :]]


def drop(tokens: Tokens, rng: Rng) -> Tokens:
    """A token less."""
    if len(tokens) == 1:
        return slip(tokens, rng)
    i = int(rng.integers(0 if tokens[0] in _PROPHET else 1, len(tokens)))
    return tokens[:i] + tokens[i + 1 :]


def reorder(tokens: Tokens, rng: Rng) -> Tokens:
    """The last token first."""
    return [tokens[-1], *tokens[:-1]] if len(tokens) > 1 else slip(tokens, rng)


def add(tokens: Tokens, rng: Rng) -> Tokens:
    """An alias, or a name more."""
    name = _NICKNAMES[rng.integers(len(_NICKNAMES))]
    return [*tokens, "alias", name] if rng.random() < 0.5 else [*tokens, name]


def cut(tokens: Tokens, rng: Rng) -> Tokens:
    """As much as an old form field held."""
    width = _WIDTHS[rng.integers(len(_WIDTHS))]
    return " ".join(tokens)[: min(width, max(8, len(" ".join(tokens)) - 3))].split()


_EDITS: Sequence[tuple[Callable[[Tokens, Rng], Tokens], float]] = (
    (respell, 34), (double, 14), (slip, 14), (abbreviate, 14), (join, 6), (drop, 7), (reorder, 3),
    (add, 4), (cut, 4),
)  # fmt: skip
_EDIT = Weighted([edit.__name__ for edit, _ in _EDITS], [weight for _, weight in _EDITS])


def written_names(
    names: Sequence[Tokens],
    female: Sequence[bool] | None,
    rng: Rng,
    *,
    changed: float,
    titled: float,
) -> list[str]:
    """Person names as a clerk writes them: some changed, some with titles, some in capitals."""
    n = len(names)
    result = [list(tokens) for tokens in names]
    chosen = rng.random(n)
    # Muhammad is abbreviated far more often than anything else happens to a name.
    for row, tokens in enumerate(names):
        if tokens[0] in _PROPHET and chosen[row] > 1 - 2 * changed:
            result[row] = abbreviate(result[row], rng)
    rows = (chosen < changed).nonzero()[0].tolist()
    for row, edit in zip(rows, _EDIT.indices(rng, len(rows)).tolist(), strict=True):
        result[row] = _EDITS[edit][0](result[row], rng) or result[row]
    upper = (rng.random(n) < 0.5).tolist()
    texts = [
        " ".join(tokens).upper() if up else " ".join(tokens).title()
        for tokens, up in zip(result, upper, strict=True)
    ]
    return _titled(texts, female or [False] * n, rng, titled)


def transliterated(
    names: Sequence[Tokens], spellings: Mapping[str, tuple[str, ...]], rng: Rng, *, changed: float
) -> list[str]:
    """Foreign names: each token in one of its spellings, the surname first in every sixth."""
    result = []
    luck = rng.random((len(names), 6)).tolist()
    for tokens, row in zip(names, luck, strict=True):
        written = list(tokens)
        for i, token in enumerate(tokens):
            forms = spellings.get(token, (token,))
            if row[i] < changed and len(forms) > 1:
                written[i] = forms[1 + int(row[5] * (len(forms) - 1))]
        if row[3] < changed / 2:
            written = [written[-1], *written[:-1]]
        if row[4] < changed / 6:
            written = slip(written, rng)
        result.append(" ".join(written).replace("-", " " if row[5] < 0.5 else "-").upper())
    return result


def _titled(texts: list[str], female: Sequence[bool], rng: Rng, share: float) -> list[str]:
    n = len(texts)
    luck = rng.random((n, 3)).tolist()
    behind, higher = _BEHIND.draw(rng, n), _HIGHER.draw(rng, n)
    men, women = _FRONT_MEN.draw(rng, n), _FRONT_WOMEN.draw(rng, n)
    for i, (a, b, c) in enumerate(luck):
        if a < share:
            texts[i] += f", {behind[i]}" + (f", {higher[i]}" if b < 0.3 else "")
        if c < share / 2:
            texts[i] = (women if female[i] else men)[i] + texts[i]
    return texts


def _with(tokens: Tokens, i: int, token: str) -> Tokens:
    return [*tokens[:i], token, *tokens[i + 1 :]] if token else [*tokens[:i], *tokens[i + 1 :]]


def _longest(tokens: Tokens) -> int:
    return max(range(len(tokens)), key=lambda i: len(tokens[i]))
