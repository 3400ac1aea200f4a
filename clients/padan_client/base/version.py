"""The version of this client, and what is said of what a newer one made."""

from padan_client.base.language import t
from padan_linkage.crypto.software import VERSION, software

__all__ = ["VERSION", "former_made", "newer_made", "software"]


def newer_made(indonesian: str, english: str) -> str:
    """That a thing, so called, is of a form that a later version brought in."""
    return t(
        f"{indonesian} dibuat Padan yang lebih baru; versi ini, {software()}, tidak membacanya. "
        "Tidak ada yang disentuh: pakai versi itu atau yang lebih baru.",
        f"{english} was made by a newer Padan; this version, {software()}, does not read it. "
        "Nothing was touched: use that version or a newer one.",
    )


def former_made(indonesian: str, english: str, remedy: tuple[str, str]) -> str:
    """That a thing, so called, is of a form that this version has left, and what helps."""
    return t(
        f"{indonesian} dibuat Padan versi terdahulu; versi ini, {software()}, tidak memakainya "
        f"lagi. {remedy[0]}",
        f"{english} was made by an earlier Padan; this version, {software()}, does not use it any "
        f"more. {remedy[1]}",
    )
