"""One fact, one type: outcomes, answers and estimates are defined and converted once.

Read from the syntax trees of the four packages, so that a second home of a number or a word, a new
form of an answer, or a second place that reads a message is found where it stands.
"""

import ast
from pathlib import Path

import pytest

from padan.v1 import resources_pb2
from padan_linkage.answering import outcomes

ROOT = Path(__file__).resolve().parents[2]
HALLS = (
    "linkage/padan_linkage",
    "server/padan_server",
    "clients/padan_client",
    "clients/padan_lab",
)
HOME = "linkage/padan_linkage/answering/outcomes.py"

NUMBERS = {"QUARANTINED", "NOT_MATCHED", "MATCHED", "AMBIGUOUS", "UNDECIDED"}
WORDS = {
    *outcomes.OUTCOME_WORDS,
    *outcomes.REASON_WORDS,
    *outcomes.CHECK_WORDS,
} - {""}
#: Messages, and those of their fields that nothing else is called by.
MESSAGES = {"MatchedRows", "PassCounts"}
FIELDS = {"outcomes"}
#: What stands beside an outcome where it is an answer.
TOLD = {"code", "confirmations"}
#: Every type that has an outcome and what goes with it, or says how right answers are and how many.
ANSWERS = {"PassResult", "PassAnswers", "OpenedAnswers", "RecordAnswers"}
ESTIMATES = {"PassEstimate"}


def modules(*halls):
    for hall in halls:
        for path in sorted((ROOT / hall).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def defined(tree):
    """Numbers of outcomes that a module names, or compares with as bare figures."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in NUMBERS:
            yield node.id
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            figures = [s for s in sides if isinstance(s, ast.Constant)]
            bare = [f for f in figures if f.value in (1, 2, 3, 4)]
            if bare and any(spoken_of(s) in {"outcome", "outcomes"} for s in sides):
                yield ast.unparse(node)


def spoken_of(node):
    """The last name of ``a.outcome[rows]``, or of ``outcome``."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return getattr(node, "attr", getattr(node, "id", ""))


def worded(tree):
    """Words of result files in a module, except those that it translates: ``("ganda", "…")``."""
    said = {
        id(pair[0])
        for node in ast.walk(tree)
        for pair in [getattr(node, "args", None) or getattr(node, "elts", None)]
        if isinstance(pair, list) and len(pair) == 2
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in WORDS and id(node) not in said:
            yield node.value


def messages(tree):
    """Messages of answers and estimates that a module names, or whose fields it reads or fills."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            module = getattr(node.value, "id", "")
            if (node.attr in MESSAGES and module.startswith("resources_pb")) or node.attr in FIELDS:
                yield node.attr
        elif isinstance(node, ast.keyword) and node.arg in FIELDS:
            yield node.arg


def forms(tree):
    """Classes with the fields of an answer, and of an estimate."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            fields = {
                getattr(part, "target", part).id
                for part in node.body
                if isinstance(part, ast.AnnAssign)
            } | {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
            if fields & {"outcome", "outcomes"} and fields & TOLD:
                yield "answer", node.name
            if {"precision", "recall", "matched_rows"} <= fields:
                yield "estimate", node.name


def test_the_numbers_are_those_of_the_wire():
    assert outcomes.NOT_MATCHED == resources_pb2.OUTCOME_NOT_MATCHED
    assert outcomes.MATCHED == resources_pb2.OUTCOME_MATCHED
    assert outcomes.AMBIGUOUS == resources_pb2.OUTCOME_AMBIGUOUS
    assert outcomes.UNDECIDED == resources_pb2.OUTCOME_UNDECIDED
    assert len(outcomes.OUTCOME_WORDS) == len(resources_pb2.Outcome.values())
    assert len(outcomes.CHECK_WORDS) == 1 + outcomes.EMPTY


def test_outcomes_have_one_home():
    found = {(path, what) for path, tree in modules(*HALLS) for what in defined(tree)}
    assert {(path, what) for path, what in found if path != HOME} == set()
    assert {what for _, what in found} == NUMBERS


def test_the_words_of_result_files_have_one_home():
    found = {(path, word) for path, tree in modules(*HALLS) for word in worded(tree)}
    assert {(path, word) for path, word in found if path != HOME} == set()


@pytest.mark.parametrize(
    ("hall", "place"),
    [
        ("server/padan_server", "server/padan_server/services/convert.py"),
        ("clients/padan_client", "clients/padan_client/protocol/unit/collect.py"),
    ],
)
def test_messages_of_answers_and_estimates_are_converted_in_one_place(hall, place):
    found = {(path, name) for path, tree in modules(hall) for name in messages(tree)}
    assert {path for path, _ in found} == {place}
    assert {name for _, name in found} >= MESSAGES | FIELDS


def test_an_answer_and_an_estimate_have_no_other_forms():
    found = [form for _, tree in modules(*HALLS) for form in forms(tree)]
    assert sorted(found) == sorted(
        [("answer", name) for name in ANSWERS] + [("estimate", name) for name in ESTIMATES]
    )


PLANTED = [
    (defined, "MATCHED = 2"),
    (defined, "NOT_MATCHED, MATCHED, AMBIGUOUS = 1, 2, 3"),
    (defined, "found = result.outcome == 2"),
    (defined, "found = columns.outcomes[rows] != 3"),
    (defined, "open_rows = outcome == 4"),
    (worded, "found = table['hasil'] == 'ditemukan'"),
    (worded, "own = {'karantina': 1}"),
    (worded, "t('ganda')"),
    (worded, "why = 'ruas_kurang'"),
    (messages, "def f(rows: resources_pb.MatchedRows): ..."),
    (messages, "made = resources_pb2.PassCounts(pass_id='nik')"),
    (messages, "got = answer.rows.outcomes"),
    (messages, "Message(outcomes=b'1')"),
    (forms, "class Reply:\n    outcomes: int\n    confirmations: int"),
    (forms, "class Result(Protocol):\n    def outcome(self): ...\n    def code(self): ..."),
    (forms, "class Summary:\n    precision: int\n    recall: int\n    matched_rows: int"),
]


@pytest.mark.parametrize(("finder", "source"), PLANTED, ids=[source for _, source in PLANTED])
def test_another_home_or_form_is_found(finder, source):
    assert list(finder(ast.parse(source)))


@pytest.mark.parametrize(
    ("finder", "source"),
    [
        (defined, "best.outcome[best.code > 2] = MATCHED"),
        (defined, "rows = count == 2"),
        (worded, "t('ganda', 'ambiguous')"),
        (forms, "class Scoring:\n    precision: float\n    recall: float"),
    ],
)
def test_the_rest_is_left_alone(finder, source):
    assert not list(finder(ast.parse(source)))
