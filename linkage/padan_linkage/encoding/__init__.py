"""From normalised records to the tables that leave the house (``proto/spec/10-encoding.md``).

Start at :func:`encode_table`; :mod:`.tokens` and :mod:`.kernel` are the two halves of a row. May
import ``tables``, ``crypto``, ``normalise``, ``schema``, ``answering`` and ``compiled``.
"""

from padan_linkage.encoding.rows import PassRows
from padan_linkage.encoding.single import RowBits
from padan_linkage.encoding.table import (
    EncodedPass,
    Leaving,
    PassEncoder,
    ProviderInputs,
    encode_table,
)

__all__ = [
    "EncodedPass",
    "Leaving",
    "PassEncoder",
    "PassRows",
    "ProviderInputs",
    "RowBits",
    "encode_table",
]
