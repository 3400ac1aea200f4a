"""Generated people and companies, for trials, the demonstration and tests. Nobody here is real.

Start at :func:`write_files`, or at :func:`generate_demo` for tables in memory. Imports nothing of
the laboratory, and of Padan the schema alone: it knows none of the rules that its files are to try.
"""

from __future__ import annotations

from padan_lab.generate.files import FileRequest, Format, Written, write_files
from padan_lab.generate.plans import FilePlan, Making
from padan_lab.generate.profiles import PopulationProfile, profile
from padan_lab.generate.rates import Level
from padan_lab.generate.scenarios import (
    ID_COLUMN,
    Demo,
    FlowShape,
    faultless,
    flow_making,
    flow_plan,
    generate_demo,
)

__all__ = [
    "ID_COLUMN",
    "Demo",
    "FilePlan",
    "FileRequest",
    "FlowShape",
    "Format",
    "Level",
    "Making",
    "PopulationProfile",
    "Written",
    "faultless",
    "flow_making",
    "flow_plan",
    "generate_demo",
    "profile",
    "write_files",
]
