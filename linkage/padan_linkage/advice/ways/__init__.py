"""Ways of meeting, of which :mod:`padan_linkage.advice.passes` makes passes.

Start at :mod:`.families`, those with a filter; :mod:`.exact_families` has those that compare exact
keys alone. May import what ``advice`` may.
"""
