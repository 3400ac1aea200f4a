"""Calls over gRPC with mutual TLS, and what their failures mean to a user.

Start at :mod:`.channel`, which carries out the effects that ``protocol`` asks for;
:mod:`.carrying` makes steps the methods of a client; :mod:`.async_channel` does both for asyncio;
:mod:`.servers` makes sure who is called (:mod:`.handshake`, :mod:`.pinning`, :mod:`.proxies`), and
finds why a call did not get through (:mod:`.faults`); :mod:`.refusals` turns a refused call into an
error of ours. May import ``home`` and ``base``;
``protocol`` and ``transport`` do not know each other.
"""
