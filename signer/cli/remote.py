"""`signer --remote URL issue` and `verify`: the same words and exits, asked of another deployment's API."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from signer.cli.console import FILES, LANGUAGE, REFUSED, complain, language, no_verdict, tell
from signer.cli.house import read, refuse_unwritable, write
from signer.cli.verifying import (
    ALLOW_TEST,
    APPLIED_ON,
    AS_JSON,
    DESTINATION,
    EXPORTER,
    VINS,
    WORST_FIRST,
    asked_of,
    read_pdf,
)
from signer.domain import json_text
from signer.errors import InvalidInput, NotFound, SignerError
from signer.outbound import OPERATORS, Client
from signer.services.remote import Remote

if TYPE_CHECKING:
    from signer.services.remote import Judged, Waiting
    from signer.verification.wording import Language

_TOTAL_S: Final = 60.0
_POLL_S: Final = 5.0
_OPEN: Final = frozenset({"waiting", "approved"})
_MOST_TOKEN: Final = 200


@click.command()
@FILES
@click.option("--key", default=None, help="Idempotency key; unless given, the digest of the draft.")
@click.option("--title", default="", help="A title for people; unless given, the file's name.")
@click.option("--wait", is_flag=True, help="Ask until it is issued or returned, and write NUMBER.pdf.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for the PDFs, with --wait.")
@LANGUAGE
@click.pass_obj
def issue(
    obj: tuple[str, Path | None],
    files: tuple[Path, ...],
    key: str | None,
    title: str,
    wait: bool,
    out: Path | None,
    lang: str | None,
) -> None:
    """
    Keep each draft (signer.draft/1, JSON) and send it for approval; nothing is sealed before another person approves.

    A file that is refused leaves nothing behind. Asked again with the same key, nothing is done twice.
    """
    spoken = language(lang)
    if wait != (out is not None):
        raise click.UsageError("--wait and --out go together")
    if out is not None:
        refuse_unwritable(out)
    remote = _remote(obj, spoken)
    if not remote.token:
        raise click.UsageError("to issue, name the token's file: --token-file or SIGNER_TOKEN_FILE")
    done = []
    for file in files:
        chosen = f"{key}/{file.name}" if key and len(files) > 1 else key
        done.append(_issue(remote, file, chosen, title, out, spoken))
    sys.exit(0 if all(done) else REFUSED)


@click.command()
@FILES
@AS_JSON
@VINS
@DESTINATION
@EXPORTER
@APPLIED_ON
@ALLOW_TEST
@LANGUAGE
@click.pass_obj
def verify(
    obj: tuple[str, Path | None],
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
    asked, spoken, exits = asked_of(vins, destination, exporter, applied_on), language(lang), []
    with no_verdict(spoken):
        remote = _remote(obj, spoken)
        for file in files:
            judged = remote.verify(read_pdf(file), asked)
            exits.append(judged.exit_code(allow_test=allow_test))
            _show(file, judged, spoken, as_json=as_json)
    sys.exit(min(exits, key=WORST_FIRST.index))


def _remote(obj: tuple[str, Path | None], spoken: Language) -> Remote:
    url, file = obj
    return Remote(client=Client(OPERATORS, total_s=_TOTAL_S), url=url, token=_token(file), language=spoken)


def _token(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        token = file.read_text(encoding="ascii")[:_MOST_TOKEN].strip()
    except (OSError, ValueError) as error:
        raise NotFound(f"{file} holds no token that can be read") from error
    if not token.isprintable() or " " in token:
        raise InvalidInput("--token-file", f"{file} holds no token")
    return token


def _issue(remote: Remote, file: Path, key: str | None, title: str, out: Path | None, spoken: Language) -> bool:
    try:
        data = read(file)
        chosen = key or f"cli-{hashlib.sha256(data).hexdigest()}"
        sent = remote.submit(json_text.load(data), title=title or file.stem[:120], key=chosen)
        for finding in sent.told:
            tell(finding, spoken)
        if out is not None:
            sent = _awaited(remote, sent)
        return _told(remote, file, sent, out)
    except SignerError as error:
        complain(str(file), error, spoken)
        return False


def _awaited(remote: Remote, sent: Waiting) -> Waiting:
    while sent.state in _OPEN and not sent.error:
        time.sleep(_POLL_S)
        sent = remote.follow(sent.ref)
    return sent


def _told(remote: Remote, file: Path, sent: Waiting, out: Path | None) -> bool:
    """Say how a draft stands, and write what was issued; tell whether it can still be, or was."""
    if sent.number is None or sent.state != "issued":
        told = "".join(f": {word}" for word in (sent.reason, sent.error) if word)
        click.echo(f"{file}: {sent.state}{told}, approval {sent.ref}, needed by {sent.needed_by}")
        return sent.state in _OPEN and not sent.error
    path = (out or Path()) / f"{sent.number}.pdf"
    if out is not None:
        write(path, remote.file(sent.number))
    click.echo(f"{file}: {sent.number}{f' -> {path}' if out is not None else ''}")
    return True


def _show(file: Path, judged: Judged, spoken: Language, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"file": str(file), **judged.plain}, ensure_ascii=False))
        return
    test = " TEST" if judged.test else ""
    click.echo(f"{file}: {judged.code}{test} {judged.number or ''}".rstrip())
    if said := judged.sentence(spoken):
        click.echo(f"  {said}")
    for check in judged.checks:
        if check.state != "passed":
            click.echo(f"  - {check.text}")
