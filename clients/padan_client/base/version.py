"""The version of this client, and what is said of what a newer one made."""

from padan_client.base.language import t
from padan_linkage.crypto.software import VERSION, software

__all__ = ["VERSION", "newer_made", "software"]


def newer_made(indonesian: str, english: str) -> str:
    """That a thing, so called, is of a form that a later version brought in."""
    return t(
        f"{indonesian} dibuat Padan yang lebih baru; versi ini, {software()}, tidak membacanya. "
        "Tidak ada yang disentuh: pakai versi itu atau yang lebih baru.",
        f"{english} was made by a newer Padan; this version, {software()}, does not read it. "
        "Nothing was touched: use that version or a newer one.",
    )
