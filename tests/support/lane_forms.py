"""Both forms of numbers, for tests that run in each.

Where the processor has no AVX-512 IFMA, the wide form computes with what that instruction is
defined as, in LLVM's own operations: slowly, with all else as it is.
"""

import pytest
from llvmlite import ir
from numba.core import cgutils

from padan_linkage.direct.lanes.choice import best_form
from padan_linkage.direct.lanes.forms import NARROW, WIDE, WORD, WideForm

_BITS = 52
_PRODUCT = ir.IntType(128)


def _by_definition(form, b, half, total, factors):
    """``total`` and 52 bits of each product, as vpmadd52luq and vpmadd52huq add them."""
    kind = ir.FunctionType(form.vector, [form.vector] * 3)
    function = cgutils.get_or_insert_function(b.module, kind, f"padan_wide_defined_{half}")
    if not function.blocks:
        _define(function, half)
    for x, y in factors:
        total = b.call(function, [form.spread(0) if total is None else total, x, y])
    return total


def _define(function, half):
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    b = ir.IRBuilder(function.append_basic_block())
    total, x, y = function.args
    low = WORD((1 << _BITS) - 1)
    for lane in range(WIDE.width):
        at = ir.IntType(32)(lane)
        first, second = (b.zext(b.and_(b.extract_element(v, at), low), _PRODUCT) for v in (x, y))
        product = b.mul(first, second)
        shifted = product if half == "l" else b.lshr(product, _PRODUCT(_BITS))
        part = b.and_(b.trunc(shifted, WORD), low)
        total = b.insert_element(total, b.add(b.extract_element(total, at), part), at)
    b.ret(total)


@pytest.fixture
def ifma_by_definition(monkeypatch):
    """What is compiled meanwhile in the wide form runs here, whatever the processor has."""
    if best_form() is not WIDE:
        monkeypatch.setattr(WideForm, "_multiplied", _by_definition)


FORMS = [pytest.param(NARROW, id="narrow"), pytest.param(WIDE, id="wide")]
