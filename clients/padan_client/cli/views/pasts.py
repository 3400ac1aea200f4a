"""How far servers had come, for people who compare it with what the other agency saw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from padan.v1.reason_texts import ServerKind
from padan_client.base.language import t
from padan_client.home.protection.known_heads import KnownServerPast


def past_lines(pasts: Mapping[ServerKind, KnownServerPast]) -> list[str]:
    """A line for each server that was ever seen, and below it one for each chain."""
    lines: list[str] = []
    for server, past in pasts.items():
        called = {
            ServerKind.UNIT: t("Unit pemadanan", "Linkage unit"),
            ServerKind.PROVIDER: t("Server penyedia", "Provider's server"),
        }[server]
        if past.heads:
            lines.append(f"{called}, Padan {past.software or '–'}")
            lines += [f"  {name}  {past.heads[name].written}" for name in sorted(past.heads)]
    return lines or [t("Belum ada server yang terlihat.", "No server was seen yet.")]


def pasts_json(pasts: Mapping[ServerKind, KnownServerPast]) -> dict[str, Any]:
    """The same for scripts."""
    return {
        server.value: {
            "software": past.software,
            "heads": {name: head.written for name, head in sorted(past.heads.items())},
        }
        for server, past in pasts.items()
        if past.heads
    }
