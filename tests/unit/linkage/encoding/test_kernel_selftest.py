"""Kernels left over from another version are caught before they encode anything."""

import pytest

from padan_linkage.encoding import PassEncoder, kernel, selftest


def test_kernels_that_give_the_known_answer_are_not_refused():
    selftest.check_kernels.cache_clear()
    selftest.check_kernels()


def test_a_stale_kernel_stops_everything(monkeypatch, schema, key):
    present = kernel.encode_segment

    def stale(segment, text, source, out, span):
        diffusion, cuts, label, weight, index, word = segment
        older = (diffusion, cuts, label + 1, weight, index, word)
        present(older, text, source, out, span)

    monkeypatch.setattr(kernel, "encode_segment", stale)
    selftest.check_kernels.cache_clear()
    with pytest.raises(selftest.StaleKernelError, match="__pycache__"):
        PassEncoder(schema, schema.passes[1], key)
    monkeypatch.undo()
    selftest.check_kernels()
