"""``padan bench``: Padan measured beside its peers. Each bench is a module with a ``command``.

Peers come with the extra ``padan[bench]``; :mod:`padan_lab.bench.report` has what all share.
"""
