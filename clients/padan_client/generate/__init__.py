"""Generated people and companies, for the demonstration and for tests. Nobody here is real.

Start at :func:`generate_demo`.
"""

from __future__ import annotations

from padan_client.generate.demo import ID_COLUMN, Demo, FlowShape, generate_demo

__all__ = ["ID_COLUMN", "Demo", "FlowShape", "generate_demo"]
