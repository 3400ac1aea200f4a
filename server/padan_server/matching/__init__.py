"""Runs over two datasets, and single questions to a registry.

Start at :mod:`.runs` (a run from the call to its results) and :mod:`.runner` (who carries it out);
:mod:`.confirmations` answers in real time from :mod:`.indexes`. What compares is an
:class:`.engine.Engine`, bound to the library in :mod:`.linkage_engine`. May import ``datasets``,
``admission``, ``store`` and ``base``.
"""
