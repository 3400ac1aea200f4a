"""Direct mode: answers by an oblivious PRF, with no third party. Spec: ``60-direct-mode.md``.

Import the modules, not this package: a provider's server may use ``oprf``, ``commitment``,
``manifest`` and ``table`` (what it serves), and must not reach those that read or seal records
(``derive``, ``inputs``, ``labels``, ``lookup``).
"""
