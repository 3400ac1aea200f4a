"""Nothing of the oblivious PRF is computed before its kernels gave the known answer."""

import dataclasses
import importlib
import inspect
import pkgutil

import pytest

from padan_linkage import direct
from padan_linkage.direct import blinding, oprf
from padan_linkage.direct.suite import scalars, selftest


def users():
    """The modules of direct mode that have kernels compute."""
    for found in pkgutil.iter_modules(direct.__path__, "padan_linkage.direct."):
        if not found.ispkg:
            module = importlib.import_module(found.name)
            source = inspect.getsource(module)
            if "padan_linkage.direct.suite" in source or "padan_linkage.direct.lanes" in source:
                yield module


def public(module):
    """What a caller may call there: name, function and, of a method, its class."""
    for name, given in vars(module).items():
        if name.startswith("_") or getattr(given, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(given):
            yield name, given, None
        elif inspect.isclass(given) and not issubclass(given, Exception):
            for method, function in vars(given).items():
                made_here = method == "__init__" and not dataclasses.is_dataclass(given)
                if inspect.isfunction(function) and (made_here or not method.startswith("_")):
                    yield f"{name}.{method}", function, given


CALLABLE = {
    f"{m.__name__.rpartition('.')[2]}.{name}": rest for m in users() for name, *rest in public(m)
}


def test_the_doors_are_found():
    known = {"oprf.EvaluationKey.__init__", "oprf.EvaluationKey.evaluate", "blinding.verify_proof"}
    assert known | {"blinding.Blinded.finalise", "blinding.blinded_before"} <= set(CALLABLE)


@pytest.fixture(scope="module")
def arguments():
    """Good ones for every parameter, by its name; and something of each class."""
    selftest.check_kernels()
    seed, inputs = bytes(range(32)), [b"a", b"b"]
    key = oprf.derive_key(seed, b"i")
    made = blinding.blind(inputs, bytes(range(128)))
    evaluated, proof = key.evaluate_blinded(made.elements, seed)
    return {
        "seed": seed,
        "info": b"i",
        "agreement_digest": bytes(32),
        "flow_id": "f",
        "epoch": 1,
        "key_id": "k",
        "key_ids": ["k", "l"],
        "secret": scalars.packed([3]),
        "public": key._public,
        "inputs": inputs,
        "elements": made.elements,
        "randomness": lambda name: bytes(32) if "evaluate" in name else bytes(128),
        "blinds": made.blinds,
        "blinded": made.elements,
        "evaluated": evaluated,
        "proof": proof,
        "public_key": key.public_key,
        oprf.EvaluationKey: key,
        blinding.Blinded: made,
    }


def called(name, arguments):
    function, owner = CALLABLE[name]
    given = {}
    for parameter in inspect.signature(function).parameters:
        value = arguments[owner if parameter == "self" else parameter]
        given[parameter] = value(name) if callable(value) else value
    if function.__name__ == "__init__":
        del given["self"]
        return owner(**given)
    return function(**given)


@pytest.mark.parametrize("name", CALLABLE)
def test_every_public_function_asks_for_the_known_answer_first(name, arguments, monkeypatch):
    called(name, arguments)
    monkeypatch.setattr(selftest, "_known_answer", lambda: ("", "", "", True))
    selftest.check_kernels.cache_clear()
    with pytest.raises(selftest.WrongKernelError, match="__pycache__"):
        called(name, arguments)
    monkeypatch.undo()
    selftest.check_kernels()
