"""From normalised records to the tables that leave the house (``proto/spec/10-encoding.md``)."""

from padan_linkage.encoding.decoys import Decoys
from padan_linkage.encoding.table import EncodedPass, PassEncoder, ProviderInputs, encode_table

__all__ = ["Decoys", "EncodedPass", "PassEncoder", "ProviderInputs", "encode_table"]
