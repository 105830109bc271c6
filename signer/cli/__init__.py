"""The command line: it translates, and decides nothing. Exit codes are in docs/reference/cli.md."""

from __future__ import annotations

import os
import secrets
import sys

import click
import structlog

from signer.cli import copying, ending, exporting, issuing, keys, operating, sealing, trusting, verifying, working
from signer.cli.console import INTERNAL, REFUSED, USAGE, complain, language
from signer.errors import SignerError
from signer.wiring import VERSION

__all__ = ["cli", "main"]

INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version=VERSION, prog_name="signer")
def cli() -> None:
    """Issue and verify sealed after-sales service confirmations (售后维修服务确认书)."""


for command in (
    issuing.issue,
    issuing.supersede,
    issuing.fetch,
    copying.copies,
    sealing.seals,
    sealing.manufacturer,
    trusting.trust,
    ending.withdraw,
    ending.suspend,
    ending.resume,
    ending.abandon,
    verifying.verify,
    verifying.lookup,
    exporting.export,
    exporting.redact,
    operating.db,
    keys.keys,
    operating.load_parties,
    operating.make_test_pki,
    operating.maintain,
    working.worker,
    working.jobs,
    operating.doctor,
    operating.serve,
):
    cli.add_command(command)


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
