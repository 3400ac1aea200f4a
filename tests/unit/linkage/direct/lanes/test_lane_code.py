"""What the compiled kernels could let out by time: read off the code itself, in both forms.

All values are secret here: of every kernel and every function in it, ``constant_time`` follows what
is read from arrays through LLVM's last text; no branch, address or division may hang on it. What
the assembler then makes of the functions that compute is read too: it may not add a jump, nothing
may leave the vector registers but by a store, and no operand in memory may be read or written under
a mask: a page, a line or a debug register would tell which of its lanes. The code of x86 processors
that are not here is read as well, without running it.
"""

import json
import os
import platform
import re
import subprocess
import sys

import numpy as np
import pytest
from constant_time import UNDER_MASK, dependent, functions
from numba import njit, typeof

from padan_linkage.direct.lanes import group, kernels
from padan_linkage.direct.lanes.choice import best_form
from padan_linkage.direct.lanes.curve import DIGITS
from padan_linkage.direct.lanes.forms import LANES, NARROW, WIDE

#: From a vector or mask register to a general one or to the flags; several addresses in one.
LEAVES = re.compile(
    r"\s(?:vpextr\w*|vextractps|v?p?movmsk\w*|v?ptest\w?\s+%[xyz]mm\d+, %[xyz]mm\d+\s*$"
    r"|kortest\w*|ktest\w*"
    r"|vu?comis\w*|v?p?(?:gather|scatter)\w*|(?:vmov[dq]|kmov\w)\s+%(?:[xyz]mm|k)\d+, %[re]\w+)"
)
#: A vector register in a place on the stack; the stack begun at a cache line.
SPILLED = re.compile(r"\svmov\w+\s+%[yz]mm\d+, -?\d*\(%r[sb]p\)")
ALIGNED = re.compile(r"\sandq\s+\$-64, %rsp")
JUMP = re.compile(r"^\s+j(?!mp)[a-z]+\s")


def arguments(form):
    """Two groups for every kernel that is given scalars or inputs; what others take is public."""
    slots = group._scratch(form)
    room = lambda rows: group._slots(form, rows)  # noqa: E731
    words, digits = np.zeros((8, LANES), slots.dtype), np.zeros((2 * DIGITS, LANES), np.int8)
    return {
        kernels.encode_doubles_of_groups: (room(8), words, room(2), slots),
        kernels.map_groups: (np.zeros((16, LANES), slots.dtype), room(8), slots),
        kernels.multiply_groups: (room(8), digits, DIGITS, slots),
    }


def compiled(kernel, given):
    """LLVM's text and the assembler's; a cached kernel has none, so it is made anew."""
    made = njit(nogil=True, _nrt=False, error_model="numpy")(kernel.py_func)
    made.compile(tuple(map(typeof, given)))
    (signature,) = made.signatures
    return made.inspect_llvm(signature), made.inspect_asm(signature)


def assembled(text):
    """The assembler's lines of each function."""
    found, name = {}, None
    for line in text.splitlines():
        label = re.match(r'^"?([\w$.]+)"?:', line)
        if label and not label[1].startswith(".L"):
            name = label[1]
        elif name and line.startswith("\t") and not line.startswith("\t."):
            found.setdefault(name, []).append(line)
    return found


def breaches(form):
    """What depends on a value in the kernels of a form, as sentences; the functions read."""
    found, computing = [], set()
    for kernel, given in arguments(form).items():
        llvm, assembler = compiled(kernel, given)
        machine = assembled(assembler)
        for name, body in functions(llvm):
            found += [f"{name}: {line.strip()}" for line in dependent(body)]
            if not name.startswith("padan_"):
                continue
            computing.add(name)
            lines = machine[name]
            seen = [line for line in lines if LEAVES.search(line) or UNDER_MASK.search(line)]
            found += [f"{name}: {line.strip()}" for line in seen]
            branches = sum(line.lstrip().startswith("br i1") for line in body)
            jumps = sum(bool(JUMP.match(line)) for line in lines)
            if SPILLED.search("\n".join(lines)) and not any(ALIGNED.search(each) for each in lines):
                found.append(f"{name}: vectors spilled across cache lines")
            if not jumps <= branches <= 1:
                found.append(f"{name}: {jumps} conditional jumps for {branches} branches")
    return found, sorted(computing)


KNOWN = ("mul", "choose", "double", "plus_picked", "plus_picked_short", "pack")
#: As Numba is told of it: what only compiles for AVX-512 IFMA, and what has AVX2 and nothing newer.
PROCESSORS = {
    "wide": {
        "NUMBA_CPU_NAME": "icelake-server",
        "NUMBA_CPU_FEATURES": "+avx2,+fma,+bmi2,+avx512f,+avx512vl,+avx512bw,+avx512dq,+avx512ifma",
    },
    "narrow": {"NUMBA_CPU_NAME": "x86-64-v3", "NUMBA_CPU_FEATURES": "+avx2,+fma,+bmi2"},
}
FORMS_HERE = [
    best_form(),
    *[pytest.param(f, marks=pytest.mark.slow) for f in (NARROW,) if f is not best_form()],
]


@pytest.mark.parametrize("form", FORMS_HERE, ids=lambda form: form.name)
def test_no_value_decides_a_branch_or_an_address(form):
    found, computing = breaches(form)
    assert found == []
    assert {f"padan_{form.name}_{name}" for name in KNOWN} <= set(computing)


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="needs LLVM's x86")
@pytest.mark.parametrize("form", [WIDE, NARROW], ids=lambda form: form.name)
def test_nor_on_an_x86_that_is_not_here(form, tmp_path):
    environment = os.environ | PROCESSORS[form.name] | {"NUMBA_CACHE_DIR": str(tmp_path)}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, __file__], check=True, capture_output=True, text=True, env=environment
    )
    found, computing = json.loads(done.stdout)
    assert found == []
    assert {f"padan_{form.name}_{name}" for name in KNOWN} <= set(computing)


def test_what_would_be_seen_is_seen():
    """A kernel that looks up by a digit and branches on one."""

    def leaky(digits, table, out):
        for i in range(len(digits)):
            out[i] = table[digits[i]]
            if digits[i] > 4:
                out[i] += 1

    numbers = np.zeros(8, np.int64)
    made = njit(nogil=True, _nrt=False)(leaky)
    made(numbers, numbers, numbers)
    (text,) = made.inspect_llvm().values()
    found = [line for _, body in functions(text) for line in dependent(body)]
    assert any("getelementptr" in line or "load" in line for line in found)
    gather = "\tvpgatherqq\t(%rax,%zmm1), %zmm2 {%k1}"
    for line in ("\tvmovq\t%xmm1, %rax", "\tkmovw\t%k1, %eax", "\tvptest\t%xmm0, %xmm0", gather):
        assert LEAVES.search(line), line
    for line in (
        "\tvmovdqu64\t(%rdi), %zmm1 {%k1}",
        "\tvmovdqu64\t%zmm1, 64(%rdi) {%k1}",
        "\tvpblendmq\t(%rdi), %zmm1, %zmm2 {%k2}",
        "\tvpandq\t-8(%rsp,%rcx), %zmm1, %zmm2 {%k3} {z}",
        "\tvpmaskmovq\t(%rdi), %ymm1, %ymm2",
    ):
        assert UNDER_MASK.search(line), line
    for line in ("\tvpaddq\t%zmm1, %zmm2, %zmm3 {%k1}", "\tvmovdqu64\t(%rdi), %zmm1"):
        assert not UNDER_MASK.search(line), line
    for line in ("\tvmovq\t%rax, %xmm1", "\tkmovw\t%k1, -4(%rsp)", "\tvmovdqu64\t%zmm1, (%rdi)"):
        assert not LEAVES.search(line), line


if __name__ == "__main__":
    sys.stdout.write(json.dumps(breaches(best_form())))
