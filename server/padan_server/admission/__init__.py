"""May this call be made, now, by this party? Asked before any other room sees it.

Start at :mod:`.enforcement`: agreement, role, mode and dates become a ``Grant``. :mod:`.identity`
knows a party by its certificate, :mod:`.agreements` holds the signed files, :mod:`.ledger` the
quotas, :mod:`.epochs` the parties' contributions, :mod:`.compatibility` whether two sides fit,
:mod:`.requests` the calls that were made before. May import ``store`` and ``base``.
"""
