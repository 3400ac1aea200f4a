"""Direct mode: answers by an oblivious PRF, with no third party. Spec: ``60-direct-mode.md``.

Start at :mod:`.inputs` (what a record is under each key), then :mod:`.oprf` and :mod:`.blinding`
(the two halves of the PRF; :mod:`.suite` and :mod:`.lanes` compute them), and :mod:`.labelling`.
Import the modules, not this package: a provider's server may use :mod:`.oprf` with
what that is made of, :mod:`.commitment`, :mod:`.manifest`, :mod:`.schema` and :mod:`.table` (what
it serves), and must not reach what blinds, reads or seals (:mod:`.blinding`, :mod:`.derived`,
:mod:`.inputs`, :mod:`.labelling`). May import ``crypto``, ``normalise``, ``schema``, ``answering``
and ``compiled``.
"""
