"""Names of persons: words, titles, old spellings, sounds. Spec 12, "Names of persons".

Start at :mod:`.persons` (one name) and :mod:`.name_columns` (whole columns); :mod:`.pieces` is how
columns of text are cut without a loop over rows, also for dates and numbers.
"""
