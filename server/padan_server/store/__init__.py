"""What the unit remembers: records in SQL, columns in memory-mapped files.

Start at :mod:`.port`, what the other rooms know of it; :mod:`.sql` and :mod:`.files` fulfil it, and
:mod:`.marks` ties the two together. May import ``base``.
"""
