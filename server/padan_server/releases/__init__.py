"""Aggregates and reference lists on their way from one party to the other, carried unread.

Start at :mod:`.lifecycle`; :mod:`.files` keeps the sealed files. May import ``admission``,
``store`` and ``base``.
"""
