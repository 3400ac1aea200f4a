"""Records in SQL: a module for each kind, all in one transaction.

Start at :mod:`.store`, which opens and migrates; :mod:`.tables` has the columns.
"""
