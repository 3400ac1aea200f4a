"""An agency's home folder: settings, keys, agreements, epochs, pending jobs, kept registries.

Start at :mod:`.folder`. Epoch keys, decoy pools and kept registries are sealed under the identity
(:mod:`.sealed_file`), the identity under a passphrase if it has one, a release on its way out to
its receiver, a direct job's outputs under the job's seed. All other files, jobs and seeds of direct
mode among them, are protected by their mode alone. May import ``records`` and ``base``.
"""
