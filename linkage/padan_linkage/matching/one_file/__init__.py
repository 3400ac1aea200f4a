"""One file linked with itself: the copies of one person in a registry or a list.

Start at :mod:`.linking`; :mod:`.own_file` is the file from all passes at once, at its owner's home.
"""
