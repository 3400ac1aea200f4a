"""What a lawyer, an engineer and an attacker would object to in an agreement, rule by rule.

A module for each subject; ``padan_linkage.agreement.lint`` asks them all. Spec 40, "Lint".
"""
