"""A small town that is lived in once, and ways to damage what its unit left on the disk."""

from __future__ import annotations

import hashlib
import json
import os

import grpc
from engines import FakeEngine
from parties import answers, chunk, refusal
from server_fixture import FixedClock, RunningUnit
from typer.testing import CliRunner

from padan.v1 import confirmation_service_pb2 as confirmation_pb
from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import release_service_pb2 as release_pb
from padan.v1 import resources_pb2 as resources_pb
from padan.v1 import run_service_pb2 as run_pb
from padan_server.app import app
from padan_server.base.config import UnitConfig
from padan_server.roles.unit import Unit

RELEASE = bytes(range(256)) * 20


class Lived:
    """What a unit left that was stopped, what it is called, and what was answered from it."""

    def __init__(self, house):
        self.house = house
        unit = started(house)
        provider, requester = unit.pair()
        self.filter = provider.schema.filtered[0].id
        self.tables = provider.tables(40)
        self.registry = provider.publish(40, tables=self.tables).name[-32:]
        self.asked = requester.tables(30, same_as=self.tables)
        self.listed = requester.publish(30, tables=self.asked).name
        run = requester.watch(requester.run_of(requester.start_run(self.named(requester))).name)
        self.run = run.name
        self.half = requester.create(30).name[-32:]
        table = self.asked["nik"]
        requester.datasets.UploadTable(
            iter([chunk(f"{requester.parent}/datasets/{self.half}/tables/nik", table, 0, 100)])
        )
        provider.release(1, RELEASE)
        self.answers = self.uses(unit)
        unit.stop()

    def named(self, requester):
        return requester.datasets.GetDataset(dataset_pb.GetDatasetRequest(name=self.listed))

    def uses(self, unit):
        """What each use of the directory answers: its answer, or the refusal."""
        provider, requester = unit.client("bkn"), unit.client("kemnaker")
        calls = {
            "results": lambda: self.results(requester, self.run),
            "run": lambda: self.ran(requester),
            "release": lambda: b"".join(
                piece.content
                for piece in requester.releases.DownloadRelease(
                    release_pb.DownloadReleaseRequest(name=f"{provider.line()}/releases/1")
                )
            ),
        }
        calls |= {
            f"confirm {p}": lambda p=p: self.confirmed(requester, p) for p in ("nik", self.filter)
        }
        return {name: tried(call) for name, call in calls.items()}

    def results(self, requester, run):
        found = requester.runs.StreamResults(run_pb.StreamResultsRequest(name=run))
        return {p: rows.SerializeToString() for p, rows in answers(found).items()}

    def ran(self, requester):
        run = requester.watch(requester.run_of(requester.start_run(self.named(requester))).name)
        if run.failure_reason:
            return run.failure_reason
        return self.results(requester, run.name)

    def confirmed(self, requester, pass_id):
        table = self.asked[pass_id]
        request = confirmation_pb.ConfirmRecordsRequest(
            parent=requester.parent,
            encoding=requester.encoding(),
            pass_id=pass_id,
            rows=resources_pb.TableRows(row_count=20, **table.rows(0, 20)),
        )
        return requester.confirmations.ConfirmRecords(request).rows.SerializeToString()


def tried(call):
    try:
        return call()
    except grpc.RpcError as error:
        return refusal(error)


def started(house, **changes):
    """A unit on what was left."""
    unit = Unit(UnitConfig(**house.settings(**changes)), FakeEngine(), clock=FixedClock())
    unit.start()
    return RunningUnit(house, unit, unit.clock, unit)


def fsck(house, *more):
    """Exit code and findings of the command, by file."""
    ended = CliRunner().invoke(app, ["fsck", "--data-dir", str(house.data_dir), "--json", *more])
    return ended.exit_code, {f["file"]: f for f in json.loads(ended.stdout)["findings"]}


def tree(house, *kinds):
    """What :func:`digests` says of a house's data directory."""
    return digests(house.data_dir, *kinds)


def digests(folder, *kinds):
    """Digest of every file of a folder, or of some folders in it; links as they are."""
    found = {}
    for kind in kinds or ("",):
        for path in sorted((folder / kind).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink() or not path.is_file():
                found[name] = "no file"
            else:
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


# Ways to damage a file


def zeros(path):
    content = bytearray(path.read_bytes())
    begin = min(4096, len(content) // 2)
    content[begin : begin + 4096] = bytes(len(content[begin : begin + 4096]))
    path.write_bytes(content)


def one_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // 3] ^= 4
    path.write_bytes(content)


def same_time(path):
    """As a disk does it: nothing was written."""
    before = path.stat()
    one_bit(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def halved(path):
    os.truncate(path, path.stat().st_size // 2)


def one_byte_less(path):
    os.truncate(path, path.stat().st_size - 1)


def longer(path):
    with path.open("ab") as file:
        file.write(bytes(8192))


def emptied(path):
    path.write_bytes(b"")


def missing(path):
    path.unlink()


def other_header(path):
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(", b"[", 1) if b"(" in content[:100] else b"x" + content)


def a_folder(path):
    path.unlink()
    path.mkdir()


def a_link_to_nothing(path):
    path.unlink()
    path.symlink_to(path.with_name("elsewhere"))


def a_link_to_another(path):
    others = [p for p in sorted(path.parent.iterdir()) if p.is_file() and p != path]
    path.unlink()
    path.symlink_to(others[0] if others else path.parent)


def a_pipe(path):
    path.unlink()
    os.mkfifo(path)


WAYS = (
    zeros, one_bit, same_time, halved, one_byte_less, longer, emptied, missing, other_header,
    a_folder, a_link_to_nothing, a_link_to_another, a_pipe,
)  # fmt: skip
