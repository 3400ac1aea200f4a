"""Advice on direct mode: which keys suit two files, rehearsed before anybody signs them.

Start at :func:`.suggest.suggest_keys`. :mod:`.subjects` says which fields there are,
:mod:`.templates` which keys could be made of them, :mod:`.rehearsal` what they find and whom they
answer who is not registered, :mod:`.choosing` which are worth their values, :mod:`.judging` what is
said of each. May import what ``advice`` may; of ``direct`` it needs schema, bound and labelling.
"""
