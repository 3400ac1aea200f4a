"""Uploads in pieces: against a unit that breaks off, damages, forgets and lies."""

from __future__ import annotations

import numpy as np
import pytest

from padan.v1 import dataset_service_pb2 as pb
from padan_client.base.effects import Patience, Pause, Unary, Upload, Work
from padan_client.base.errors import RefusedError, UnavailableError, VerificationError
from padan_client.protocol.unit import uploading
from padan_linkage import tables
from padan_linkage.schema import Layout
from padan_linkage.tables import PassTable, columns_digest

LAYOUT = Layout(keys=16, filters=64, presence=0, tags=0, handles=0, sealed_codes=0)
NAME = "agreements/a/flows/f/datasets/d/tables/nik"
PATIENCE = Patience(jitter=lambda: 0.0, attempts=5)


@pytest.fixture(autouse=True, params=[24, 256, 1000], ids="chunks of {}".format)
def _small_pieces(monkeypatch, request):
    monkeypatch.setattr(tables, "CHUNK_ROWS", request.param)
    monkeypatch.setattr(uploading, "PIECE_BYTES", 10 * 80)
    monkeypatch.setattr(uploading, "STREAM_BYTES", 40 * 80)


@pytest.fixture
def table():
    rng = np.random.default_rng(3)
    columns = {
        name: rng.integers(0, 256, (256, width), dtype=np.uint8) for name, width in LAYOUT.columns()
    }
    return PassTable("nik", LAYOUT, columns)


class PieceTaker:
    """Takes pieces as the real one does; ``trouble``, one a stream, may raise or change replies."""

    def __init__(self, table, trouble=()):
        self.table, self.trouble = table, list(trouble)
        self.rows: list[bytes] = []
        self.complete = False
        self.streams = self.pauses = 0

    def run(self, steps):
        result, failure = None, None
        while True:
            try:
                effect = steps.throw(failure) if failure else steps.send(result)
            except StopIteration:
                return
            result, failure = None, None
            try:
                result = self.perform(effect)
            except (UnavailableError, RefusedError) as error:
                failure = error

    def perform(self, effect):
        match effect:
            case Work(function):
                return function()
            case Pause():
                self.pauses += 1
                return None
            case Unary():
                return pb.QueryWriteStatusResponse(
                    committed_rows=len(self.rows), complete=self.complete
                )
            case Upload(requests=requests):
                self.streams += 1
                trouble = self.trouble.pop(0) if self.trouble else None
                return self.take(requests(), trouble)

    def take(self, requests, trouble):
        if trouble == "away":
            raise UnavailableError("x")
        for number, request in enumerate(requests):
            assert request.table == (NAME if number == 0 else "")
            assert request.row_offset == len(self.rows)
            if isinstance(trouble, Exception) and number == 1:
                raise trouble
            columns = {n: getattr(request.rows, n) for n, _ in LAYOUT.columns()}
            assert request.chunk_digest == columns_digest(LAYOUT, columns)
            count = request.rows.row_count
            self.rows += [
                b"".join(columns[n][i * w : (i + 1) * w] for n, w in LAYOUT.columns())
                for i in range(count)
            ]
            if request.finish_write:
                assert request.table_digest == self.table.digest()
                self.complete = True
        reply = pb.UploadTableResponse(committed_rows=len(self.rows), complete=self.complete)
        if callable(trouble):
            trouble(self, reply)
        return reply

    def has_everything(self):
        expected = np.concatenate([self.table.columns[n] for n, _ in LAYOUT.columns()], axis=1)
        return self.complete and b"".join(self.rows) == expected.tobytes()


def upload(unit, told=None):
    unit.run(
        uploading.upload_table(NAME, unit.table, PATIENCE, ([] if told is None else told).append)
    )


def test_a_table_arrives_whole_in_bounded_streams(table):
    unit, told = PieceTaker(table), []
    upload(unit, told)
    assert unit.has_everything()
    assert unit.streams == 7
    assert told[-1] == 256
    assert told == sorted(told)


def test_a_broken_upload_goes_on_where_it_was_safe(table):
    unit = PieceTaker(table, [UnavailableError("x")] * 3 + [None, UnavailableError("x")])
    upload(unit)
    assert unit.has_everything()
    assert unit.pauses == 4


@pytest.mark.parametrize("cut", range(0, 257, 32))
def test_a_new_process_goes_on_from_any_row(table, cut):
    unit = PieceTaker(table)
    unit.rows = [
        b"".join(table.columns[n][i].tobytes() for n, _ in LAYOUT.columns()) for i in range(cut)
    ]
    upload(unit)
    assert unit.has_everything()


def test_a_complete_table_is_not_sent_again(table):
    unit = PieceTaker(table)
    upload(unit)
    streams = unit.streams
    upload(unit)
    assert unit.streams == streams


@pytest.mark.parametrize("reason", ["CHUNK_CORRUPT", "OFFSET_OUT_OF_ORDER"])
def test_a_damaged_piece_is_sent_again_but_not_for_ever(table, reason):
    unit = PieceTaker(table, [RefusedError("x", reason)] * 8)
    upload(unit)
    assert unit.has_everything()
    with pytest.raises(RefusedError):
        upload(PieceTaker(table, [RefusedError("x", reason)] * 9))


def test_a_table_that_was_thrown_away_is_sent_again_from_its_start(table):
    class Forgetful(PieceTaker):
        def take(self, requests, trouble):
            reply = super().take(requests, trouble)
            if self.complete and trouble == "forget":
                self.rows, self.complete = [], False
                raise RefusedError("x", "TABLE_DIGEST_MISMATCH")
            return reply

    unit = Forgetful(table, [None] * 6 + ["forget"])
    upload(unit)
    assert unit.has_everything()
    with pytest.raises(RefusedError):
        upload(Forgetful(table, ["forget"] * 30))


def test_other_refusals_are_final(table):
    with pytest.raises(RefusedError):
        upload(PieceTaker(table, [RefusedError("x", "AGREEMENT_EXPIRED")]))


def test_a_server_that_stays_away_is_given_up(table):
    with pytest.raises(UnavailableError):
        upload(PieceTaker(table, ["away"] * 50))


def test_a_unit_that_keeps_nothing_is_given_up(table):
    def keep_nothing(unit, reply):
        unit.rows, unit.complete = [], False
        reply.committed_rows, reply.complete = 0, False

    unit = PieceTaker(table, [keep_nothing] * 100)
    with pytest.raises(UnavailableError):
        upload(unit)
    assert unit.streams < 10


LIES = {
    "more than was sent": {"committed_rows": 257},
    "fewer than before": {"committed_rows": -1},
    "complete too soon": {"complete": True},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_impossible_acknowledgement_stops_the_upload(table, lie):
    def say(unit, reply):
        for name, value in LIES[lie].items():
            setattr(reply, name, value)

    with pytest.raises(VerificationError):
        upload(PieceTaker(table, [say]))


def test_a_table_that_cannot_be_made_is_not_taken_for_a_broken_line(table):
    class Unmade(PassTable):
        def chunk(self, number):
            raise ValueError("no such chunk")

    class TellingPieceTaker(PieceTaker):
        """Tells of what breaks a stream as gRPC does: nothing."""

        def take(self, requests, trouble):
            try:
                return super().take(requests, trouble)
            except ValueError:
                raise UnavailableError("x") from None

    unit = TellingPieceTaker(Unmade("nik", LAYOUT, table.columns))
    with pytest.raises(ValueError, match="no such chunk"):
        upload(unit)
    assert unit.streams == 1
