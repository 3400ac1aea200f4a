"""``padan bench``: Padan measured beside its peers. Each bench is a module with a ``command``.

Peers come with the extra ``padan[bench]``; :mod:`padan_client.bench.report` has what all share.
"""

# The command line registers the benches: with it first, either may be imported first.
import padan_client.cli  # noqa: F401
