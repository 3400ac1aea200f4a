"""What may come of a record, and how sure an answer is: one home, from the matcher to the file."""

from __future__ import annotations

#: Outcomes of a record in a pass or over all passes, uint8; as on the wire (``padan.v1.Outcome``).
NOT_MATCHED, MATCHED, AMBIGUOUS = 1, 2, 3
#: Bands of a matched record are 1 to this one, the surest; 0 where it is not matched.
STRONGEST_BAND = 3
