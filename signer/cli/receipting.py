"""`signer receipt`: is a receipt genuine, and what does it say was asked and answered, and when."""

from __future__ import annotations

import json
import sys
from typing import IO, TYPE_CHECKING

import click

from signer import logs, settings, wiring
from signer.cli.console import LANGUAGE, language, no_verdict
from signer.domain.receipt import LicenceClaims
from signer.domain.values import format_instant
from signer.seal.certificates import printable
from signer.seal.receipt import MOST_BYTES, REASONS
from signer.verification import wording

if TYPE_CHECKING:
    from signer.domain.receipt import Claims, SourceClaims, Subject, VerdictClaims
    from signer.domain.trust import TrustList
    from signer.seal.receipt import Examined
    from signer.verification.wording import Language

EXITS = {"genuine": 0, "not-genuine": 1, "cannot-tell": 2}
_STATES = {
    "genuine": ("真实", "genuine"),
    "not-genuine": ("不真实", "not genuine"),
    "cannot-tell": ("无法判断", "cannot tell"),
}
_LIST = ("信任名单", "trust list")
_ONE_MOMENT = (
    "只说明那一时刻，不说明今天：使用当日请再核验。",
    "It states one moment and says nothing about today: check again on the day you use it.",
)
_MOST_LINE = 4000


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@LANGUAGE
def receipt(file: IO[bytes], as_json: bool, lang: str | None) -> None:
    """
    Tell whether FILE (`-`: standard input) is a genuine receipt; what was asked and answered, when, under which list.

    Needs the pinned root and a trust list, no register. Exit 0 genuine, 1 not genuine, 2 cannot tell: its key is not on
    the list or is revoked or suspended, the list is over or older than the receipt. It says nothing about today.
    """
    spoken = language(lang)
    with no_verdict(spoken):
        chosen = settings.load()
        logs.configure(chosen.log_level)
        house = wiring.wire(chosen)
        name, data = str(getattr(file, "name", "-")), file.read(MOST_BYTES + 1)
        found, trust = house.receipts.examine(data), house.receipts.trust_list()
    if as_json:
        click.echo(json.dumps(_json(name, found, trust), ensure_ascii=False))
    else:
        for line in _lines(name, found, trust, spoken):
            click.echo(printable(line, most=_MOST_LINE))
    sys.exit(EXITS[found.state])


def _json(name: str, found: Examined, trust: TrustList) -> dict[str, object]:
    return {
        "file": name,
        "state": found.state,
        "reason": found.reason,
        "detail": found.detail or None,
        "signed_by": found.entry.legal_name if found.entry else None,
        "trust_list": {"sequence": trust.sequence, "issued": format_instant(trust.issued), "test": trust.test},
        "claims": found.claims.model_dump(mode="json", exclude_none=True) if found.claims else None,
    }


def _lines(name: str, found: Examined, trust: TrustList, spoken: Language) -> list[str]:
    told = f"{name}: {_pick(_STATES[found.state], spoken)}{' TEST' if trust.test else ''}"
    if found.reason is not None:
        told += f" [{found.reason}]: {_pick(REASONS[found.reason][1:], spoken)} ({found.detail})"
    if found.claims is None or found.entry is None:
        return [told]
    signed = f"{found.entry.legal_name}, {found.claims.iss}, {_pick(_LIST, spoken)} {trust.sequence}"
    rows = [
        ("receipt", found.claims.jti),
        ("when", wording.beijing(found.claims.at)),
        ("signed-by", f"{signed} ({format_instant(trust.issued)})"),
        *_answered(found.claims),
    ]
    widest = max(len(label) for label, _ in rows) + 2
    return [told, *(f"  {label:{widest}}{value}" for label, value in rows if value), f"  {_pick(_ONE_MOMENT, spoken)}"]


def _answered(claims: Claims) -> list[tuple[str, str]]:
    question = claims.question
    asked = [
        ("vins", " ".join(question.vins)),
        ("tail", question.tail or ""),
        ("destination", question.destination or ""),
        ("exporter", question.exporter or ""),
        ("applied-on", question.applied_on.isoformat() if question.applied_on else ""),
    ]
    if isinstance(claims, LicenceClaims):
        table = f"{claims.outcome.upper()}: {claims.matched}/{claims.asked} VIN"
        rows = [("row", " ".join(filter(None, (row.vin, row.state, row.number)))) for row in claims.rows]
        sources = [("source", f"{_subject(source.subject)}: {_said(source)}") for source in claims.sources]
        return [*asked[1:], ("answer", table), *rows, *sources]
    return [("asked", _subject(claims.subject)), *asked, ("answer", _said(claims)), *_coverage(claims)]


def _coverage(claims: VerdictClaims) -> list[tuple[str, str]]:
    coverage = claims.coverage
    found = [("row", f"{line.vin} {line.state}") for line in coverage.vins]
    compared = (("destination", coverage.destination), ("exporter", coverage.exporter))
    return found + [("row", f"{name} {state}") for name, state in compared if state != "not-asked"]


def _said(told: VerdictClaims | SourceClaims) -> str:
    issuer = told.issuer.name if told.issuer else ""
    return " ".join(filter(None, (told.code, told.reason, told.number, issuer)))


def _subject(subject: Subject) -> str:
    plain = subject.model_dump(mode="json")
    return ", ".join(f"{name} {' '.join(value) if isinstance(value, list) else value}" for name, value in plain.items())


def _pick(texts: tuple[str, ...], spoken: Language) -> str:
    return texts[0 if spoken == "zh" else 1]
