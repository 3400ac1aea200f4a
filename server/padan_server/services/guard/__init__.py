"""What stands before every call: who it is, what it may take, and what is said to it.

Start at :mod:`.interceptor`; :mod:`.receipts` waits for messages, :mod:`.call` has calls admitted,
:mod:`.status` turns refusals into a ``google.rpc.Status``.
"""
