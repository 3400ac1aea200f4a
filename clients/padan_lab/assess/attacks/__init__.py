"""The attacks, a module each, on what :mod:`padan_lab.assess.material` shows an attacker.

Start at :mod:`.attacker`: what an attacker is given and has to answer (:mod:`.claims`).
"""
