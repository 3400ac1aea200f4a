"""What comes of a record: outcomes and their words, sealed payloads, answers, estimates.

Start at :mod:`.answers`: of a pass to rows, opened, and in the end one a record. The same types
from the matcher to the officer's file; protobuf, SQL and columns are made of them in one place
each. Imports nothing of ours.
"""
