"""May this call be made, now, by this party? Asked before any other room sees it.

Start at :mod:`.enforcement`: agreement, role, mode and dates become a ``Grant``. :mod:`.identity`
knows a party by its certificate, :mod:`.agreements` holds the signed files, :mod:`.suspensions`
what stops them. :mod:`.quotas` says how much may be asked, :mod:`.ledger` charges single questions.
:mod:`.epochs` takes the parties' contributions, :mod:`.compatibility` knows whether two sides fit,
:mod:`.requests` the calls that were made before, :mod:`.restores` holds what was accepted as lost.
May import ``store`` and ``base``.
"""
