"""The command line: it translates, and decides nothing. Exit codes are in docs/reference/cli.md."""

from __future__ import annotations

import importlib
import os
import secrets
import sys

import click
import structlog

from signer import __version__
from signer.cli.console import INTERNAL, REFUSED, USAGE, complain, language
from signer.errors import SignerError

__all__ = ["cli", "main"]

INTERRUPTED = 130


_COMMANDS = {
    "issue": "issuing:issue",
    "supersede": "issuing:supersede",
    "fetch": "issuing:fetch",
    "copies": "copying:copies",
    "seals": "sealing:seals",
    "manufacturer": "sealing:manufacturer",
    "trust": "trusting:trust",
    "withdraw": "ending:withdraw",
    "suspend": "ending:suspend",
    "resume": "ending:resume",
    "abandon": "ending:abandon",
    "bundle": "bundling:bundle",
    "import-bundle": "bundling:import_bundle",
    "verify": "verifying:verify",
    "lookup": "verifying:lookup",
    "receipt": "receipting:receipt",
    "export": "exporting:export",
    "redact": "exporting:redact",
    "db": "operating:db",
    "keys": "keys:keys",
    "people": "people:people",
    "load-parties": "operating:load_parties",
    "make-test-pki": "operating:make_test_pki",
    "maintain": "operating:maintain",
    "worker": "working:worker",
    "jobs": "working:jobs",
    "doctor": "operating:doctor",
    "serve": "operating:serve",
}
"""Where each command is: its module is imported when it is asked for, so that a verdict does not wait for the web."""


class _Lazy(click.Group):
    """A group that imports what was asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None for an unknown name."""
        del ctx
        module, _, attribute = _COMMANDS.get(cmd_name, "").partition(":")
        if not module:
            return None
        command: click.Command = getattr(importlib.import_module(f"signer.cli.{module}"), attribute)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version=__version__, prog_name="signer")
def cli() -> None:
    """Issue and verify sealed after-sales service confirmations (售后维修服务确认书)."""


def main() -> None:
    """Run the command line; every ending has its exit code."""
    os.environ.setdefault("RAYON_NUM_THREADS", "1")  # a page is too small to share out among cores
    try:
        cli.main(standalone_mode=False)
    except click.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except SignerError as error:
        complain("signer", error, language(None))
        sys.exit(REFUSED)
    except Exception:  # noqa: BLE001 -- the outermost edge: logged under an id, nothing of it is shown
        incident = secrets.token_hex(4)
        structlog.get_logger().exception("incident", id=incident)
        click.echo(f"signer: an internal error, incident {incident}", err=True)
        sys.exit(INTERNAL)
