"""An agency's home folder: settings, keys, agreements, epochs, pending jobs, kept registries.

Start at :mod:`.folder`. Whatever lies here for long is sealed under the agency's identity. May
import ``records`` and ``base``.
"""
