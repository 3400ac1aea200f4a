"""What a record has under the parts of a key: derived values, several for one value, in an order.

Start at :func:`.values.part_values`; :mod:`.several` holds such columns and combines them. May
import ``direct.schema``, ``normalise``, ``schema`` and ``compiled``. A server never does: it is for
those who hold records.
"""
