"""Direct mode: the provider builds a table of sealed labels, the requester opens its own.

Spec ``proto/spec/60-direct-mode.md``. The provider's side: :mod:`seeds <.seeds>`, :mod:`building
<.building>`, :mod:`publishing <.publishing>`. The requester's: :mod:`tables <.tables>`,
:mod:`evaluating <.evaluating>`, :mod:`confirming <.confirming>`, :mod:`asking <.asking>`.
"""
