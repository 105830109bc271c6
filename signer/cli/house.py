"""What the commands share in deeds: the deployment that they speak to, files in and files out."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click

from signer import logs, metrics, settings, wiring
from signer.domain.json_text import MOST_BYTES
from signer.domain.number import Number
from signer.errors import InvalidInput, NotFound, StorageUnavailable
from signer.register.blobs import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from signer.wiring import Services


def services() -> Services:
    """Wire the deployment of the environment over a register of this code's schema; the command's end closes it."""
    chosen = settings.load()
    logs.configure(chosen.log_level)
    metrics.begin(chosen.run_dir, "cli")
    wired = wiring.wire_ready(chosen)
    click.get_current_context().call_on_close(wired.database.close)
    return wired


def number_of(typed: str) -> Number:
    """Parse a number that was typed."""
    try:
        return Number.parse(typed)
    except ValueError as error:
        raise InvalidInput("NUMBER", f"is not a number of ours ({error})") from error


def read(path: Path) -> bytes:
    """Read a JSON or YAML file; one byte over the cap is enough to be refused for it."""
    return read_whole(path, most=MOST_BYTES)


def read_whole(path: Path, *, most: int) -> bytes:
    """Read a file, and at most one byte over a cap of it. NotFound."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
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
