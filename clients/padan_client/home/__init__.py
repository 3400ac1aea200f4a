"""An agency's home folder: settings, keys, agreements, epochs, pending jobs, kept registries.

Start at :mod:`.folder`. Epoch keys and kept registries are sealed (:mod:`.sealed_file`); all other
files are protected by their mode alone. May import ``records`` and ``base``.
"""
