"""Which decoys each published registry holds, so that a delta can touch them again.

One private file a dataset; it names decoys by number and nobody's record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from padan_client.errors import BadInputError
from padan_client.files import read_private, write_private
from padan_client.language import t
from padan_linkage.encoding import Decoys


class DecoyBook:
    """The decoys of every registry that this home published."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, dataset: str, decoys: Mapping[str, Decoys]) -> None:
        """Remember the decoys of each pass of ``dataset`` (a resource name)."""
        document = {
            pass_id: {"count": d.count, "removed": d.removed.tolist()}
            for pass_id, d in decoys.items()
        }
        content = {"dataset": dataset, "passes": document}
        write_private(self._path(dataset), json.dumps(content).encode())

    def load(self, dataset: str) -> dict[str, Decoys]:
        """The decoys of each pass. Raises BadInputError if ``dataset`` was not published here."""
        path = self._path(dataset)
        if not path.exists():
            raise BadInputError(
                t(
                    "Registri dasar itu tidak diterbitkan dari folder ini, jadi pembaruannya tidak "
                    "dapat dibuat. Terbitkan registri lengkap.",
                    "That base registry was not published from this home folder, so no delta can "
                    "be made of it. Publish the whole registry.",
                )
            )
        passes = json.loads(read_private(path))["passes"]
        return {
            pass_id: Decoys(entry["count"], np.array(entry["removed"], np.int64))
            for pass_id, entry in passes.items()
        }

    def forget(self, dataset: str) -> None:
        """Drop what is known of a deleted registry."""
        self._path(dataset).unlink(missing_ok=True)

    def _path(self, dataset: str) -> Path:
        agreement, flow, identifier = dataset.split("/")[1::2]
        return self._folder / agreement / flow / f"{identifier}.json"
