"""The command line: it translates, and decides nothing. Exit codes are in docs/reference/cli.md."""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signer import settings, wiring
from signer.domain import drafting
from signer.domain.evidence import Asked
from signer.domain.number import Number
from signer.domain.parties import normalise_uscc
from signer.domain.vehicle import normalise_vin
from signer.errors import InvalidInput, NotFound, RuleViolation, SignerError, StorageUnavailable
from signer.register.blobs import write_whole
from signer.seal.findings import QUESTIONS
from signer.seal.precheck import MOST_BYTES
from signer.services.issue import Order
from signer.services.trust import make_test_pki
from signer.verification import report, wording

if TYPE_CHECKING:
    from signer.domain.verdict import Verdict
    from signer.errors import Finding
    from signer.services.issue import Issued
    from signer.verification.wording import Language

REFUSED, USAGE, INTERNAL = 1, 64, 70
_EXIT_ORDER = (1, 3, 2, 4, 0)
_QUESTIONS = {str(which): (asked.zh, asked.en) for which, asked in QUESTIONS.items()}
_LANGUAGE = click.option("--lang", type=click.Choice(["zh", "en"]), default=None, help="Language of sentences.")


def _language(chosen: str | None) -> Language:
    spoken = chosen or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "zh" if spoken.startswith("zh") else "en"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=None, version=wiring.VERSION, prog_name="signer")
def cli() -> None:
    """Issue and verify sealed after-sales service confirmations (售后维修服务确认书)."""


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "manufacturer", required=True, help="The manufacturer: USCC or legal name.")
@click.option("--preparer", required=True, help="The person who prepared the draft (id).")
@click.option("--approver", required=True, help="Another person, who approves it (id).")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the PDFs.")
@click.option("--key", default=None, help="Idempotency key: the same key and draft give the same document.")
@_LANGUAGE
def issue(
    files: tuple[Path, ...], manufacturer: str, preparer: str, approver: str, out: Path, key: str | None, lang: str | None
) -> None:
    """Seal each draft (signer.draft/1, JSON) and write NUMBER.pdf. A file that is refused leaves nothing behind."""
    issuing = wiring.wire_ready(settings.load()).issuing
    language, refused = _language(lang), 0
    _refuse_unwritable(out)
    for file in files:
        try:
            order = Order(
                draft=drafting.parse_draft(_read(file)),
                manufacturer=manufacturer,
                preparer=preparer,
                approver=approver,
                origin="cli",
                key=f"{key}/{file.name}" if key and len(files) > 1 else key,
            )
            _deliver(file, issuing.issue(order), out, language)
        except SignerError as error:
            refused += 1
            _complain(str(file), error, language)
    sys.exit(REFUSED if refused else 0)


def _deliver(file: Path, issued: Issued, out: Path, language: Language) -> None:
    for finding in issued.findings:
        _tell(finding, language)
    path = out / f"{issued.number}.pdf"
    try:
        write_whole(path, issued.pdf)
    except OSError as error:
        raise StorageUnavailable(
            f"{issued.number} IS issued, but {path} cannot be written ({error.strerror}): "
            f"run `signer fetch {issued.number} --out FOLDER`"
        ) from error
    click.echo(f"{file}: {issued.number} {'(again) ' if issued.is_replay else ''}-> {path}")


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--vin", "vins", multiple=True, help="A VIN that must be covered; may be repeated.")
@click.option("--destination", default=None, help="The destination to compare, ISO 3166-1 alpha-2.")
@click.option("--exporter", default=None, help="The exporter's USCC to compare.")
@click.option("--applied-on", default=None, metavar="DATE", help="The licence application's date (default: today in Beijing).")
@click.option("--allow-test", is_flag=True, help="Let a green TEST answer exit 0 (else 3).")
@_LANGUAGE
def verify(
    files: tuple[Path, ...],
    as_json: bool,
    vins: tuple[str, ...],
    destination: str | None,
    exporter: str | None,
    applied_on: str | None,
    allow_test: bool,
    lang: str | None,
) -> None:
    """Verify files. Exit 0 green, 1 red, 2 amber, 3 grey, 4 blue; the worst of several."""
    asked = _asked(vins, destination, exporter, applied_on)
    verifying = wiring.wire_ready(settings.load()).verifying
    exits, language = [], _language(lang)
    for file in files:
        verdict = verifying.file(_read_pdf(file), asked)
        exits.append(verdict.exit_code(allow_test=allow_test))
        _show(file, verdict, language, as_json=as_json)
    sys.exit(min(exits, key=_EXIT_ORDER.index))


def _asked(vins: tuple[str, ...], destination: str | None, exporter: str | None, applied_on: str | None) -> Asked:
    try:
        day = date.fromisoformat(applied_on) if applied_on else None
    except ValueError as error:
        raise click.BadParameter("a date is written YYYY-MM-DD", param_hint="--applied-on") from error
    return Asked(
        vins=tuple(dict.fromkeys(normalise_vin(vin) for vin in vins)),
        destination=destination.strip().upper() if destination else None,
        exporter=normalise_uscc(exporter) if exporter else None,
        applied_on=day,
    )


def _show(file: Path, verdict: Verdict, language: Language, *, as_json: bool) -> None:
    if as_json:
        plain = report.as_json(verdict, language, check_texts=_QUESTIONS)
        click.echo(json.dumps({"file": str(file), **plain}, ensure_ascii=False))
        return
    test = " TEST" if verdict.test else ""
    click.echo(f"{file}: {verdict.code}{test} {verdict.number or ''}".rstrip())
    click.echo(f"  {wording.banner(verdict.code, language)}. {wording.sentence(verdict, language)}")
    for check in verdict.checks:
        if check.argues_for is not None:
            click.echo(f"  - {wording.check(check, language, _QUESTIONS)}")


@cli.command()
@click.argument("number")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the PDF.")
def fetch(number: str, out: Path) -> None:
    """Write an issued confirmation's PDF again."""
    try:
        parsed = Number.parse(number)
    except ValueError as error:
        raise InvalidInput("NUMBER", f"is not a number of ours ({error})") from error
    _refuse_unwritable(out)
    path = out / f"{parsed}.pdf"
    pdf = wiring.wire_ready(settings.load()).issuing.fetch(parsed)
    _write(path, pdf)
    click.echo(str(path))


@cli.group()
def db() -> None:
    """Look after the register's schema."""


@db.command()
def upgrade() -> None:
    """Bring the schema up to this code."""
    services = wiring.wire(settings.load())
    services.settings.data_dir.mkdir(parents=True, exist_ok=True)
    services.database.upgrade()
    click.echo(f"schema {services.database.version()}")


@db.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the schema down to REVISION (`base` empties it)."""
    services = wiring.wire(settings.load())
    services.database.downgrade(revision)
    click.echo(f"schema {services.database.version() or 'empty'}")


@db.command()
def check() -> None:
    """Refuse a schema that is behind or ahead of this code."""
    services = wiring.wire_ready(settings.load())
    click.echo(f"schema {services.database.version()}")


@cli.command("load-parties")
@click.argument("file", type=click.Path(path_type=Path))
def load_parties(file: Path) -> None:
    """Bring manufacturers, outlets, exporters, people and roles in from a JSON file, wholly or not at all."""
    found = wiring.wire_ready(settings.load()).people.load(_read(file), actor="cli")
    click.echo(f"{len(found.manufacturers)} manufacturers, {len(found.exporters)} exporters, {len(found.people)} people")


@cli.command("make-test-pki")
@click.argument("description", type=click.Path(path_type=Path))
def make_test_pki_(description: Path) -> None:
    """Make TEST keys, certificates and a trust list from a pki.yaml, and enrol the seals. Keeps what is there."""
    chosen = settings.load()
    services = wiring.wire_ready(chosen)
    at = wiring.now()
    key_refs = make_test_pki(chosen, _read(description), at=at)
    count = services.people.enrol_seals(services.trust.current(at), key_refs, actor="cli")
    click.echo(f"{count} TEST seals enrolled; the trust list is {chosen.trust_list_path}")


@cli.command()
@click.option("--older-than-minutes", default=10, show_default=True, help="Only records pending for longer.")
def maintain(older_than_minutes: int) -> None:
    """Abandon records whose sealing never completed; their numbers are never used again."""
    services = wiring.wire_ready(settings.load())
    for number in services.issuing.abandon_stale(timedelta(minutes=older_than_minutes)):
        click.echo(f"{number}: abandoned")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(drafting.MOST_DRAFT_BYTES + 1)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from error


def _read_pdf(path: Path) -> bytes:
    """Read a file to be verified: one byte over the cap is enough to be told that it is too large."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}") from error


def _refuse_unwritable(folder: Path) -> None:
    """Make the folder, and try it, before anything is sealed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{secrets.token_hex(8)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StorageUnavailable(f"{folder} cannot be written: {error.strerror}") from error


def _write(path: Path, data: bytes) -> None:
    try:
        write_whole(path, data)
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be written: {error.strerror}") from error


def _tell(finding: Finding, language: Language) -> None:
    text = finding.zh if language == "zh" else finding.en
    click.echo(f"  {finding.severity}: {finding.pointer or '/'}: {text} [{finding.rule}]", err=True)


def _complain(subject: str, error: SignerError, language: Language) -> None:
    if isinstance(error, RuleViolation):
        click.echo(f"{subject}: refused, {len(error.violations)} to mend [{error.code}]", err=True)
        for finding in error.violations:
            _tell(finding, language)
    else:
        click.echo(f"{subject}: {error} [{error.code}]", err=True)
    for note in getattr(error, "__notes__", ()):
        click.echo(f"  {note}", err=True)


def main() -> None:
    """Run the command line; every ending has its exit code."""
    try:
        cli.main(standalone_mode=False)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except SignerError as error:
        _complain("signer", error, _language(None))
        sys.exit(REFUSED)
    except Exception:  # the outermost edge: log it under an id, show nothing of it
        incident = secrets.token_hex(4)
        logging.getLogger("signer").exception("incident %s", incident)
        click.echo(f"signer: an internal error, incident {incident}", err=True)
        sys.exit(INTERNAL)
