"""Unit mode from a party's side. Spec: ``proto/spec/30-unit-mode.md``.

A requester's list: :mod:`.confirming` (asking, once the list is prepared: :mod:`.datasets`,
:mod:`.uploading`, :mod:`.running`, :mod:`.collect`, :mod:`.opening`, :mod:`.merging`); a few
records in real time: :mod:`.real_time`. A provider's registry: :mod:`.publishing`. Uses the modules
of :mod:`padan_client.protocol` itself, and no other mode.
"""
