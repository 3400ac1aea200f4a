"""What a home keeps of its cover people, sealed, for as long as the epoch's key.

Start at :mod:`.cover_book` (of registries) or :mod:`.list_cover` (of lists).
"""
