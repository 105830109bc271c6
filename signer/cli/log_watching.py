"""`signer log verify|prove|monitor|tag`: proofs for anybody, and watching a log from outside."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signer import logs, settings, wiring
from signer.cli.console import LANGUAGE, MANUFACTURER, language, no_verdict
from signer.cli.house import number_of, read_whole, services
from signer.cli.log_keeping import log
from signer.cli.verifying import read_pdf
from signer.domain import log_leaf
from signer.domain.log_leaf import LeafType
from signer.domain.values import format_instant
from signer.errors import InvalidInput, NotFound
from signer.outbound import OPERATORS, Client
from signer.register.blobs import write_whole
from signer.seal import log_trust, trust
from signer.services import log_monitor
from signer.transparency import checkpoints, notes, proofs
from signer.transparency.merkle import ProofInvalid
from signer.transparency.notes import NotSigned

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.log_leaf import LogProof
    from signer.domain.trust import TrustList
    from signer.services.log_monitor import Look, Published
    from signer.transparency.notes import NoteKey, Signature

ALARM, UNKNOWN = 1, 2
"""Exits of these commands: 0 proven or nothing wrong, 1 not proven or an alarm, 2 it cannot be told."""
_MOST_KEY, _KEY_BYTES = 10_000, 32
KEYS = click.option(
    "--key", "keys", multiple=True, metavar="NAME+ID+KEY", help="A log or witness that counts; may be repeated."
)


@log.command()
@click.argument("file", type=click.Path(path_type=Path))
@KEYS
@click.option(
    "--checkpoint",
    "checkpoint",
    type=click.Path(path_type=Path),
    help="A checkpoint that you trust already: the leaf must stand in its very tree.",
)
@LANGUAGE
def verify(file: Path, keys: tuple[str, ...], checkpoint: Path | None, lang: str | None) -> None:
    """Verify FILE: a log-proof.json, or a PDF that holds one. Exit 0 proven, 1 not, 2 if its log does not count."""
    with no_verdict(language(lang)):
        proof = log_leaf.parse_proof(_proof_in(file))
        try:
            seen: tuple[Signature, ...] = ()
            if checkpoint is not None:
                head = checkpoints.parse(notes.split(_text(checkpoint))[0])
                leaf = proofs.prove(proof, head)
            else:
                proven = proofs.verify(proof, tuple(map(notes.parse_key, keys)) or _listed_keys(proof))
                head, leaf, seen = proven.signed.checkpoint, proven.leaf, proven.signed.witnesses
        except NotSigned as error:
            click.echo(f"{file}: not told: {error.reason}")
            sys.exit(UNKNOWN)
        except ProofInvalid as error:
            click.echo(f"{file}: not proven: {error.reason}")
            sys.exit(ALARM)
    click.echo(f"{file}: proven: {leaf.type} of {proof.opening.number}, {format_instant(leaf.at)}")
    click.echo(f"  leaf {proof.index} of {head.size} in {head.origin}, digest {proof.opening.digest}")
    for each in seen:
        click.echo(f"  seen by {each.key.name} at {format_instant(each.at) if each.at else '-'}")


def _proof_in(file: Path) -> bytes:
    """Return the proof: the file itself, or what lies in a PDF, read behind walls. Raises NotFound."""
    data = read_pdf(file)
    if not data.startswith(b"%PDF-"):
        return data
    wired, at = services(), wiring.now()
    seal = wired.trust.judge_patiently(data, wired.trust.current(at), at)
    found = seal.log_proof
    if found is None:
        raise NotFound(f"{file} holds no log proof" + (f" ({seal.reason})" if seal.reason else ""))
    return base64.b64decode(found)


def _listed_keys(proof: LogProof) -> tuple[NoteKey, ...]:
    """Return the keys that the trust list in use names for the minute of the leaf."""
    wired = services()
    return log_trust.keys(wired.trust.current(wiring.now()), at=log_leaf.Leaf.parse(proof.leaf_bytes).at)


@log.command()
@click.argument("number")
@click.option(
    "--type", "kind", type=click.Choice([each.value for each in LeafType]), default="issued", show_default=True
)
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Where to write it; else standard output.")
def prove(number: str, kind: str, out: Path | None) -> None:
    """Write the proof that a leaf about NUMBER is in the log: a log-proof.json."""
    proof = services().logbook.proof(number_of(number), LeafType(kind))
    if proof is None:
        raise NotFound(f"the log holds no leaf {kind} of {number}")
    data = log_leaf.encode_proof(proof)
    if out is None:
        click.echo(data.decode())
        return
    write_whole(out, data)
    click.echo(f"{out}: leaf {proof.index}, {len(data)} bytes")


@log.command()
@MANUFACTURER
def tag(manufacturer: str) -> None:
    """Write the key by which a manufacturer finds its own leaves (hexadecimal): hand it over as a secret."""
    wired = services()
    click.echo(wired.logbook.key_of(manufacturer).hex())


@log.command()
@click.argument("place")
@click.option(
    "--state", "memory", required=True, type=click.Path(path_type=Path), help="What was seen last; made anew."
)
@KEYS
@click.option("--trust-list", "listed", default=None, metavar="FILE_OR_URL", help="The signed trust list, with --root.")
@click.option("--root", type=click.Path(path_type=Path), default=None, help="The root of trust lists (PEM).")
@click.option("--uscc", default=None, help="Cry out every new entry of the trust list under this USCC.")
@click.option("--tag-file", type=click.Path(path_type=Path), default=None, help="The key from `signer log tag`.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@LANGUAGE
def monitor(
    place: str,
    memory: Path,
    keys: tuple[str, ...],
    listed: str | None,
    root: Path | None,
    uscc: str | None,
    tag_file: Path | None,
    as_json: bool,
    lang: str | None,
) -> None:
    """
    Look once at the log at PLACE, a URL or a folder. Exit 0 all follows, 1 an alarm, 2 it cannot be told.

    Run it again and again, each time with the same --state.
    """
    chosen = settings.load()
    logs.configure(chosen.log_level)
    with no_verdict(language(lang)):
        at = wiring.now()
        found = None if listed is None else _trust(listed, root, at)
        maker = log_monitor.Maker(key=None if tag_file is None else _hex(tag_file), uscc=uscc, trust=found)
        known = (*map(notes.parse_key, keys), *(log_trust.keys(found, at=at) if found else ()))
        state = log_monitor.parse_state(memory.read_bytes()) if memory.exists() else None
        try:
            done = log_monitor.look(_published(place), known, state, maker)
        except (log_monitor.LogUnreadable, NotSigned) as error:
            click.echo(f"{place}: not told: {error}", err=True)
            sys.exit(UNKNOWN)
        write_whole(memory, log_monitor.encode_state(done.state))
    _tell(place, done, as_json=as_json)
    sys.exit(ALARM if done.cries else 0)


def _published(place: str) -> Published:
    if "://" in place:
        return log_monitor.LogAtAddress(place, Client(OPERATORS))
    return log_monitor.LogInFolder(Path(place))


def _trust(place: str, root: Path | None, at: datetime) -> TrustList:
    """Read a trust list that a pinned root signed. Raises InvalidInput, TrustListStale, Misconfigured."""
    if root is None:
        raise InvalidInput("--root", "goes with --trust-list: whose lists are believed")
    if "://" in place:
        data = Client(OPERATORS).get(place, most=trust.MOST_BYTES).body
    else:
        data = read_whole(Path(place), most=trust.MOST_BYTES)
    return trust.load(data, root=trust.read_root(read_whole(root, most=_MOST_KEY)), at=at)


def _hex(path: Path) -> bytes:
    try:
        found = bytes.fromhex(_text(path).strip())
    except ValueError as error:
        raise InvalidInput("--tag-file", "holds no hexadecimal digits") from error
    if len(found) != _KEY_BYTES:
        raise InvalidInput("--tag-file", f"has not {_KEY_BYTES} bytes")
    return found


def _text(path: Path) -> str:
    return read_whole(path, most=notes.MOST_BYTES).decode("utf-8", "replace")


def _tell(place: str, done: Look, *, as_json: bool) -> None:
    """Say what was seen: the head, the new leaves of mine, the alarms last."""
    head = done.signed.checkpoint
    if as_json:
        leaves = [
            {"index": each.index, "running": each.running, "type": each.leaf.type, "at": format_instant(each.leaf.at)}
            for each in done.mine
        ]
        told = {
            "origin": head.origin,
            "size": head.size,
            "root": head.root.hex(),
            "witnesses": [each.key.name for each in done.signed.witnesses],
            "leaves": leaves,
            "alarms": [{"alarm": cry.alarm, "detail": cry.detail} for cry in done.cries],
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"{place}: {head.origin}, {head.size} leaves")
    for seen in done.signed.witnesses:
        click.echo(f"  seen by {seen.key.name} at {format_instant(seen.at) if seen.at else '-'}")
    for each in done.mine:
        click.echo(
            f"  mine: leaf {each.index}, number {each.running}, {each.leaf.type}, {format_instant(each.leaf.at)}"
        )
    for cry in done.cries:
        click.echo(f"  ALARM {cry.alarm}: {cry.detail}")
