"""Direct mode from a party's side. Spec: ``proto/spec/60-direct-mode.md``.

A requester's list: :mod:`.confirming` (:mod:`.session`, :mod:`.evaluating`, :mod:`.answering`); a
few records in real time: :mod:`.real_time`. A provider's label table: :mod:`.publishing`
(:mod:`.building`, :mod:`.blocks`). What both sides compare: :mod:`.schemas`. Uses the modules
of :mod:`padan_client.protocol` itself, and unit mode for what stays open.
"""
