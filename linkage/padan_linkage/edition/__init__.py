"""What is learned of a registry when it is published, and holds until it is published anew.

An answer depends on the row, the edition and the agreement, and on nothing else (spec 36). Start at
:class:`.document.Edition`. May import ``matching``, ``merging``, ``tables``, ``crypto``,
``normalise``, ``answering`` and ``schema``.
"""
