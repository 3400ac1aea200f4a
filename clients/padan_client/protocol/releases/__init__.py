"""Aggregates and reference lists, made and sealed by one side, fetched and verified by the other.

Start at :mod:`.flow`. Spec: ``proto/spec/70-releases.md``. Uses the modules of
:mod:`padan_client.protocol` itself, and no mode.
"""
