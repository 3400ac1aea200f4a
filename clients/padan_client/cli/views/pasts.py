"""How far servers had come, for people who compare it with what the other agency saw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from padan.v1.reason_texts import ServerKind
from padan_client.base.language import t
from padan_client.home.protection.known_heads import KnownServerPast

#: By kind, and by the party whose server it is where that is a provider's.
ServerPasts: TypeAlias = Mapping[tuple[ServerKind, str], KnownServerPast]


def past_lines(pasts: ServerPasts) -> list[str]:
    """A line for each server that was ever seen, and below it one for each chain."""
    lines: list[str] = []
    for (server, party), past in pasts.items():
        called = {
            ServerKind.UNIT: t("Unit pemadanan", "Linkage unit"),
            ServerKind.PROVIDER: t(f"Server penyedia {party}", f"Server of provider {party}"),
        }[server]
        if past.heads:
            lines.append(f"{called}, Padan {past.software or '–'}")
            lines += [f"  {name}  {past.heads[name].written}" for name in sorted(past.heads)]
    return lines or [t("Belum ada server yang terlihat.", "No server was seen yet.")]


def pasts_json(pasts: ServerPasts) -> dict[str, Any]:
    """The same for scripts: ``unit``, and ``providers`` by party."""
    made: dict[str, Any] = {}
    for (server, party), past in pasts.items():
        heads = {name: head.written for name, head in sorted(past.heads.items())}
        told = {"software": past.software, "heads": heads}
        if heads and server is ServerKind.UNIT:
            made["unit"] = told
        elif heads:
            made.setdefault("providers", {})[party] = told
    return made
