"""Cover people: records of nobody, drawn so that the linkage unit cannot tell them from people.

Start at :func:`with_cover`; :mod:`.newcomers` says how likely a new person shares a value with
those who are there, and everything is drawn by it. In deltas they do what people do, from
:func:`follow` on, and in the lists of an epoch they come back as people do, from :func:`recur` on.
Spec: ``proto/spec/11-cover.md``. May import
``crypto``, ``normalise`` and ``schema``.
"""

from padan_linkage.cover.drawing import draw_people, joined, with_cover
from padan_linkage.cover.following import Following, follow, pace_of
from padan_linkage.cover.lives import ChangeKind, CoverPeople, KnownPeople, Lives
from padan_linkage.cover.observing import Changes, Named, observed
from padan_linkage.cover.recurring import KEY_BYTES, NextList, Recurring, recur

__all__ = [
    "KEY_BYTES",
    "ChangeKind",
    "Changes",
    "CoverPeople",
    "Following",
    "KnownPeople",
    "Lives",
    "Named",
    "NextList",
    "Recurring",
    "draw_people",
    "follow",
    "joined",
    "observed",
    "pace_of",
    "recur",
    "with_cover",
]
