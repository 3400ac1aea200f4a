"""What does a requester learn of people who are not on its list, by questions of its own making?

Start at :mod:`.asking`: vectors that no record could have, asked of a registry that is published as
an agency publishes it (:mod:`.published`). Spec 15, "The requester's oracle". May import ``demo``
and ``generate``, and of the client its records.
"""
