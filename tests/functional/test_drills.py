"""Drills, run command by command from the place to practise: what an operator types is what is tested."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from signer.cli import cli

ROOT = Path(__file__).parents[2]
DRILLS = ROOT / "docs" / "how-to" / "drills"
_PATIENCE_S = 600
SAYS = {
    "a-seal-is-compromised.md": ("the seal is suspended until", "nobody takes it any more", "SEAL_REVOKED"),
    "restore-a-backup.md": ("the register of", "as of the backup", "VALID"),
    "publish-a-trust-list.md": ("list 2", "VALID"),
    "rotate-a-seal.md": ("verify-only", "VALID_WITH_NOTICE"),
}


def blocks(name: str) -> str:
    text = (DRILLS / name).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


@pytest.mark.soak(reason="a sandbox and a dozen commands for each")
@pytest.mark.parametrize("name", SAYS)
def test_a_drill_goes_as_its_page_says(name: str, tmp_path: Path) -> None:
    kept = {word: value for word, value in os.environ.items() if not word.upper().startswith("SIGNER_")}
    environment = {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        ["sh", "-c", f"set -eu\n{blocks('practise.md')}\n{blocks(name)}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [words for words in SAYS[name] if words not in done.stdout] == [], done.stdout


def test_every_drill_is_run() -> None:
    assert {path.name for path in DRILLS.glob("*.md")} == {"practise.md", *SAYS}


@pytest.mark.parametrize("name", ["practise.md", *SAYS])
def test_a_drill_names_commands_and_options_that_there_are(name: str) -> None:
    """What the soak runs, held against the command line in every run."""
    whole = re.sub(r"\\\n\s*", " ", blocks(name)).replace('"$(', "(").replace("seal=$(", "")
    asked = re.findall(r"^\s*signer ([^|>&\n]+)", re.sub(r"\((?:TZ|date)[^)]*\)", "", whole), re.MULTILINE)
    assert asked
    for words in map(str.split, asked):
        command: click.Command = cli
        while isinstance(command, click.Group):
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, words
            command = found
        known = {word for option in command.params for word in (*option.opts, *option.secondary_opts)}
        assert [word for word in words if re.match("--?[a-z]", word) and word not in known] == [], words
