"""The five agreements as canonical files, without keys (spec 40, "Choices in the examples")."""

from __future__ import annotations

from importlib.resources import files

EXAMPLE_IDS = (
    "kemnaker-bkn-2024",
    "bpjstk-imigrasi-2023",
    "kemnaker-bpjskes-2020",
    "kemenkopmk-kemnaker-2023",
    "bpjskes-bkn-2016",
)


def example(agreement_id: str) -> bytes:
    """The exact bytes of the example file. Raises KeyError if there is none of that id."""
    if agreement_id not in EXAMPLE_IDS:
        raise KeyError(agreement_id)
    return (files(__package__) / "examples" / f"{agreement_id}.toml").read_bytes()
