"""Pure linkage code; no clock, socket, store or global randomness.

A record's way: :mod:`.normalise` (one form for equal things), :mod:`.encoding` (tables that leave
the house), :mod:`.matching` (blind, at the unit), :mod:`.merging` (one answer a record, at the
owner's). What it finds on its way is in :mod:`.answers`, with the numbers of :mod:`.outcomes`, and
in :mod:`.estimates`. :mod:`.schema` says which passes, :mod:`.agreement` who may and on what terms,
:mod:`.direct` is the way without a third party, :mod:`.release` what is handed over whole,
:mod:`.advice` suggests schemas, :mod:`.crypto` holds keys and seals. Imports nothing of server,
client or stubs.
"""
