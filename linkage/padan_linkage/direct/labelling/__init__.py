"""Labels of direct mode: what a table says of a person, and what whoever meets it may make of that.

Start at :mod:`.labels` (rows of a table: tags, pads, numbered labels, gone rows); :mod:`.persons`
has what a person's labels share, :mod:`.bodies` what stands in one, :mod:`.shares` the line through
a person's openers, :mod:`.rarity` how common a value's words are, :mod:`.hkdf` the hashing. The
requester's side is :mod:`.lookup`, :mod:`.opening` and :mod:`.deciding`; :mod:`.meeting` stands for
the first two where the registry itself is at hand, as at the provider, who asks it about its own
people. A server never makes or opens a label and imports nothing of this. May
import ``compiled``, ``crypto``, ``answering``, ``schema``, and of ``direct`` schema, inputs, oprf
and table.
"""
