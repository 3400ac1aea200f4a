"""What is printed gives a terminal no orders, whoever wrote it."""

from __future__ import annotations

import io
import json

import pytest
from rich.table import Table

from padan_client.cli.common import _Screen, _Uncut, print_json

ORDERS = "a\x1b[31mb\x07c\x9b2Jd\x7fe\u202ef\u2066g\x00h\bi"


@pytest.fixture
def screen():
    stream = io.StringIO()
    return stream, _Uncut(file=stream, force_terminal=False, width=200)


def orders_in(text: str) -> set[str]:
    return {c for c in text if not c.isprintable() and c != "\n"}


def test_text_and_cells_of_tables_show_orders_as_signs(screen):
    stream, console = screen
    table = Table("kolom")
    table.add_row(ORDERS)
    console.print(ORDERS, markup=False)
    console.print(table)
    console.print(f"[bold]{ORDERS}[/]")
    assert orders_in(stream.getvalue()) == set()
    assert stream.getvalue().count("␛[31m") == 3


def test_what_is_ours_still_colours():
    stream = io.StringIO()
    _Screen(file=stream, force_terminal=True).print("[bold red]Gagal:[/] \x1b[2J", end="")
    assert "\x1b[1;31m" in stream.getvalue()
    assert "\x1b[2J" not in stream.getvalue()


def test_json_is_the_same_value_without_an_order(capsys):
    print_json({"name": ORDERS})
    line = capsys.readouterr().out
    assert orders_in(line) == set()
    assert json.loads(line) == {"name": ORDERS}
