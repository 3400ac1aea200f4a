"""What does a requester learn of people who are not on its list, by questions of its own making?

Start at :mod:`.reading`, a year of lists with vectors that no record could have (:mod:`.asking`),
and :mod:`.guessing`, at tokens of exact passes; asked of a registry that is published as an agency
publishes it (:mod:`.published`), at a unit that meters (:mod:`.metered`). Spec 15, "The requester's
oracle". In direct mode :mod:`.profiling` pursues people and :mod:`.fishing` tries dictionaries,
by what is likely (:mod:`.likely`), at a label table (:mod:`.probed`). Spec 60, "Made-up rows". May
import ``demo`` and ``generate``, and of the client its records and its tables of direct mode.
"""
