"""Messages in two languages: Indonesian first, English on request."""

from __future__ import annotations

from contextvars import ContextVar

_language: ContextVar[str] = ContextVar("padan_language", default="id")


def set_language(code: str) -> None:
    """Choose ``"id"`` or ``"en"`` for this context."""
    _language.set(code)


def t(indonesian: str, english: str) -> str:
    """The text in the chosen language."""
    return english if _language.get() == "en" else indonesian


def current_language() -> str:
    """``"id"`` or ``"en"``."""
    return _language.get()
