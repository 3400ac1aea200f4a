"""What attacks are played on: encodings as the unit sees them, and a population to guess from.

Start at :mod:`.attacker_view`.
"""
