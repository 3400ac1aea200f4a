"""Tables on screens of every width: nothing is broken, nothing is lost."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from padan_client.cli.views.sheet import Sheet

RUN = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
KEY = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
TIME = "2026-11-29 20:44:01"
SENTENCE = "Penyedia perlu menerbitkan registrinya pada epok ini sebelum daftar dikonfirmasi."


def shown(sheet, width):
    console = Console(file=io.StringIO(), width=width)
    console.print(sheet, crop=False)
    return console.file.getvalue()


def sample(rows=2):
    sheet = Sheet("Pemadanan [semua]")
    for name in ("pemadanan", "kunci", "keterangan", "kuota"):
        sheet.add_column(name)
    sheet.add_column("dibuat (UTC)", no_wrap=True)
    for n in range(rows):
        sheet.add_row(f"{n}{RUN}", KEY, Text(SENTENCE, "red"), "1.234.567", TIME, style="dim")
    return sheet


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 160, 200, 400])
def test_no_id_key_time_or_number_is_cut_or_broken(width):
    text = shown(sample(), width)
    for whole in (f"0{RUN}", f"1{RUN}", KEY, TIME, "1.234.567", "Pemadanan [semua]"):
        assert whole in text
    # The columns of one row may stand in lines of several: every word is there, in its order.
    assert all(word in text for word in SENTENCE.split())


def test_a_narrow_screen_gets_a_list_and_a_wide_one_a_table():
    narrow, wide = shown(sample(), 80), shown(sample(), 200)
    assert "│" not in narrow
    assert narrow.count("pemadanan  ") == 2
    assert "│" in wide
    assert wide.count("pemadanan  ") == 1
    assert max(map(len, wide.splitlines())) <= 200


def test_cells_are_taken_literally():
    sheet = Sheet()
    sheet.add_column("kode")
    sheet.add_row("[bold]x[/]")
    assert "[bold]x[/]" in shown(sheet, 80)


def test_a_sheet_without_header_is_read_by_its_first_column():
    sheet = Sheet(show_header=False)
    sheet.add_column()
    sheet.add_column()
    sheet.add_row("nomor", KEY)
    sheet.add_row("tujuan", SENTENCE)
    lines = shown(sheet, 50).splitlines()
    assert lines[0] == f"nomor   {KEY}"
    assert lines[1].startswith("tujuan  Penyedia")
    assert all(line.startswith(" " * 8) for line in lines[2:])


def test_nothing_is_shown_of_no_rows_but_the_heading():
    assert shown(sample(0), 30).strip() == "Pemadanan [semua]"
