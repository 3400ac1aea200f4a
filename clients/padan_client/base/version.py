"""The version of this client."""

from padan_linkage.crypto.software import VERSION, software

__all__ = ["VERSION", "software"]
