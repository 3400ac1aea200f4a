"""From normalised records to the tables that leave the house (``proto/spec/10-encoding.md``).

Start at :func:`encode_table`; :mod:`.tokens` and :mod:`.kernel` are the two halves of a row. May
import ``tables``, ``crypto``, ``normalise``, ``schema``, ``answering`` and ``compiled``.
"""

from padan_linkage.encoding.decoys import Decoys
from padan_linkage.encoding.rows import PassRows
from padan_linkage.encoding.single import RowBits
from padan_linkage.encoding.table import (
    EncodedDelta,
    EncodedPass,
    PassEncoder,
    ProviderInputs,
    encode_delta,
    encode_table,
)

__all__ = [
    "Decoys",
    "EncodedDelta",
    "EncodedPass",
    "PassEncoder",
    "PassRows",
    "ProviderInputs",
    "RowBits",
    "encode_delta",
    "encode_table",
]
