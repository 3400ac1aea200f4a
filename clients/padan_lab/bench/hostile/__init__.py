"""Callers that mean a server ill, each a function that goes on until it is told to stop.

Start at :data:`.peers.PEERS`. :mod:`.ground` says where they call and with what; :mod:`.callers`
speak gRPC, :mod:`.sockets` raw HTTP/2 (:mod:`.frames`). May import ``padan`` and nothing of ours.
"""
