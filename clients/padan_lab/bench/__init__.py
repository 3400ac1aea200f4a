"""``padan bench``: Padan measured beside its peers. Each bench is a module with a ``command``.

Start at :mod:`.kernel`. Peers come with the extra ``padan[bench]``; :mod:`.report` has what all
share, :mod:`.rates` what is timed. May import ``demo`` and ``generate``, and all of the client.
"""
