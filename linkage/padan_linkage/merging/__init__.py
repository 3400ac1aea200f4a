"""From the answers of separate passes to one answer a record, and how right the answers are.

Only the owner of the records may do this. Start at :mod:`.merge`; :mod:`.union` estimates all
passes together (spec 35, "Merging"). May import ``policy`` and ``answering``.
"""
