"""What holds bytes or columns of records shows none of it: a repr can end in a log."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HALLS = ("linkage/padan_linkage", "server/padan_server", "clients/padan_client")
#: Annotations of what may hold values, tokens, encodings or keys.
HELD = re.compile(r"\bbytes\b|NDArray|pa\.(?:Table|Array|StringArray|ChunkedArray)|Words|PassTable")
#: Whose bytes and numbers are public or say nothing of a record: digests, roots, public keys and
#: signed documents, and the matcher's row numbers, distances and scores.
PUBLIC = {
    "Batches", "Best", "Built", "Contributions", "FeaturePlan", "FlowPlace", "Grant", "Line",
    "PublicIdentity", "Screen", "SealKey", "SignedAgreement", "SourceTable", "Survivors", "Sweep",
    "TablePublication",
}  # fmt: skip


def shown(source):
    """Dataclasses whose own repr would show a field that may hold something."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef):
            continue
        made = [ast.unparse(d) for d in node.decorator_list if "dataclass" in ast.unparse(d)]
        own = any(isinstance(m, ast.FunctionDef) and m.name == "__repr__" for m in node.body)
        if not made or own or "repr=False" in made[0]:
            continue
        for member in node.body:
            held = isinstance(member, ast.AnnAssign) and HELD.search(ast.unparse(member.annotation))
            if held and "repr=False" not in ast.unparse(member):
                yield node.name


def test_nothing_that_holds_records_shows_them():
    files = [path for hall in HALLS for path in (ROOT / hall).rglob("*.py")]
    found = {name for path in files for name in shown(path.read_text("utf-8"))}
    assert found == PUBLIC


@pytest.mark.parametrize(
    ("decorator", "field", "found"),
    [
        ("@dataclass(frozen=True)", "columns: Mapping[str, bytes]", True),
        ("@dataclass", "filters: NDArray[np.uint64]", True),
        ("@dataclass(frozen=True, repr=False)", "columns: Mapping[str, bytes]", False),
        ("@dataclass(frozen=True)", "seed: bytes = field(repr=False)", False),
        ("@dataclass(frozen=True)", "rows: int", False),
    ],
)
def test_a_class_that_shows_something_is_found(decorator, field, found):
    assert bool(list(shown(f"{decorator}\nclass Held:\n    {field}\n"))) == found
