"""Opens the sealed codes of one pass's answers, with the requester's own tokens.

A code opens only for a row with the token it was sealed for. In an exact pass the unit joins on
that very token, so a code that does not open there was swapped or altered. In a pass with a filter
the unit joins on the coarser bucket and may, as rarely as the edition says, answer with another
person's row; such answers are not believed, and when there are more than that explains the whole
answer is refused.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from padan_client.protocol.session import Session
from padan_client.protocol.unit.collect import SealKey, broken
from padan_linkage.answering.answers import PassAnswers
from padan_linkage.answering.unopened import most_unopened
from padan_linkage.crypto.sealing import Opener, SealError


def open_codes(
    session: Session,
    answers: PassAnswers,
    seal: SealKey,
    tokens: NDArray[np.uint8],
    openers: dict[SealKey, Opener],
    rate: float,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Payloads ``uint8[m, 16]`` of the matched rows and which of them are genuine, ``bool[m]``.

    ``tokens`` ``uint8[rows, 16]`` are of every row; ``openers`` keeps what was made; ``rate``:
    wrong answers a row that the edition tolerates. Raises VerificationError where the answers
    cannot be honest.
    """
    rows = answers.matched_rows
    if seal not in openers:
        openers[seal] = _opener(session, answers.pass_id, seal)
    payloads, genuine = openers[seal].open(
        answers.pass_id,
        np.ascontiguousarray(tokens[rows]),
        np.ascontiguousarray(answers.sealed),
    )
    failed = int(len(rows) - genuine.sum())
    exact = not session.schema.get_pass(answers.pass_id).similar
    if failed > (0 if exact else most_unopened(rate, len(answers))):
        raise broken(answers.pass_id, "sealed_codes")
    return payloads, genuine


def _opener(session: Session, pass_id: str, seal: SealKey) -> Opener:
    try:
        return session.opener(seal.seal_id, seal.encapsulated_key)
    except SealError:
        raise broken(pass_id, "seal") from None
