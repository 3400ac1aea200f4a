"""ristretto255 (RFC 9496) on eight elements at a time, in vector registers.

Start at :mod:`.group`, which is what the rest of direct mode calls. Below it: :mod:`.kernels`, the
loops; :mod:`.ristretto` and :mod:`.curve`, the group and its curve; :mod:`.operations`, arithmetic
on numbers in slots; :mod:`.forms`, how a number is cut into limbs and multiplied; :mod:`.choice`,
which of the two forms this processor gets.
"""
