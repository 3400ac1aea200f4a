"""Aggregates and reference lists: made from an agency's file, signed, sealed, fetched, verified.

Start at :mod:`.client`.
"""
