"""How many answers of a pass with a filter an honest unit may give that do not open.

Spec: ``proto/spec/25-sealed-codes.md``, "Opening".
"""

from __future__ import annotations

import math

#: An honest unit's answers are refused at most this often.
_REFUSED = 1e-9


def most_unopened(rate: float, rows: int) -> int:
    """Answers to ``rows`` rows that may fail to open where ``rate`` wrong ones a row are tolerated.

    The least k beyond which a Poisson variable of mean μ = ``rate`` · ``rows`` lies less often than
    once in 10⁹, by Chernoff's bound P(X ≥ x) ≤ exp(x - μ - x log(x/μ)) for x > μ. 0 where nothing
    is tolerated.
    """
    mean = rate * rows
    if mean <= 0:
        return 0
    budget = -math.log(_REFUSED)
    low, high = math.floor(mean), math.ceil(2 * mean + budget)
    while high - low > 1:
        middle = (low + high) // 2
        if middle > mean and middle * math.log(middle / mean) - middle + mean >= budget:
            high = middle
        else:
            low = middle
    return high - 1
