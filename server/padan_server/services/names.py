"""Resource names (AIP-122) to their ids and back."""

from __future__ import annotations

import re

from padan_server.base.errors import field_invalid
from padan_server.base.model import FlowKey

_ID = r"([a-z][a-z0-9_-]{0,62})"
_HEX = r"([0-9a-f]{32})"
_AGREEMENT = re.compile(f"agreements/{_ID}")
_FLOW = re.compile(f"agreements/{_ID}/flows/{_ID}")
_EPOCH = re.compile(f"agreements/{_ID}/flows/{_ID}/epochs/([1-9][0-9]{{0,17}})")
_DATASET = re.compile(f"agreements/{_ID}/flows/{_ID}/datasets/{_HEX}")
_TABLE = re.compile(f"agreements/{_ID}/flows/{_ID}/datasets/{_HEX}/tables/{_ID}")
_RUN = re.compile(f"agreements/{_ID}/flows/{_ID}/runs/{_HEX}")
_EDITION = re.compile(f"agreements/{_ID}/flows/{_ID}/editions/([0-9a-f]{{16}})")
_LABEL_TABLE = re.compile(f"agreements/{_ID}/flows/{_ID}/labelTables/{_HEX}")
_BLINDED_LIST = re.compile(f"agreements/{_ID}/flows/{_ID}/blindedLists/{_HEX}")
_LINE = re.compile(f"agreements/{_ID}/flows/{_ID}/lines/{_ID}")
_RELEASE = re.compile(f"agreements/{_ID}/flows/{_ID}/lines/{_ID}/releases/([1-9][0-9]{{0,8}})")
_OPERATION = re.compile(f"operations/{_HEX}")


def parse_agreement(field: str, name: str) -> str:
    """Agreement id of ``agreements/{agreement}``."""
    return _parse(_AGREEMENT, field, name, "agreements/{agreement}")[0]


def parse_flow(field: str, name: str) -> tuple[str, str]:
    """Agreement and flow id."""
    a, f = _parse(_FLOW, field, name, "agreements/{agreement}/flows/{flow}")
    return a, f


def parse_epoch(field: str, name: str) -> tuple[str, str, int]:
    """Agreement id, flow id, epoch."""
    a, f, e = _parse(_EPOCH, field, name, "agreements/{agreement}/flows/{flow}/epochs/{epoch}")
    return a, f, int(e)


def parse_dataset(field: str, name: str) -> tuple[str, str, str]:
    """Agreement id, flow id, dataset id."""
    a, f, d = _parse(
        _DATASET, field, name, "agreements/{agreement}/flows/{flow}/datasets/{dataset}"
    )
    return a, f, d


def parse_table(field: str, name: str) -> tuple[str, str, str, str]:
    """Agreement id, flow id, dataset id, pass id."""
    a, f, d, t = _parse(
        _TABLE, field, name, "agreements/{agreement}/flows/{flow}/datasets/{dataset}/tables/{pass}"
    )
    return a, f, d, t


def parse_edition(field: str, name: str) -> tuple[str, str, str]:
    """Agreement id, flow id, name of an edition."""
    a, f, e = _parse(
        _EDITION, field, name, "agreements/{agreement}/flows/{flow}/editions/{edition}"
    )
    return a, f, e


def parse_run(field: str, name: str) -> tuple[str, str, str]:
    """Agreement id, flow id, run id."""
    a, f, r = _parse(_RUN, field, name, "agreements/{agreement}/flows/{flow}/runs/{run}")
    return a, f, r


def parse_label_table(field: str, name: str) -> tuple[str, str, str]:
    """Agreement id, flow id, table id."""
    a, f, t = _parse(
        _LABEL_TABLE, field, name, "agreements/{agreement}/flows/{flow}/labelTables/{table}"
    )
    return a, f, t


def parse_blinded_list(field: str, name: str) -> tuple[str, str, str]:
    """Agreement id, flow id, list id."""
    a, f, i = _parse(
        _BLINDED_LIST, field, name, "agreements/{agreement}/flows/{flow}/blindedLists/{list}"
    )
    return a, f, i


def parse_line(field: str, name: str) -> tuple[str, str, str]:
    """Agreement id, flow id, line id."""
    a, f, i = _parse(_LINE, field, name, "agreements/{agreement}/flows/{flow}/lines/{line}")
    return a, f, i


def parse_release(field: str, name: str) -> tuple[str, str, str, int]:
    """Agreement id, flow id, line id, version."""
    shape = "agreements/{agreement}/flows/{flow}/lines/{line}/releases/{version}"
    a, f, i, version = _parse(_RELEASE, field, name, shape)
    return a, f, i, int(version)


def parse_operation(field: str, name: str) -> str:
    """Run id of an operation."""
    return _parse(_OPERATION, field, name, "operations/{run}")[0]


def flow_name(key: FlowKey) -> str:
    """Name of a flow."""
    return f"agreements/{key.agreement}/flows/{key.flow}"


def dataset_name(key: FlowKey, dataset_id: str) -> str:
    """Name of a dataset; empty for none."""
    return f"{flow_name(key)}/datasets/{dataset_id}" if dataset_id else ""


def edition_name(key: FlowKey, name: str) -> str:
    """Resource name of an edition; empty for none."""
    return f"{flow_name(key)}/editions/{name}" if name else ""


def run_name(key: FlowKey, run_id: str) -> str:
    """Name of a run."""
    return f"{flow_name(key)}/runs/{run_id}"


def label_table_name(key: FlowKey, table_id: str) -> str:
    """Name of a label table."""
    return f"{flow_name(key)}/labelTables/{table_id}"


def blinded_list_name(key: FlowKey, list_id: str) -> str:
    """Name of a list of blinded elements."""
    return f"{flow_name(key)}/blindedLists/{list_id}"


def release_name(key: FlowKey, line: str, version: int) -> str:
    """Name of a release."""
    return f"{flow_name(key)}/lines/{line}/releases/{version}"


def epoch_name(key: FlowKey, epoch: int) -> str:
    """Name of a key epoch."""
    return f"{flow_name(key)}/epochs/{epoch}"


def _parse(pattern: re.Pattern[str], field: str, name: str, shape: str) -> tuple[str, ...]:
    found = pattern.fullmatch(name)
    if not found:
        raise field_invalid(field, f"harus berbentuk {shape}", f"must have the form {shape}")
    return found.groups()
