"""Keys, seals, signatures, commitments and seeded randomness; constructions of published standards.

Start at :mod:`.keys` (spec 20) and :mod:`.sealing` (spec 25). Servers may use :mod:`.epochs`,
:mod:`.signatures`, :mod:`.merkle`, :mod:`.heads` (a past known again), :mod:`.software` (which
Padan this is) and :mod:`.process`; keys, seals and encodings must never reach them. Servers and
clients read their own certificates by :mod:`.tls_files`. May import ``answering`` (payloads) and
``schema``.
"""
