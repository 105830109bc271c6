"""What the commands share: files in and out, sentences, and what a refusal looks like."""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signer import logs, settings, wiring
from signer.domain.json_text import MOST_BYTES
from signer.domain.number import Number
from signer.errors import InvalidInput, NotFound, RuleViolation, SignerError, StorageUnavailable
from signer.register.blobs import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signer.errors import Finding
    from signer.verification.wording import Language
    from signer.wiring import Services

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


def services() -> Services:
    """Wire the deployment that the environment describes, over a register of this code's schema."""
    chosen = settings.load()
    logs.configure(chosen.log_level)
    return wiring.wire_ready(chosen)


def language(chosen: str | None) -> Language:
    """Return the language of sentences: the option, else the terminal's, else English."""
    spoken = chosen or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "zh" if spoken.startswith("zh") else "en"


def number_of(typed: str) -> Number:
    """Parse a number that was typed."""
    try:
        return Number.parse(typed)
    except ValueError as error:
        raise InvalidInput("NUMBER", f"is not a number of ours ({error})") from error


def read(path: Path) -> bytes:
    """Read a JSON or YAML file; one byte over the cap is enough to be refused for it."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from error


def refuse_unwritable(folder: Path) -> None:
    """Make the folder, and try it, before anything is sealed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{secrets.token_hex(8)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StorageUnavailable(f"{folder} cannot be written: {error.strerror}") from error


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    try:
        write_whole(path, data)
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be written: {error.strerror}") from error


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
