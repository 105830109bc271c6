"""The list of commands says of each what the command says of itself, and waits for none of them."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from signer import cli

ROOMS = ("signer.wiring", "signer.services", "signer.web", "sqlalchemy", "pyhanko", "pydantic", "flask")
ASK = f"""
import sys
from signer.cli import main
sys.argv = ["signer", "--help"]
try:
    main()
finally:
    found = sorted(set({ROOMS!r}) & set(sys.modules))
    print("imported:", *found)
"""


@pytest.mark.parametrize("name", cli.cli.list_commands(click.Context(cli.cli)))
def test_a_command_is_listed_with_the_first_sentence_of_its_own_help(name: str) -> None:
    command = cli.cli.get_command(click.Context(cli.cli), name)
    assert command is not None
    assert cli._COMMANDS[name][1] == command.get_short_help_str(limit=1000)


def test_the_list_is_written_without_a_room_of_the_house() -> None:
    told = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True).stdout
    assert "  doctor         Name what is wrong with this deployment." in told
    assert told.splitlines()[-1] == "imported:"


ISSUES = """
import sys
from signer.cli import issuing
print("imported:", *sorted({"alembic", "flask", "webauthn", "xlsxwriter"} & set(sys.modules)))
"""


def test_a_command_that_issues_waits_for_no_library_that_it_does_not_use() -> None:
    told = subprocess.run([sys.executable, "-c", ISSUES], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["imported:"]
