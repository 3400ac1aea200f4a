"""From the answers of separate passes to one answer a record, and how right the answers are.

Only the owner of the records may do this. Start at :mod:`.merge`; :mod:`.union` estimates all
passes together (spec 35, "Merging"). :mod:`.copies` brings together the rows of one registry that
are one person. May import ``answering``, ``schema``, ``normalise`` and ``compiled``.
"""
