"""What is too large for records, in folders under the data directory.

Start at :mod:`.columns`; :mod:`.derived` keeps what can be made again, :mod:`.meters` what was
asked, and :mod:`.disk` is how all of them write.
"""
