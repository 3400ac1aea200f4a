"""Numba as this project uses it: how kernels are compiled and cached, and vectors inside them.

Start at :mod:`.jit`; :mod:`.lanes` has popcount and eight records side by side, :mod:`.sha2` what
two hashes share, :mod:`.sha256` one of them with its HMAC, for encoding and for labels,
:mod:`.frames` hashes to count by. Imports nothing of ours.
"""
