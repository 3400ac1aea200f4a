"""Where results may be written, and what becomes of them there."""

from __future__ import annotations

import os

import pyarrow as pa
import pytest

from padan_client.base.errors import BadInputError
from padan_client.records.table_files import require_writable, standing, write_or_remove


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (".", "bukan berkas biasa"),
        ("pipe", "bukan berkas biasa"),
        ("none/codes.csv", "tidak ada"),
        ("codes.ods", ".csv"),
    ],
)
def test_a_result_that_could_not_be_written_is_refused_beforehand(tmp_path, name, words):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInputError, match=words):
        require_writable(tmp_path / name)
    (tmp_path / "codes.csv").touch()
    require_writable(tmp_path / "codes.csv", None, tmp_path / "new.parquet", tables=True)
    with pytest.raises(BadInputError, match="akhiran"):
        require_writable(tmp_path / "release.parquet")


def spellings(path):
    """Names of one file: a link, a second name, a way round, another folder's link to it."""
    soft, hard = path.with_name("soft.csv"), path.with_name("hard.csv")
    soft.symlink_to(path.name)
    os.link(path, hard)
    way_round = path.parent / "sub" / ".." / path.name
    (path.parent / "sub").mkdir()
    (path.parent / "sub" / "here").symlink_to(path.parent)
    return [path, soft, hard, way_round, path.parent / "sub" / "here" / path.name]


def test_no_result_takes_the_place_of_an_input_under_any_of_its_names(tmp_path):
    listed = tmp_path / "daftar.csv"
    listed.write_text("nik\n")
    for name in spellings(listed):
        with pytest.raises(BadInputError, match="masukan"):
            require_writable(tmp_path / "codes.csv", name, reads=[None, listed])
        with pytest.raises(BadInputError, match="masukan"):
            require_writable(listed, reads=[name])
    require_writable(tmp_path / "codes.csv", reads=[listed])


def test_two_results_are_two_files(tmp_path):
    codes = tmp_path / "codes.csv"
    for other in (codes, tmp_path / "CODES.csv", tmp_path / "." / "codes.csv"):
        with pytest.raises(BadInputError, match="dua hasil"):
            require_writable(codes, None, other)
    codes.touch()
    for name in spellings(codes):
        with pytest.raises(BadInputError, match="dua hasil"):
            require_writable(codes, name)
    accented, decomposed = tmp_path / "caf\u00e9.csv", tmp_path / "cafe\u0301.csv"
    with pytest.raises(BadInputError, match="dua hasil"):
        require_writable(accented, decomposed)
    require_writable(codes, tmp_path / "codes.karantina.csv")


def test_what_stands_there_is_known_a_link_to_nowhere_too(tmp_path):
    codes, link = tmp_path / "codes.csv", tmp_path / "link.csv"
    assert standing(codes, None, link) == []
    codes.touch()
    link.symlink_to("nowhere")
    assert standing(codes, None, link) == [codes, link]


def test_a_table_without_rows_is_no_file_and_ends_an_older_one(tmp_path):
    path, table = tmp_path / "codes.karantina.csv", pa.table({"row": [1]})
    write_or_remove(path, table)
    assert path.read_text() == "row\n1\n"
    write_or_remove(path, table.slice(1))
    write_or_remove(path, table.slice(1))
    assert not path.exists()


def test_keys_and_signed_agreements_give_way_to_no_result(tmp_path):
    home = tmp_path / "rumah"
    (home / "agreements").mkdir(parents=True)
    for name in ("identity.json", "client.toml", "agreements/a.toml", "agreements/a.toml.bkn.sig"):
        (home / name).write_text("x")
    for name in ("identity.json", "client.toml", "agreements/a.toml"):
        with pytest.raises(BadInputError, match=r"kunci lembaga"):
            require_writable(home / name)
    require_writable(home / "agreements" / "b.toml", tmp_path / "kode.csv", home / "kode.csv")
