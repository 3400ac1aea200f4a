"""An agency's home folder: settings, keys, agreements, epochs, pending jobs, kept registries.

Start at :mod:`.folder`. What opens or orders anything (epoch keys, cover people, kept registries,
jobs) is sealed under the identity (:mod:`.sealed_file`), the identity locked by a passphrase
(:mod:`.protection`), a release on its way out sealed to its receiver. Seeds of direct mode are
protected by mode and owner alone (spec 20, "What stays plain"). May import ``records`` and
``base``.
"""
