"""The client's protocol without input or output.

Every step of publishing and confirming is a generator that yields :mod:`effects <.effects>` and
receives their results. The synchronous and the asyncio client run the same generators; tests run
them against a unit that misbehaves.
"""
