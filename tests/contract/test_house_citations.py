"""What papers, docstrings and comments point at exists: files, modules, names, spec sections.

Read from the syntax trees, without importing anything.
"""

import ast
import io
import re
import tokenize
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    package.name: package.parent
    for top in ("linkage", "server", "clients")
    for package in sorted((ROOT / top).glob("padan_*"))
}
CODE = [path for name, top in PACKAGES.items() for path in sorted((top / name).rglob("*.py"))]
TESTS = [
    *sorted(ROOT.glob("*.py")),
    *(
        path
        for top in ("tests", "proto/vectors", ".ci")
        for path in sorted((ROOT / top).rglob("*.py"))
    ),
]
PROTOS = sorted((ROOT / "proto/padan").rglob("*.proto"))
PAPERS = [
    *sorted(ROOT.glob("*.md")),
    *(p for top in ("proto", "clients") for p in sorted((ROOT / top).rglob("*.md"))),
]
FILES = [
    *ROOT.glob("*"),
    *(
        p
        for top in ("linkage", "server", "clients", "tests", "proto", ".ci")
        for p in (ROOT / top).rglob("*")
    ),
]
#: Every file by its whole path and by each end of it.
ENDS = {
    "/".join(parts[at:])
    for parts in (path.relative_to(ROOT).parts for path in FILES)
    for at in range(len(parts))
}

#: What modules were called before they moved to where they are now.
FORMER = set(
    re.findall(
        r"\w+",
        """
    advising agreement_views clkhash_peer common_columns company_columns date_noise decoybook
    dressing everything fold foreign_columns keeping likeness linting matcher name_column
    name_noise number_noise owned pace peer_environment person_columns play psi_peer recall
    release_files room rules_direct rules_law rules_passes rules_releases rules_structure said
    samples seen shares shelf splink_peer stage stand town truth watch watched within writers
    """,
    )
)
#: A library that a module of ours is named after.
LIBRARIES = {"voprf"}

PATH = re.compile(r"(?<![\w./*<>{}-])([\w.-]*[\w-]/[\w./-]*\w|[\w-]+)\.(py|md|proto|cjs)\b")
ROLE = re.compile(r":(?:mod|class|func|meth|data|attr|exc|obj):`(?:[^`<]*<)?([~.\w]+)>?`")
DOTTED = re.compile(rf"\b((?:{'|'.join(PACKAGES)})(?:\.\w+)+)")
SECTION = re.compile(
    r"(?:[Ss]pec |\[|proto/spec/)(\d\d)(?:-[\w-]+\.md)?`*(?:\]\([^)]*\))?,? "
    r"((?:[\"«][^\"»]+[\"»](?:, | and )?)+)"
)


def module_of(path):
    """Dotted name of a module of ours, "" for a test."""
    for name, top in PACKAGES.items():
        if path.is_relative_to(top / name):
            return ".".join(path.relative_to(top).with_suffix("").parts).removesuffix(".__init__")
    return ""


@dataclass
class Names:
    """What a module defines: its names, and its classes with their members."""

    top: set = field(default_factory=set)
    classes: dict = field(default_factory=dict)


@cache
def index():
    return {module_of(path): names_of(path.read_text("utf-8")) for path in CODE}


def names_of(source):
    names = Names()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            names.classes[node.name] = members(node)
    for node in ast.parse(source).body:
        names.top |= bound(node)
    return names


def bound(node):
    """Names that a statement binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.If | ast.Try):
        return {name for each in node.body for name in bound(each)}
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    found = [each for target in targets if target for each in ast.walk(target)]
    return {each.id for each in found if isinstance(each, ast.Name)}


def members(node):
    """Names of a class: what its body binds, and what its methods give to self."""
    own = {name for each in node.body for name in bound(each)}
    return own | {
        each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
    }


def known(name, module):
    """Whether a dotted name, as a docstring of ``module`` has it, leads to something of ours.

    As Sphinx has it: a name that begins with a dot may be the end of any full one.
    """
    bare = name.lstrip("~.")
    parents = module.split(".")
    places = ["", *(".".join(parents[:cut]) for cut in range(len(parents), 0, -1))]
    if name.startswith((".", "~.")):
        places += [each.rpartition(".")[0] for each in index()]
    return any(exists(f"{place}.{bare}".lstrip(".")) for place in places) or member(bare, module)


def exists(name):
    """Whether a full name is a module, or a name or member of one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        names = index().get(".".join(parts[:cut]))
        if names is not None:
            rest = parts[cut:]
            return not rest or (
                rest[0] in names.top
                and (len(rest) == 1 or rest[1] in names.classes.get(rest[0], {rest[1]}))
            )
    return False


def member(name, module):
    """Whether it is a class of ours, a member of one, or a member of a class of this module."""
    owner, _, last = name.rpartition(".")
    if not owner and any(last in found for found in index()[module].classes.values()):
        return True
    everywhere = [names.classes for names in index().values()]
    return any(last in (found.get(owner, ()) if owner else found) for found in everywhere)


def said(path):
    """The docstrings and comments of a file, as one text each; a paper whole."""
    source = path.read_text("utf-8")
    if path.name == "CHANGELOG.md":
        return ["## ".join(source.split("\n## ")[:2])]  # what was released stays as it was told
    if path.suffix == ".md":
        return [source]
    if path.suffix == ".proto":
        return ["\n".join(re.findall(r"//(.*)", source))]
    tree = ast.parse(source)
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    texts = [ast.get_docstring(n) or "" for n in ast.walk(tree) if isinstance(n, kinds)]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [t.string.lstrip("#: ") for t in tokens if t.type == tokenize.COMMENT]
    return [*texts, "\n".join(comments)]


def present(cited, path):
    """Whether a cited file is there: under any folder of ours, or beside the one that names it.

    A module whose bare name a package gives is one of that package: others have their like.
    """
    package = module_of(path).partition(".")[0]
    if package and cited.endswith(".py") and "/" not in cited:
        return cited in {each.name for each in (PACKAGES[package] / package).rglob("*.py")}
    return cited in ENDS or (path.parent / cited).exists()


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def wrong_files(text, path):
    return [c[0] for c in PATH.finditer(text) if not present(c[0].removeprefix("./"), path)]


def wrong_names(text, module):
    """Names that lead nowhere; in a test (no module of ours), full ones alone are looked at."""
    wrong = [name for name in DOTTED.findall(text) if not exists(name)]
    roles = ROLE.findall(text) if module else []
    return [*wrong, *(name for name in roles if not known(name, module))]


def wrong_words(map_, path):
    """Names of modules, of today or before, that a module's docstring has as mere words.

    A reader cannot follow those, nor does a move find them. Maps name the rooms of their hall so.
    """
    package = module_of(path).partition(".")[0]
    own = [name.split(".") for name in index() if name.startswith(f"{package}.")]
    names = {each for name in own for each in name}
    if path.name == "__init__.py":
        names -= {name[1] for name in own}
    return [w for w in re.findall(r"(?<![:`])``(\w+)``", map_) if w in (names | FORMER) - LIBRARIES]


def wrong_marks(source):
    """Lines that begin with a mark of a role and have lost the rest of it."""
    return re.findall(r"^\s*:+[A-Z`].*|.*(?:::\w+:`|(?<!\w):``).*", source, re.MULTILINE)


def wrong_sections(text):
    found = SECTION.findall(re.sub(r"\s+", " ", text))
    cited = [
        (page, each) for page, named in found for each in re.findall(r'["«]([^"»]+)["»]', named)
    ]
    return [f"{page} {section}" for page, section in cited if section not in headings(page)]


@cache
def headings(page):
    """Section titles of a page of the spec."""
    texts = [path.read_text("utf-8") for path in (ROOT / "proto/spec").glob(f"{page}-*.md")]
    return {title for text in texts for title in re.findall(r"^##+ (.*)$", text, re.MULTILINE)}


def findings(path):
    module = module_of(path)
    for text in said(path):
        yield from wrong_files(text, path)
        yield from wrong_sections(text)
        yield from wrong_names(text, module)


@pytest.mark.parametrize(
    "files", [CODE, TESTS, PROTOS, PAPERS], ids=["code", "tests", "protos", "papers"]
)
def test_what_is_cited_exists(files):
    found = {name_of(path): wrong for path in files if (wrong := list(findings(path)))}
    assert found == {}


def test_a_module_is_named_by_a_role():
    maps = {path: ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "" for path in CODE}
    found = {name_of(path): wrong for path in CODE if (wrong := wrong_words(maps[path], path))}
    assert found == {}


def test_no_role_is_damaged():
    found = {name_of(p): w for p in CODE if (w := wrong_marks(p.read_text("utf-8")))}
    assert found == {}


def test_words_and_marks_are_found():
    path = ROOT / "linkage/padan_linkage/agreement/lint.py"
    assert wrong_words("in ``rules_law`` and ``standing``", path) == ["rules_law", "standing"]
    assert wrong_words("in :mod:`.standing`, ``flows``, ``voprf``", path) == []
    assert wrong_words("May import ``crypto``, not ``lint``", path.parent / "__init__.py") == [
        "lint"
    ]
    assert wrong_marks("    :``rule`` says\n    of ::mod:`x`\n    :Deterministic.") != []
    assert wrong_marks("see :mod:`.x`::\n\n    :meth:`y`") == []


def test_what_does_not_exist_is_found():
    path = CODE[0]
    module = module_of(path)
    assert wrong_files("as in `nothing/here.py` and ``neither.py``", path) != []
    assert wrong_files("as in ``lint.py``, tests/conftest.py, proto/spec/README.md", path) == []
    assert wrong_files("as in ``provider.py``", path) == ["provider.py"], (
        "the client's, not linkage's"
    )
    assert wrong_names("see :func:`.nowhere_at_all`", module) == [".nowhere_at_all"]
    assert wrong_names("see `padan_linkage.nowhere.at_all`", module) != []
    assert wrong_names("see :class:`padan_linkage.schema.Schema`", module) == []
    assert wrong_sections('spec 10, "Nothing of the kind"') == ["10 Nothing of the kind"]
    assert wrong_sections('spec 10,\n"Token" and "No such"') == ["10 No such"]
    assert wrong_sections('``proto/spec/10-encoding.md``, "Nothing"') == ["10 Nothing"]
    assert wrong_sections("[10](10-encoding.md) «Mask», [20](20-keys.md) «Mask»") == ["20 Mask"]
