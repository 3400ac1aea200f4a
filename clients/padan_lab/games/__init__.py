"""Games: can one party, who keeps everything that it sees, tell two worlds apart?

Start at :func:`play`. Whole epochs are played with the real clients and servers
(:mod:`.playing`), everything that a party sees is kept (:mod:`.seeing`), and trained classifiers
are judged on plays that they never saw (:mod:`.judging`). Spec 05. May import ``demo`` and
``generate``, and all of the client.
"""

from __future__ import annotations

from padan_lab.games.program import GAMES, Bench, play
from padan_lab.games.report import as_json, render

__all__ = ["GAMES", "Bench", "as_json", "play", "render"]
