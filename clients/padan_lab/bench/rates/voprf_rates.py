"""What ``padan bench voprf`` times on one core: the calls of a run beside those of its peers.

Padan is timed by what a run calls, :class:`padan_linkage.direct.oprf.EvaluationKey` and
:mod:`padan_linkage.direct.blinding`, in the batches of a run; the ``voprf`` library by its own
calls for a batch, libsodium by a bare loop over what has neither hashes nor proofs. All tasks of a
round follow one another. Everybody's results are compared first.

Run as a script, it prints the same of another backend: Numba is told by its environment to compile
for a processor without AVX-512, which is what such a processor would run.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from voprf import ristretto

from padan_client.base.errors import PadanError
from padan_client.base.language import t
from padan_lab.bench.peers.sodium import Sodium
from padan_lab.bench.report import alternately, rounded
from padan_linkage.direct import blinding, oprf
from padan_linkage.direct.commitment import CHUNK_ELEMENTS
from padan_linkage.direct.lanes.choice import best_form
from padan_linkage.direct.suite.hashing import derive_secret, finalize, hash_to_uniform
from padan_linkage.direct.suite.sha512 import HashInputs

#: What a run does: a table's outputs; blinds of a list; the provider's answer; its outputs.
STEPS = ("build", "blind", "evaluate", "finalise")
OURS, LIBRARY, SODIUM = "padan", "voprf", "libsodium"

INPUT_BYTES = 60  # as long as a name and a date
_SEED, _INFO = bytes(range(32)), b"bench"
#: A processor with AVX2 and nothing newer, as Numba is told of it.
_WITHOUT_AVX512 = {"NUMBA_CPU_NAME": "x86-64-v3", "NUMBA_CPU_FEATURES": ""}
_BACKENDS = {
    "wide": "wide: 51-bit limbs, AVX-512 IFMA",
    "narrow": "narrow: 26-bit limbs, 32-bit products",
}


class OtherOutputError(PadanError):
    """A peer computes something else: the measurement would compare different work."""


@dataclass(frozen=True)
class OneCore:
    """Best processor time of each step and implementation, in seconds for ``elements`` of them."""

    backend: str
    elements: int
    seconds: dict[str, dict[str, float]]

    @classmethod
    def measure(cls, elements: int, rounds: int) -> Self:
        """Of this process's backend, on the core that it is held to."""
        work = StepWork(elements)
        work.agree()
        names = {f"{step} {who}": (step, who) for step in STEPS for who in work.tasks[step]}
        timings = alternately(
            {name: work.tasks[step][who] for name, (step, who) in names.items()}, rounds, warm=False
        )
        seconds: dict[str, dict[str, float]] = {step: {} for step in STEPS}
        for name, (step, who) in names.items():
            seconds[step][who] = timings[name].best_cpu
        return cls(backend_in_use(), elements, seconds)

    def per_second(self) -> dict[str, dict[str, int]]:
        """Elements a second, by step and implementation."""
        return {
            step: {who: round(self.elements / spent) for who, spent in each.items()}
            for step, each in self.seconds.items()
        }

    def described(self) -> str:
        """The backend in words."""
        return _BACKENDS.get(self.backend, self.backend)

    def ratio(self, step: str, peer: str) -> float:
        """How many times as fast as the peer Padan is."""
        return rounded(self.seconds[step][peer] / self.seconds[step][OURS])


class StepWork:
    """The same inputs for everybody, and the tasks by step and implementation."""

    def __init__(self, elements: int) -> None:
        self.inputs = [os.urandom(INPUT_BYTES) for _ in range(elements)]
        starts = range(0, elements, CHUNK_ELEMENTS)
        self._chunks = [self.inputs[at : at + CHUNK_ELEMENTS] for at in starts]
        self._randomness = [os.urandom(blinding.BLIND_SEED_BYTES * len(c)) for c in self._chunks]
        self._key = oprf.derive_key(_SEED, _INFO)
        self._bare = ristretto.Evaluator.from_seed(_SEED, _INFO)
        self.sodium = Sodium.found()

    @cached_property
    def tasks(self) -> dict[str, dict[str, Callable[[], object]]]:
        """Each does the whole step."""
        tasks: dict[str, dict[str, Callable[[], object]]] = {
            "build": {OURS: self._build, LIBRARY: self._library_build},
            "blind": {OURS: self._blind, LIBRARY: self._library_blind},
            "evaluate": {OURS: self._evaluate, LIBRARY: self._library_evaluate},
            "finalise": {OURS: self._finalise, LIBRARY: self._library_finalise},
        }
        if sodium := self.sodium:
            secret = derive_secret(_SEED, _INFO).tobytes()
            uniform = [row.tobytes() for row in hash_to_uniform(HashInputs.of(self.inputs))]
            points = [
                batch.elements[at : at + oprf.ELEMENT_BYTES]
                for batch in self._blinded
                for at in range(0, len(batch.elements), oprf.ELEMENT_BYTES)
            ]
            tasks["build"][SODIUM] = lambda: sodium.map_multiply(uniform, secret)
            tasks["evaluate"][SODIUM] = lambda: sodium.multiply(points, secret)
        return tasks

    def agree(self) -> None:
        """Run every task once; OtherOutputError where results differ."""
        tasks = self.tasks
        outputs = [row.tobytes() for row in self._build()]
        evaluated = b"".join([answer for answer, _ in self._evaluate()])
        same = (
            self._library_build() == outputs,
            [row.tobytes() for made in self._finalise() for row in made] == outputs,
            [row for made in self._library_finalise() for row in made] == outputs,
            SODIUM not in tasks["evaluate"] or _joined(tasks["evaluate"][SODIUM]()) == evaluated,
            SODIUM not in tasks["build"] or self._finished(tasks["build"][SODIUM]()) == outputs,
        )
        for task in tasks["blind"].values():
            task()
        if not all(same):
            raise OtherOutputError(t("hasilnya berbeda", "results differ"))

    def _finished(self, elements: object) -> list[bytes]:
        """Outputs of evaluated elements."""
        raw = np.frombuffer(_joined(elements), np.uint8).reshape(-1, oprf.ELEMENT_BYTES)
        return [row.tobytes() for row in finalize(HashInputs.of(self.inputs), raw)]

    def _build(self) -> NDArray[np.uint8]:
        return self._key.evaluate(self.inputs)

    def _library_build(self) -> list[bytes]:
        return [self._bare.evaluate_known_input(each) for each in self.inputs]

    def _blind(self) -> list[blinding.Blinded]:
        pairs = zip(self._chunks, self._randomness, strict=True)
        return [blinding.blind(inputs, randomness) for inputs, randomness in pairs]

    def _library_blind(self) -> list[list[tuple[ristretto.Client, ristretto.BlindedInput]]]:
        return [[ristretto.Client.blind(each) for each in chunk] for chunk in self._chunks]

    @cached_property
    def _blinded(self) -> list[blinding.Blinded]:
        return self._blind()

    @cached_property
    def _library_blinded(self) -> list[list[tuple[ristretto.Client, ristretto.BlindedInput]]]:
        return self._library_blind()

    def _evaluate(self) -> list[tuple[bytes, bytes]]:
        seed = bytes(oprf.PROOF_SEED_BYTES)
        return [self._key.evaluate_blinded(batch.elements, seed) for batch in self._blinded]

    def _library_evaluate(self) -> list[ristretto.VerifiableBatchOutput]:
        return [
            self._bare.evaluate_batch([element for _, element in pairs])
            for pairs in self._library_blinded
        ]

    @cached_property
    def _answers(self) -> list[tuple[bytes, bytes]]:
        return self._evaluate()

    @cached_property
    def _library_answers(self) -> list[ristretto.VerifiableBatchOutput]:
        return self._library_evaluate()

    def _finalise(self) -> list[NDArray[np.uint8]]:
        return [
            batch.finalise(*answer, self._key.public_key)
            for batch, answer in zip(self._blinded, self._answers, strict=True)
        ]

    def _library_finalise(self) -> list[list[bytes]]:
        return [
            ristretto.Client.finalize_batch([c for c, _ in pairs], answer, self._bare.public_key)
            for pairs, answer in zip(self._library_blinded, self._library_answers, strict=True)
        ]


def _joined(elements: object) -> bytes:
    assert isinstance(elements, list)
    return b"".join(elements)


def backend_in_use() -> str:
    """The form of numbers that this process computes with."""
    return best_form().name


def other_backend(elements: int, rounds: int) -> OneCore | None:
    """The same of the backend for processors without AVX-512; None where that is the one in use."""
    if backend_in_use() == "narrow" or platform.machine() not in {"x86_64", "AMD64"}:
        return None
    command = [sys.executable, "-m", __name__, str(elements), str(rounds)]
    environment = os.environ | _WITHOUT_AVX512
    done = subprocess.run(  # noqa: S603 - this very Python and module
        command, check=True, capture_output=True, text=True, env=environment
    )
    return OneCore(**json.loads(done.stdout))


if __name__ == "__main__":
    measured = OneCore.measure(int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(json.dumps(vars(measured)))
