"""What the commands share in words: their options, sentences, and what a refusal looks like; imports little."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signer.errors import InvalidInput, RuleViolation, SignerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signer.errors import Finding
    from signer.verification.wording import Language

REFUSED, USAGE, INTERNAL = 1, 64, 70
LANGUAGE = click.option("--lang", type=click.Choice(["zh", "en"]), default=None, help="Language of sentences.")
MANUFACTURER = click.option("--as", "manufacturer", required=True, help="The manufacturer: USCC or legal name.")
OUT = click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the PDFs."
)
FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))


@contextmanager
def no_verdict(spoken: Language) -> Iterator[None]:
    """End with 64 or 70, never with an exit that stands for a verdict, when there is none."""
    try:
        yield
    except SignerError as error:
        complain("signer", error, spoken)
        sys.exit(USAGE if isinstance(error, InvalidInput) else INTERNAL)


def language(chosen: str | None) -> Language:
    """Return the language of sentences: the option, else the terminal's, else English."""
    spoken = chosen or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "zh" if spoken.startswith("zh") else "en"


def tell(finding: Finding, spoken: Language) -> None:
    """Print one finding of the rules."""
    text = finding.zh if spoken == "zh" else finding.en
    click.echo(f"  {finding.severity}: {finding.pointer or '/'}: {text} [{finding.rule}]", err=True)


def complain(subject: str, error: SignerError, spoken: Language) -> None:
    """Print why something was refused: every violation, and what became of its number."""
    if isinstance(error, RuleViolation):
        click.echo(f"{subject}: refused, {len(error.violations)} to mend [{error.code}]", err=True)
        for finding in error.violations:
            tell(finding, spoken)
    else:
        click.echo(f"{subject}: {error} [{error.code}]", err=True)
    for note in getattr(error, "__notes__", ()):
        click.echo(f"  {note}", err=True)
