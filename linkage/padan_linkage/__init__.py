"""Pure linkage code; no clock, socket, store or global randomness.

A record's way: :mod:`.normalise` (one form for equal things), :mod:`.encoding` (tables that leave
the house), :mod:`.matching` (blind, at the unit), :mod:`.merging` (one answer a record, at the
owner's). What it finds on its way is in :mod:`.answering`. :mod:`.schema` says which passes,
:mod:`.policy` what a flow tolerates, :mod:`.agreement` who may and on what terms; :mod:`.tables`
are a pass's rows. :mod:`.direct` is the way without a third party, :mod:`.release` what is handed
over whole, :mod:`.advice` suggests schemas, :mod:`.crypto` holds keys and seals, :mod:`.compiled`
is Numba as we use it. Start at :mod:`.schema`, then
:func:`.encoding.table.encode_table` and :func:`.matching.match_pass`. No room imports one above it,
nor server, client or stubs.
"""
