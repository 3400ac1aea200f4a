"""JSON and TOML are read by the bounded readers alone.

The standard library's follow every bracket by a call of their own, and raise what nobody expects.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Where TOML is read otherwise: the bounded reader itself, and one word of the settings, before
#: anything is loaded.
OWN = {
    "linkage/padan_linkage/agreement/bounded_toml.py",
    "clients/padan_client/cli/helping.py",
}
UNBOUNDED = re.compile(r"\b(?:json|tomllib)\.loads?\(")
PRODUCT = ("linkage/padan_linkage", "server/padan_server", "clients/padan_client")


def breaches(text: str) -> list[str]:
    """Calls of a reader without bounds."""
    return UNBOUNDED.findall(text)


@pytest.mark.parametrize("top", PRODUCT)
def test_no_other_reader_is_called(top):
    found = {
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / top).rglob("*.py"))
        if breaches(path.read_text(encoding="utf-8"))
    }
    assert found <= OWN


def test_a_breach_is_found():
    assert breaches("x = json.loads(text)\ny = tomllib.load(f)") == ["json.loads(", "tomllib.load("]
    assert not breaches("from_json(text)")
