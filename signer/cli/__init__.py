"""The command line: it translates, and decides nothing. Exit codes are in docs/reference/cli.md."""

from __future__ import annotations

import importlib
import os
import secrets
import sys
from pathlib import Path

import click
import structlog

from signer import __version__
from signer.cli.console import INTERNAL, REFUSED, USAGE, complain, language
from signer.errors import SignerError

__all__ = ["cli", "main"]

INTERRUPTED = 130


_COMMANDS = {
    "issue": ("issuing:issue", "Seal each draft (signer.draft/1, JSON) and write NUMBER.pdf."),
    "batch": (
        "batching:batch",
        "Make a confirmation for each vehicle of FILE (CSV, XLSX or JSON Lines; up to 50,000), or for some of a kind.",
    ),
    "batches": (
        "batch_keeping:batches",
        "List batches, see how far they are, approve, pause, go on with, cancel or fetch one.",
    ),
    "supersede": (
        "issuing:supersede",
        "Seal a draft that takes its vehicles over from NUMBER; the other vehicles of NUMBER stay in force.",
    ),
    "fetch": ("issuing:fetch", "Write an issued confirmation's PDF again, and say which level its seal has reached."),
    "copies": (
        "copying:copies",
        "Keep official copies: what the manufacturer sealed in its own system, filed by two people under its number.",
    ),
    "seals": ("sealing:seals", "Keep seals."),
    "manufacturer": ("sealing:manufacturer", "Keep what is on record of a manufacturer."),
    "trust": ("trusting:trust", "Keep the trust list: draft it, sign it offline, check it, put it in place."),
    "withdraw": ("ending:withdraw", "Withdraw NUMBER for ever, wholly or for some vehicles."),
    "suspend": ("ending:suspend", "Hold NUMBER, or a seal, at once for 72 h."),
    "resume": ("ending:resume", "End a suspension of NUMBER, or of a seal; an approver does."),
    "abandon": ("ending:abandon", "Give up NUMBER, whose sealing never completed: its vehicles are free again."),
    "bundle": (
        "bundling:bundle",
        "Write an offline bundle into FILE: what the register says now, for verifiers that cannot ask it.",
    ),
    "import-bundle": (
        "bundling:import_bundle",
        "Import bundles and deltas, in this order, for `signer serve --verify-only` and `signer verify --offline`.",
    ),
    "verify": ("verifying:verify", "Verify files, and (offline) evidence bundles."),
    "sandbox": (
        "practising:sandbox",
        "Serve a deployment to practise with from FOLDER: TEST keys, sample parties, tokens; --reset makes it anew.",
    ),
    "lookup": (
        "verifying:lookup",
        "Look NUMBER up with the tail of one VIN; or NUMBERS with all VINs, destination and exporter.",
    ),
    "receipt": (
        "receipting:receipt",
        (
            "Tell whether FILE (`-`: standard input) is a genuine receipt; "
            "what was asked and answered, when, under which list."
        ),
    ),
    "fetch-status": (
        "bundling:fetch_status",
        "Fetch the status lists of every issuer whose bundle is here; exit 1 if one was not to be had.",
    ),
    "import-status": (
        "bundling:import_status",
        "Import status lists that were fetched by themselves, each newer than the one that is kept.",
    ),
    "evidence": (
        "evidencing:evidence",
        (
            "Write NUMBER-evidence.zip: the sealed PDF, its content, the trust list, a receipt made now, "
            "and how to check each."
        ),
    ),
    "export": (
        "exporting:export",
        "Write the seal register (用印登记) or the audit of one manufacturer to standard output, the oldest first.",
    ),
    "paper-page": (
        "papering:paper_page",
        "Write the page that verifies codes on paper into FILE, for offices without a network; tell its SHA-256.",
    ),
    "log": ("log_watching:log", "Keep the transparency log, prove what is in it, watch one from outside."),
    "redact": ("exporting:redact", "Forget a person's name and roles, or an outlet's telephone, e-mail and hours."),
    "db": ("operating:db", "Look after the register: its schema, its backups, its files."),
    "keys": ("keys:keys", "Look after the keys of seals, of codes on paper and of the service."),
    "people": ("people:people", "Make the first accounts, list, suspend and reset them."),
    "load-parties": (
        "operating:load_parties",
        "Bring manufacturers, outlets, exporters, people and roles in from a JSON file, wholly or not at all.",
    ),
    "make-test-pki": (
        "operating:make_test_pki",
        "Make TEST keys, certificates and a trust list from a pki.yaml, and enrol the seals.",
    ),
    "maintain": (
        "operating:maintain",
        "Finish records whose sealing was cut off, or abandon them: then their numbers are never used again.",
    ),
    "worker": (
        "working:worker",
        "Do what is due, until stopped: finish or abandon, end suspensions, prune, re-verify.",
    ),
    "jobs": ("working:jobs", "See what is done without anybody asking, have something done once, or tried again."),
    "doctor": ("operating:doctor", "Name what is wrong with this deployment."),
    "serve": ("operating:serve", "Serve the verify page and the API, on this computer only unless told otherwise."),
}
"""Where each command is, and what for; imported when it is run: neither help nor a verdict waits for the web."""


REMOTE = {"issue": "remote:issue", "verify": "remote:verify"}
"""What is asked of another deployment where `--remote` names one."""


class _Lazy(click.Group):
    """A group that imports what was asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None for an unknown name."""
        if cmd_name not in _COMMANDS:
            return None
        place = _COMMANDS[cmd_name][0]
        if ctx.params.get("remote"):
            if cmd_name not in REMOTE:
                ctx.fail(f"--remote (or SIGNER_REMOTE) goes with {' and '.join(REMOTE)} only")
            place = REMOTE[cmd_name]
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(importlib.import_module(f"signer.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of all commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version=__version__, prog_name="signer")
@click.option(
    "--remote",
    metavar="URL",
    envvar="SIGNER_REMOTE",
    help="Ask this deployment's API instead of one's own: for issue and verify. Also SIGNER_REMOTE.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    envvar="SIGNER_TOKEN_FILE",
    help="The file that holds the token for --remote. Also SIGNER_TOKEN_FILE.",
)
@click.pass_context
def cli(ctx: click.Context, remote: str | None, token_file: Path | None) -> None:
    """Issue and verify sealed after-sales service confirmations (售后维修服务确认书)."""
    ctx.obj = (remote or "", token_file)


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
