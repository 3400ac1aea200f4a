"""Reads a compiled kernel for what its time could depend on, besides lengths and constants.

LLVM's final text of a kernel is followed value by value. What is read from an array is secret, and
whatever is computed from it; what is read from the kernel's own constants is not, nor are shapes
and strides. No branch may be taken by a secret, no address made of one, none divided, and none
handed to a function but LLVM's own. The assembler may then have no more conditional jumps than that
text has branches: a selection that became a jump would be one more; and none became a load or store
under a mask.
"""

import re
from dataclasses import dataclass

from numba import njit

_VALUE = re.compile(r'%(?:"[^"]*"|[\w.$-]+)')
_LINE = re.compile(rf"^\s+(?:(?P<name>{_VALUE.pattern}) = )?(?:(?:must|no)?tail )?(?P<rest>.+)$")
#: An operand in memory under a mask: which of its lanes are touched, hangs on the mask.
UNDER_MASK = re.compile(r"\s(?:\S+\s.*\(.*\).*\{%k\d|v?p?maskmov\w*\s)")
_JUMP = re.compile(r"^\s+j(?!mp)[a-z]+\s", re.MULTILINE)
_DIVISIONS = {"udiv", "sdiv", "urem", "srem", "fdiv"}


@dataclass
class CompiledText:
    """A kernel compiled for the types of ``arguments``: LLVM's text and the assembler's."""

    llvm: str
    assembler: str

    @classmethod
    def of(cls, kernel, *arguments):
        """Compiled anew, for a cached kernel has no text; it is run once."""
        compiled = njit(nogil=True)(kernel.py_func)
        compiled(*arguments)
        (signature,) = compiled.signatures
        return cls(compiled.inspect_llvm(signature), compiled.inspect_asm(signature))

    def breaches(self):
        """What depends on a secret, as sentences."""
        found = []
        for name, body in functions(self.llvm):
            found += [f"{name}: {line.strip()}" for line in dependent(body)]
        branches = sum(
            line.lstrip().startswith("br i1") for _, body in functions(self.llvm) for line in body
        )
        jumps = len(_JUMP.findall(machine_code(self.assembler)))
        if jumps > branches:
            found.append(f"{jumps} conditional jumps for {branches} branches")
        code = machine_code(self.assembler).splitlines()
        return found + [line.strip() for line in code if UNDER_MASK.search(line)]


def functions(text):
    """Names and lines of a module's functions, without the ways in from Python."""
    for part in re.split(r"^define ", text, flags=re.MULTILINE)[1:]:
        head, _, rest = part.partition("{\n")
        name = head.partition("@")[2].partition("(")[0]
        if "cpython" not in name and "cfunc" not in name:
            yield name, rest.partition("\n}")[0].splitlines()


def machine_code(text):
    """The assembler's lines of the same functions."""
    kept, wanted = [], False
    for line in text.splitlines():
        label = re.match(r"^([\w$.]+):", line)
        if label and not label[1].startswith(".L"):
            wanted = "cpython" not in label[1] and "cfunc" not in label[1]
        if wanted:
            kept.append(line)
    return "\n".join(kept)


def dependent(body):
    """Lines of a function that a secret decides."""
    lines = [match for line in body if (match := _LINE.match(line))]
    constants, secret = set(), set()
    while True:
        before = len(constants) + len(secret)
        for line in lines:
            if line["name"] and is_constant(line["rest"], constants):
                constants.add(line["name"])
            elif line["name"] and is_secret(line["rest"], constants, secret):
                secret.add(line["name"])
        if len(constants) + len(secret) == before:
            return [line[0] for line in lines if is_breach(line["rest"], secret)]


def is_constant(rest, constants):
    """Whether a line makes an address among the kernel's own constants."""
    return rest.startswith("getelementptr") and bool(
        "@" in rest or touches(rest.partition("ptr ")[2].partition(",")[0], constants)
    )


def is_secret(rest, constants, secret):
    """Whether what a line computes is."""
    if rest.startswith("load "):
        return "@" not in rest and not touches(rest, constants)
    return touches(rest, secret)


def touches(rest, values):
    return any(value in values for value in _VALUE.findall(rest))


def is_breach(rest, secret):
    """Whether a secret decides where the line goes, what it reads, or how long it takes."""
    what = rest.partition(" ")[0]
    if what in {"br", "switch", "indirectbr", "load", "getelementptr", *_DIVISIONS}:
        return touches(rest, secret)
    if what == "store":
        return touches(rest.rpartition("ptr ")[2], secret)
    if what in {"call", "invoke"}:
        return "@llvm." not in rest and touches(rest, secret)
    return False
