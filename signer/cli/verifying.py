"""`signer verify` and `signer lookup`: verdicts, as words or as JSON."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from signer import logs, settings, wiring
from signer.cli.bundling import ROOTS, read_roots, take_all
from signer.cli.console import FILES, LANGUAGE, language, no_verdict
from signer.cli.house import services
from signer.domain.evidence import Asked
from signer.domain.parties import normalise_uscc
from signer.domain.vehicle import normalise_vin
from signer.seal.findings import QUESTIONS
from signer.seal.precheck import MOST_BYTES
from signer.services.evidence_opening import MOST_BYTES as MOST_ZIP
from signer.services.evidence_opening import SIGNATURE as ZIP
from signer.verification import report, wording

if TYPE_CHECKING:
    from signer.domain.verdict import Verdict
    from signer.services.answering import Answering
    from signer.services.evidence_judging import Judged
    from signer.services.receipts import Receipt
    from signer.verification.wording import Language
    from signer.wiring import Offline

WORST_FIRST = (1, 3, 2, 4, 0)
_QUESTIONS = {str(which): (asked.zh, asked.en) for which, asked in QUESTIONS.items()}
VINS = click.option("--vin", "vins", multiple=True, help="A VIN that must be covered; may be repeated.")
DESTINATION = click.option("--destination", default=None, help="The destination to compare, ISO 3166-1 alpha-2.")
EXPORTER = click.option("--exporter", default=None, help="The exporter's USCC to compare.")
APPLIED_ON = click.option(
    "--applied-on", default=None, metavar="DATE", help="The licence application's date (default: today in Beijing)."
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
ALLOW_TEST = click.option("--allow-test", is_flag=True, help="Let a green TEST answer exit 0 (else 3).")


@click.command()
@FILES
@AS_JSON
@VINS
@DESTINATION
@EXPORTER
@APPLIED_ON
@ALLOW_TEST
@click.option("--offline", is_flag=True, help="Ask no register: judge by imported bundles, or by those named.")
@click.option(
    "--bundle",
    "bundles",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A bundle or delta to judge by, with --offline; may be repeated, the oldest first.",
)
@ROOTS
@LANGUAGE
def verify(
    files: tuple[Path, ...],
    as_json: bool,
    vins: tuple[str, ...],
    destination: str | None,
    exporter: str | None,
    applied_on: str | None,
    allow_test: bool,
    offline: bool,
    bundles: tuple[Path, ...],
    roots: tuple[Path, ...],
    lang: str | None,
) -> None:
    """Verify files, and (offline) evidence bundles. Exit 0 green, 1 red, 2 amber, 3 grey, 4 blue; the worst one."""
    asked = asked_of(vins, destination, exporter, applied_on)
    if (bundles or roots) and not offline:
        raise click.UsageError("--bundle and --root go with --offline")
    exits, spoken = [], language(lang)
    with no_verdict(spoken), ExitStack() as stack:
        far = _offline(bundles, roots, stack) if offline else None
        house: Answering = far or services()
        for file in files:
            subject, data = {"file": str(file)}, read_file(file, most_bytes=MOST_ZIP if far else MOST_BYTES)
            if far is not None and not bundles and data.startswith(ZIP):
                judged = far.evidence.file(data, asked, pinned=read_roots(far.settings, roots))
                verdict, subject = judged.verdict, subject | {"evidence": told(judged)}
            elif roots and not bundles:
                raise click.UsageError("--root goes with --bundle, or with an evidence bundle")
            else:
                verdict = house.verifying.file(data, asked)
            exits.append(verdict.exit_code(allow_test=allow_test))
            receipt = house.receipts.of_file(verdict, data, asked) if as_json else None
            _show(subject, verdict, spoken, receipt, as_json=as_json)
    sys.exit(min(exits, key=WORST_FIRST.index))


@click.command()
@click.argument("numbers", nargs=-1, required=True)
@click.option("--tail", default=None, help="The last six characters of one of the VINs.")
@VINS
@DESTINATION
@EXPORTER
@APPLIED_ON
@AS_JSON
@ALLOW_TEST
@LANGUAGE
def lookup(
    numbers: tuple[str, ...],
    tail: str | None,
    vins: tuple[str, ...],
    destination: str | None,
    exporter: str | None,
    applied_on: str | None,
    as_json: bool,
    allow_test: bool,
    lang: str | None,
) -> None:
    """Look NUMBER up with the tail of one VIN; or NUMBERS with all VINs, destination and exporter. Exits as verify."""
    asked, spoken = asked_of(vins, destination, exporter, applied_on), language(lang)
    if (tail is None or len(numbers) != 1) and (tail is not None or not vins):
        raise click.UsageError("give one NUMBER with --tail, or NUMBERs with every --vin, --destination and --exporter")
    with no_verdict(spoken):
        house = services()
        verdict = (
            house.lookups.covered(numbers, asked, network="cli")
            if tail is None
            else house.lookups.by_tail(numbers[0], tail, network="cli", asked=asked)
        )
        receipt = house.receipts.of_record(verdict, asked, numbers=numbers, tail=tail) if as_json else None
    _show({"numbers": ", ".join(numbers)}, verdict, spoken, receipt, as_json=as_json)
    sys.exit(verdict.exit_code(allow_test=allow_test))


def _offline(bundles: tuple[Path, ...], roots: tuple[Path, ...], stack: ExitStack) -> Offline:
    """Wire a verifier without register: over the bundles named, unpacked for as long as it takes, or those imported."""
    chosen = settings.load()
    logs.configure(chosen.log_level)
    if not bundles:
        return wiring.wire_offline(chosen)
    house = wiring.wire_offline(chosen, folder=Path(stack.enter_context(TemporaryDirectory(prefix="signer-"))))
    take_all(house.shelf, bundles, pinned=read_roots(chosen, roots), tell=False)
    return house


def asked_of(vins: tuple[str, ...], destination: str | None, exporter: str | None, applied_on: str | None) -> Asked:
    """Return what is compared. Raises click.BadParameter."""
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


def _show(
    subject: dict[str, str], verdict: Verdict, spoken: Language, receipt: Receipt | None, *, as_json: bool
) -> None:
    if as_json:
        token = receipt.token if receipt else None
        plain = report.as_json(verdict, spoken, check_texts=_QUESTIONS, receipt=token)
        click.echo(json.dumps({**subject, **plain}, ensure_ascii=False))
        return
    for one in (verdict, *verdict.others):
        test = " TEST" if one.test else ""
        click.echo(f"{next(iter(subject.values()))}: {one.code}{test} {one.number or ''}".rstrip())
        click.echo(f"  {wording.sentence(one, spoken)}")
        if "evidence" in subject:
            click.echo(f"  - evidence bundle: {subject['evidence']}")
        for check in one.checks:
            if check.argues_for is not None:
                click.echo(f"  - {wording.check(check, spoken, _QUESTIONS)}")


def told(judged: Judged) -> str:
    """Say by what an evidence bundle was judged."""
    parts = [f"trust list {judged.trust_list}"]
    parts += [f"record as of {judged.record_as_of:%Y-%m-%dT%H:%M:%SZ}"] if judged.record_as_of else []
    parts += [f"status list as of {judged.status_as_of:%Y-%m-%dT%H:%M:%SZ}"] if judged.status_as_of else []
    parts += [f"log of {judged.log_size} leaves"] if judged.log_size is not None else []
    return ", ".join(parts)


def read_pdf(path: Path) -> bytes:
    """Read a file to be verified: one byte over the cap is enough to be told that it is too large."""
    return read_file(path, most_bytes=MOST_BYTES)


def read_file(path: Path, *, most_bytes: int) -> bytes:
    """Read a file, and one byte over the cap at most."""
    try:
        with path.open("rb") as file:
            return file.read(most_bytes + 1)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}") from error
