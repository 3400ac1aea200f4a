"""Help in the chosen language.

Every help text of the command line is a pair, «Indonesian. / English.»; a text without « / » is the
same in both. Before anything is parsed, the language is chosen and every text becomes its half.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from typer.core import TyperGroup

from padan_client.base.language import LANGUAGES, set_language, t
from padan_client.cli.common import say
from padan_client.transport.waiting import tell_waiting

SEPARATOR = " / "
#: Where Typer keeps what it says in its help and of errors.
_TYPER_MODULE = "typer.rich_utils"
#: What that is, by the names of its constants.
_TYPER: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ARGUMENTS_PANEL_TITLE": ("Argumen", "Arguments"),
        "OPTIONS_PANEL_TITLE": ("Pilihan", "Options"),
        "COMMANDS_PANEL_TITLE": ("Perintah", "Commands"),
        "ERRORS_PANEL_TITLE": ("Salah pakai", "Error"),
        "DEFAULT_STRING": ("[bawaan: {}]", "[default: {}]"),
        "ENVVAR_STRING": ("[variabel: {}]", "[env var: {}]"),
        "REQUIRED_LONG_STRING": ("[wajib]", "[required]"),
        "RICH_HELP": (
            "Lihat [blue]'{command_path} {help_option}'[/].",
            "Try [blue]'{command_path} {help_option}'[/] for help.",
        ),
    }
)


class BilingualGroup(TyperGroup):
    """The application: chooses the language before it reads its arguments."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> Any:
        """As the base class does, in the language of ``args``, PADAN_LANG or the home."""
        set_language(chosen_language(args))
        tell_waiting(say)
        texts = _texts_of_typer()
        for name, pair in _TYPER.items():
            setattr(texts, name, t(*pair))
        translate(self)
        return super().make_context(info_name, args, *rest, **more)


def _texts_of_typer() -> ModuleType:
    """The module, loaded when Typer reads it: what makes help pretty costs a tenth of a start.

    What is set before it is loaded stays set.
    """
    if (known := sys.modules.get(_TYPER_MODULE)) is not None:
        return known
    spec = importlib.util.find_spec(_TYPER_MODULE)
    assert spec, "Typer has it"
    assert spec.loader
    spec.loader = importlib.util.LazyLoader(spec.loader)
    sys.modules[_TYPER_MODULE] = made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def chosen_language(arguments: list[str]) -> str:
    """``--lang`` before the command, else PADAN_LANG, else ``language`` of the home's settings."""
    given = _value_of("--lang", arguments[: _command_at(arguments)])
    if given is None:
        given = os.environ.get("PADAN_LANG") or os.environ.get("PADAN_CLIENT_LANGUAGE")
    if given is None:
        home = _value_of("--home", arguments) or os.environ.get("PADAN_HOME")
        given = _home_language(Path(home) if home else Path.home() / ".padan")
    # Another word is refused where the option is read.
    return given if given in LANGUAGES else LANGUAGES[0]


def half(text: str) -> str:
    """A help text's part in the chosen language."""
    parts = text.split(SEPARATOR)
    return t(*parts) if len(parts) == len(LANGUAGES) else text


def translate(command: Any) -> None:
    """Put a command's help texts, and those of all commands below it, in the chosen language."""
    for name in ("help", "short_help", "epilog", "rich_help_panel"):
        text = getattr(command, name, None)
        if isinstance(text, str):
            setattr(command, name, half(text))
    for parameter in command.params:
        for name in ("help", "rich_help_panel"):
            if text := getattr(parameter, name, None):
                setattr(parameter, name, half(text))
    _translate_usage(command)
    for one in getattr(command, "commands", {}).values():
        translate(one)


def _translate_usage(command: Any) -> None:
    """The line above a help, and the option that asked for it."""
    command.options_metavar = t("[PILIHAN]", "[OPTIONS]")
    if hasattr(command, "subcommand_metavar"):
        command.subcommand_metavar = t("PERINTAH [ARGUMEN]...", "COMMAND [ARGS]...")
    help_option = command.get_help_option

    def format_usage(context: Any, formatter: Any) -> None:
        pieces = " ".join(command.collect_usage_pieces(context))
        prefix = t("Pemakaian: ", "Usage: ")
        formatter.write_usage(context.command_path, pieces, prefix=prefix)

    def get_help_option(context: Any) -> Any:
        option = help_option(context)
        if option is not None:
            option.help = t("Tampilkan bantuan ini.", "Show this message and exit.")
        return option

    command.format_usage, command.get_help_option = format_usage, get_help_option


def _command_at(arguments: list[str]) -> int:
    """Where the options before the command end."""
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        at += 2 if arguments[at] == "--lang" else 1
    return at


def _value_of(option: str, arguments: list[str]) -> str | None:
    """What the last ``option`` says, None where there is none."""
    found = None
    for number, argument in enumerate(arguments):
        if argument == option and number + 1 < len(arguments):
            found = arguments[number + 1]
        elif argument.startswith(option + "="):
            found = argument.partition("=")[2]
    return found


def _home_language(home: Path) -> str | None:
    """What the settings say; what is wrong with them is told by whoever needs them."""
    from padan_client.home.config import FILE

    try:
        return str(tomllib.loads((home / FILE).read_text(encoding="utf-8")).get("language"))
    except (OSError, ValueError, RecursionError):
        return None
