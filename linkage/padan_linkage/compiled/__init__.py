"""Numba as this project uses it: how kernels are compiled and cached, and vectors inside them.

Start at :mod:`.jit`; :mod:`.lanes` has popcount and eight records side by side, :mod:`.sha2` what
two hashes share. Imports nothing of ours.
"""
