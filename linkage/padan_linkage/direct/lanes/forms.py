"""Two forms of numbers modulo p = 2²⁵⁵ − 19 in vector registers, written for LLVM.

A form says into which limbs a number is cut and how limbs are multiplied; what follows from that is
in :mod:`.operations`. Bounds: a number at rest is *carried*, each limb under its width's power of
two and a little more; products take carried numbers, and what :meth:`Form.negated` gives.

:data:`WIDE`: five limbs of 51 bits for AVX-512 IFMA, which multiplies 52 bits by 52 and adds the
lower or the upper 52 bits of the product. :data:`NARROW`: ten limbs of 26 and 25 bits, products of
32 by 32 bits, in four lanes at a time (``vpmuludq``, ``umull``); it names no processor.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, TypeAlias

from llvmlite import ir
from numba.core import cgutils

P = 2**255 - 19
#: Numbers side by side.
LANES = 8

WORD = ir.IntType(64)
#: One vector of eight lanes, or of so many as a register holds.
Vector: TypeAlias = Any
#: The limbs; of one in memory, each use of a limb reads it.
Number: TypeAlias = "Sequence[Vector]"


class Form(ABC):
    """How a number lies in limbs, and the operations that depend on it.

    ``name`` is part of compiled names; ``widths``: bits of each limb; ``width``: lanes in one
    register.
    """

    #: A carried number's limbs are under 2^width + 2^slack.
    slack: int

    def __init__(self, name: str, widths: Sequence[int], width: int) -> None:
        self.name = name
        self.widths = tuple(widths)
        self.width = width
        self.vector = ir.VectorType(WORD, width)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Place of each limb's lowest bit."""
        return tuple(accumulate(self.widths, initial=0))[:-1]

    def limbs_of(self, value: int) -> list[int]:
        """A number below 2²⁵⁵, cut into limbs."""
        return [
            value >> offset & (1 << width) - 1
            for offset, width in zip(self.offsets, self.widths, strict=True)
        ]

    def _multiple_of_p(self, factor: int) -> Number:
        """``factor`` p, each limb of p multiplied."""
        return [self.spread(factor * limb) for limb in self.limbs_of(P)]

    def spread(self, value: int) -> Vector:
        """A constant in every lane."""
        return self.vector([value] * self.width)

    def zero(self) -> Number:
        """The number 0."""
        return [self.spread(0)] * len(self.widths)

    @abstractmethod
    def product(self, b: Any, x: Number, y: Number) -> Number:
        """``x y``, not carried."""

    @abstractmethod
    def square(self, b: Any, x: Number) -> Number:
        """``x²``, not carried."""

    @abstractmethod
    def times_19(self, b: Any, limb: Vector) -> Vector:
        """A carry of the last limb, for the first."""

    @abstractmethod
    def carried(self, b: Any, x: Number) -> Number:
        """The same number carried, whatever product, square or sum of few it is."""

    def passed_on(self, b: Any, x: Number) -> Number:
        """Each limb's excess added to its neighbour, all at once.

        From limbs under 2^(width + e) to limbs under 2^width + 2^e (the first: + 19 · 2^e).
        """
        kept, excess = [], []
        for limb, width in zip(x, self.widths, strict=True):
            kept.append(b.and_(limb, self.spread((1 << width) - 1)))
            excess.append(b.lshr(limb, self.spread(width)))
        lower = [self.times_19(b, excess[-1]), *excess[:-1]]
        return [b.add(limb, more) for limb, more in zip(kept, lower, strict=True)]

    def sum(self, b: Any, x: Number, y: Number) -> Number:
        """``x + y``, carried: the excess of a limb is 2 at most."""
        return self.passed_on(b, self.plus(b, x, y))

    def difference(self, b: Any, x: Number, y: Number) -> Number:
        """``x − y``, carried: 2p is added, so the excess of a limb is from 0 to 3."""
        return self.passed_on(b, self.plus(b, x, self.negated(b, y)))

    def negated(self, b: Any, x: Number) -> Number:
        """``2p − x`` of a carried number: not carried, but fit for one factor of a product."""
        return self.minus(b, self._multiple_of_p(2), x)

    def plus(self, b: Any, x: Number, y: Number) -> Number:
        """``x + y`` of whatever limbs, not carried."""
        return [b.add(i, j) for i, j in zip(x, y, strict=True)]

    def minus(self, b: Any, x: Number, y: Number) -> Number:
        """``x − y`` of whatever limbs, not carried: none of ``y`` may be the larger one."""
        return [b.sub(i, j) for i, j in zip(x, y, strict=True)]

    def canonical(self, b: Any, x: Number) -> Number:
        """The same number of a carried one, below p, every limb within its width."""
        x = self._settled(b, self._settled(b, x))
        # Now below 2²⁵⁵: the carry out of x + 19 says whether p is to be taken off.
        over = self.spread(19)
        for limb, width in zip(x, self.widths, strict=True):
            over = b.lshr(b.add(limb, over), self.spread(width))
        x = [b.add(x[0], b.mul(over, self.spread(19))), *x[1:]]
        return self._rippled(b, x)[0]

    def _settled(self, b: Any, x: Number) -> Number:
        """One carry through all limbs, and what comes out at the end added to the first."""
        kept, out = self._rippled(b, x)
        return [b.add(kept[0], b.mul(out, self.spread(19))), *kept[1:]]

    def _rippled(self, b: Any, x: Number) -> tuple[Number, Vector]:
        kept, carry = [], self.spread(0)
        for limb, width in zip(x, self.widths, strict=True):
            whole = b.add(limb, carry)
            kept.append(b.and_(whole, self.spread((1 << width) - 1)))
            carry = b.lshr(whole, self.spread(width))
        return kept, carry


class WideForm(Form):
    """Five limbs of 51 bits by AVX-512 IFMA.

    Carried: limbs under 2⁵¹ + 2¹¹, after sums of products 2⁵¹ + 2¹⁵. A factor's limbs have to be
    under 2⁵², for the instruction takes no more of them; a carried number's are, and those of
    2p − x. A product's are under 267 · 2⁵² < 2⁶¹, which 2¹⁰ p exceeds limb by limb.
    """

    slack = 11
    #: So many times p, limb by limb, is more than any product's limb.
    _above_products = 1 << 10

    def __init__(self) -> None:
        super().__init__("wide", [51] * 5, LANES)

    def product(self, b: Any, x: Number, y: Number) -> Number:
        """Limbs under 267 · 2⁵²."""
        columns = []
        for k in range(10):
            column = self._multiplied(b, "h", None, pairs(x, y, k - 1))
            column = _twice(b, column) if column is not None else None
            columns.append(self._multiplied(b, "l", column, pairs(x, y, k)))
        return self._folded(b, columns)

    def square(self, b: Any, x: Number) -> Number:
        """Limbs as of a product: each column is 2 (2 h + h' + l) + l', ' of a limb by itself."""
        columns = []
        for k in range(10):
            column = self._multiplied(b, "h", None, _unequal(x, k - 1))
            column = _twice(b, column) if column is not None else None
            column = self._multiplied(b, "h", column, _equal(x, k - 1))
            column = self._multiplied(b, "l", column, _unequal(x, k))
            column = _twice(b, column) if column is not None else None
            columns.append(self._multiplied(b, "l", column, _equal(x, k)))
        return self._folded(b, columns)

    def _multiplied(
        self, b: Any, half: str, total: Vector | None, factors: list[tuple[Vector, Vector]]
    ) -> Vector | None:
        """``total`` and the lower (l) or upper (h) 52 bits of each product of 52 bits by 52."""
        for x, y in factors:
            total = self.spread(0) if total is None else total
            function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
                b.module,
                ir.FunctionType(self.vector, [self.vector] * 3),
                f"llvm.x86.avx512.vpmadd52{half}.uq.512",
            )
            total = b.call(function, [total, x, y])
        return total

    def _folded(self, b: Any, columns: list[Vector]) -> Number:
        """Ten columns as five, 2²⁵⁵ being 19.

        An upper column holds 14 · 2⁵² at most (four lower halves, five upper ones that count
        twice), 19 times that and the lowest column 267 · 2⁵². The last of the five gets 51 · 2⁵².
        """
        return [
            b.add(low, self.times_19(b, high))
            for low, high in zip(columns[:5], columns[5:], strict=True)
        ]

    def times_19(self, b: Any, limb: Vector) -> Vector:
        """By the multipliers, which have a gap here; shifts and sums measured slower."""
        return b.mul(limb, self.spread(19))

    def carried(self, b: Any, x: Number) -> Number:
        """Limbs under 2⁵¹ + 534 from those of a product, the first under 2⁵¹ + 19 · 102.

        After sums of products, all under 2⁶³, the excess is under 2¹²; that of the last limb, where
        products are smaller, under 1,700.
        """
        return self.passed_on(b, x)

    def product_minus(self, b: Any, x: Number, y: Number) -> Number:
        """``x − y`` and a multiple of p, not carried, where ``y`` is a product or square."""
        return self.minus(b, self.plus(b, x, self._multiple_of_p(self._above_products)), y)


class NarrowForm(Form):
    """Ten limbs of 26 and 25 bits by turns, products of 32 bits by 32.

    Carried: limbs under c = 2²⁶ + 2¹⁸ and 2²⁵ + 2¹⁸. Of a product's factors the first may be four
    times as large, the second twice, a square's twice: then four times a limb, and 19 times one of
    the second, fit 32 bits. A column is under 5 · 19 · (2²⁸ 2²⁷ + 2 · 2²⁷ 2²⁶) (1 + 2⁻⁶) < 2⁶³, an
    odd one under 10 · 19 · 2⁵⁴ (1 + 2⁻⁶) < 2⁶². So sums and differences of two carried numbers go
    into products as they are; what may be which factor, :mod:`.sums` says.

    Of thirty numbers that a product takes its limbs from, sixteen registers hold few. So it goes
    row by row: ten columns and one limb stay, and the other factor is read from memory where it is
    multiplied, which costs the multiplier nothing. A sum of points is made by calls of such
    products: in one function it is as long as the processor's store of decoded instructions.
    """

    slack = 18

    def __init__(self) -> None:
        super().__init__("narrow", [26, 25] * 5, 4)

    def product(self, b: Any, x: Number, y: Number) -> Number:
        """Limbs under 2⁶³."""
        upper = _Room(b, [self._short_product(b, limb, self.spread(19)) for limb in y])
        columns = _ProductColumns(b)
        for i in range(10):
            upper.read_anew()
            factor = x[i]
            twice = _twice(b, factor) if i & 1 else factor
            for j in range(10):
                other = y[j] if i + j < 10 else upper[j]
                columns.add(i + j, self._short_product(b, twice if j & 1 else factor, other))
        return columns.sums

    def square(self, b: Any, x: Number) -> Number:
        """Limbs as of a product."""
        upper = _Room(b, [self._short_product(b, limb, self.spread(19)) for limb in x])
        columns = _ProductColumns(b)
        for i in range(10):
            upper.read_anew()
            factor = x[i]
            twice = _twice(b, factor)
            four_times = _twice(b, twice) if i & 1 else twice
            for j in range(i, 10):
                left = four_times if j & 1 else twice
                if i == j:
                    left = twice if i & 1 else factor
                other = x[j] if i + j < 10 else upper[j]
                columns.add(i + j, self._short_product(b, left, other))
        return columns.sums

    def _short_product(self, b: Any, x: Vector, y: Vector) -> Vector:
        """Of numbers under 2³²; the masks say so to LLVM, which leaves them out."""
        short = self.spread((1 << 32) - 1)
        return b.mul(b.and_(x, short), b.and_(y, short))

    def times_19(self, b: Any, limb: Vector) -> Vector:
        """By shifts and sums: most processors multiply 64 bits by 64 slowly."""
        sixteen, two = b.shl(limb, self.spread(4)), _twice(b, limb)
        return b.add(b.add(sixteen, two), limb)

    def carried(self, b: Any, x: Number) -> Number:
        """Two chains of carries side by side.

        Sums of products are under 2⁶³, an excess under 2³⁸, so that the first limb gets less than
        19 · 2³⁸ < 2⁴³ from the last and passes on less than 2¹⁷; the sixth gets less than 2¹³.
        """
        x = list(x)

        def carry(i: int) -> None:
            width = self.widths[i]
            excess = b.lshr(x[i], self.spread(width))
            x[i] = b.and_(x[i], self.spread((1 << width) - 1))
            excess = self.times_19(b, excess) if i == 9 else excess
            x[(i + 1) % 10] = b.add(x[(i + 1) % 10], excess)

        for i in (0, 4, 1, 5, 2, 6, 3, 7, 4, 8, 9, 0):
            carry(i)
        return x


def room(b: Any, kind: Any) -> Any:
    """Memory of the function that is written, as it lies: Numba's own way would clear it."""
    with b.goto_entry_block():
        return b.alloca(kind)


class _ProductColumns:
    """The ten columns of a product, added up."""

    def __init__(self, b: Any) -> None:
        self._b = b
        self.sums: list[Vector] = [None] * 10

    def add(self, column: int, term: Vector) -> None:
        """To a column; the tenth is the first again."""
        k = column % 10
        self.sums[k] = term if self.sums[k] is None else self._b.add(self.sums[k], term)


class _Room:
    """Vectors in memory, each read where it is used."""

    def __init__(self, b: Any, vectors: Sequence[Vector]) -> None:
        self._b = b
        self._whole = room(b, ir.ArrayType(vectors[0].type, len(vectors)))
        for k, vector in enumerate(vectors):
            b.store(vector, self._place(k))

    def __getitem__(self, k: int) -> Vector:
        return self._b.load(self._place(k))

    def read_anew(self) -> None:
        """From here on whatever is in memory is read anew: LLVM may not keep it in registers."""
        barrier = ir.FunctionType(ir.VoidType(), [self._whole.type])
        self._b.asm(barrier, "", "r,~{memory}", [self._whole], side_effect=True)

    def _place(self, k: int) -> Any:
        whole = ir.IntType(32)
        return self._b.gep(self._whole, [whole(0), whole(k)])


def _twice(b: Any, x: Vector) -> Vector:
    return b.add(x, x)


def pairs(x: Number, y: Number, k: int) -> list[tuple[Vector, Vector]]:
    """The limbs whose products count in column k."""
    return [(x[i], y[k - i]) for i in range(len(x)) if 0 <= k - i < len(y)]


def _unequal(x: Number, k: int) -> list[tuple[Vector, Vector]]:
    return [(x[i], x[k - i]) for i in range(len(x)) if i < k - i < len(x)]


def _equal(x: Number, k: int) -> list[tuple[Vector, Vector]]:
    return [(x[k // 2], x[k // 2])] if k % 2 == 0 <= k < 2 * len(x) else []


WIDE, NARROW = WideForm(), NarrowForm()
