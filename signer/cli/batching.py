"""`signer batch`: a file of vehicles becomes many confirmations, approved by one word."""

from __future__ import annotations

import secrets
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signer import jobs as waking
from signer.cli.console import LANGUAGE, MANUFACTURER, REFUSED, language
from signer.cli.house import read, read_whole, refuse_unwritable, services
from signer.domain import drafting
from signer.domain.batch import MOST_GROUPED, BatchState, ItemState
from signer.errors import StorageUnavailable
from signer.services.batching import Word
from signer.services.importing import Asked
from signer.sheets.reading import MOST_LONG_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click._termui_impl import ProgressBar

    from signer.domain.confirmation import DraftCommitment
    from signer.domain.importing import Said
    from signer.domain.parties import Uscc
    from signer.services.batching import Batching, Shown
    from signer.verification.wording import Language
    from signer.wiring import Services

_LOOK_S = 1.0
_STEP = timedelta(seconds=1)
"""How often a bar moves."""
_MOST_SHOWN, _MOST_COUNTED = 40, 8
_AT_WORK = (BatchState.RUNNING,)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@MANUFACTURER
@click.option("--preparer", required=True, help="The person who prepared the file (id).")
@click.option("--approver", default=None, help="Another person, who approves all of it (id); else it waits for one.")
@click.option("--yes", is_flag=True, help="Approve without being asked.")
@click.option(
    "--per",
    "size",
    default=1,
    type=click.IntRange(1, MOST_GROUPED),
    help="Vehicles of one destination and model on one confirmation; 1: each has its own.",
)
@click.option(
    "--commitment",
    "promise",
    default=None,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A draft (JSON) whose commitment all get; else that of the manufacturer's last draft.",
)
@click.option(
    "--follow", is_flag=True, help="Only watch how far it is: workers do it. Else this command seals as well."
)
@click.option(
    "--out", default=None, type=click.Path(path_type=Path, dir_okay=False), help="A ZIP for everything in the end."
)
@LANGUAGE
def batch(
    file: Path,
    manufacturer: str,
    preparer: str,
    approver: str | None,
    yes: bool,
    size: int,
    promise: Path | None,
    follow: bool,
    out: Path | None,
    lang: str | None,
) -> None:
    """
    Make a confirmation for each vehicle of FILE (CSV, XLSX or JSON Lines; up to 50,000), or for some of a kind.

    The file is judged as a whole first: with anything wrong in it nothing is made, and every fault is told by row and
    column. One approval binds every confirmation. Interrupt it at any time: what is sealed stays, and the same command
    goes on.
    """
    spoken = language(lang)
    if out is not None:
        refuse_unwritable(out.parent)
    data, commitment = read_whole(file, most=MOST_LONG_BYTES), _commitment(promise)
    wired = services()
    maker = wired.people.uscc_of(manufacturer)
    asked = Asked(person=preparer, maker=maker)
    ref, is_new = wired.batching.hand_in(asked, file_name=file.name, data=data, size=size, commitment=commitment)
    click.echo(f"{file}: batch {ref}{'' if is_new else ' (again)'}")
    shown = _read(wired, maker, ref)
    if shown.head.state is BatchState.FAULTY:
        _tell_faults(shown, spoken)
        sys.exit(REFUSED)
    _tell_summary(shown, spoken)
    shown = _approved(wired.batching, shown, maker, preparer=preparer, approver=approver, is_sure=yes)
    if follow:
        waking.wake(wired)
    if shown.head.state in _AT_WORK:
        shown = _work(wired, maker, ref, is_watching=follow)
    _end(wired, shown, maker, out, spoken)


def _commitment(promise: Path | None) -> DraftCommitment | None:
    return None if promise is None else drafting.parse_draft(read(promise)).commitment


def _read(wired: Services, maker: Uscc, ref: str) -> Shown:
    """Have a file read, by us or by a worker that was there first, and return the batch as it stands then."""
    shown = wired.batching.find(maker, ref)
    if shown.head.state is BatchState.READING:
        click.echo("reading …", err=True)
    while shown.head.state is BatchState.READING:
        if not wired.working.run_about({"batch": ref}):
            time.sleep(_LOOK_S)
        shown = wired.batching.find(maker, ref)
    return shown


def _tell_faults(shown: Shown, spoken: Language) -> None:
    violations = [said for said in shown.report.said if said.severity == "violation"]
    for said in violations[:_MOST_SHOWN]:
        click.echo(f"  {fault(said, spoken)}", err=True)
    if len(violations) > _MOST_SHOWN:
        click.echo(f"  … {len(violations) - _MOST_SHOWN} more; all: signer batches show {shown.head.ref}", err=True)
    click.echo(f"{shown.head.file_name}: refused, nothing was made [rule-violation]", err=True)


def fault(said: Said, spoken: Language) -> str:
    """Return one remark as a line: its cell, header, what was typed, why."""
    text = said.zh if spoken == "zh" else said.en
    typed = f" “{said.typed}”" if said.typed else ""
    where = f"{said.place} ({said.header}){typed}: " if said.place else ""
    return f"{where}{text} [{said.rule}]"


def _tell_summary(shown: Shown, spoken: Language) -> None:
    head, report = shown.head, shown.report
    click.echo(f"{head.vehicles} vehicles, {head.items} confirmations")
    summary = report.summary
    counted = {"destinations": summary.countries, "models": summary.models, "exporters": summary.exporters}
    for name, counts in counted.items():
        more = f", {len(counts) - _MOST_COUNTED} more" if len(counts) > _MOST_COUNTED else ""
        click.echo(f"  {name}: {', '.join(f'{what} {count}' for what, count in counts[:_MOST_COUNTED])}{more}")
    for said in report.said[:_MOST_SHOWN]:
        click.echo(f"  {said.severity}: {fault(said, spoken)}", err=True)
    if report.count > _MOST_SHOWN:
        click.echo(f"  … {report.count - _MOST_SHOWN} more", err=True)
    click.echo(f"root {'' if head.root is None else head.root.hex()}")


def _approved(
    batching: Batching, shown: Shown, maker: Uscc, *, preparer: str, approver: str | None, is_sure: bool
) -> Shown:
    """
    Send a batch and, if somebody is named who does, approve it; return it as it stands then.

    One that stands still for something that every item needs goes on: whoever calls again has mended it.
    """
    ref = shown.head.ref
    if shown.head.state is BatchState.HALTED:
        batching.go_on(ref, maker=maker, by=preparer)
        return batching.find(maker, ref)
    if shown.may_send:
        batching.send(ref, maker=maker, by=preparer)
        shown = batching.find(maker, ref)
    if not shown.may_decide:
        return shown
    if approver is None:
        click.echo(f"batch {ref} waits for an approver: signer batches approve {ref} --as {maker} --by PERSON")
        return shown
    give_word(batching, shown, maker, by=approver, is_sure=is_sure)
    return batching.find(maker, ref)


def give_word(batching: Batching, shown: Shown, maker: Uscc, *, by: str, is_sure: bool) -> None:
    """Approve a batch on the root that was just read, after a question unless somebody is sure."""
    head = shown.head
    root = "" if head.root is None else head.root.hex()
    if not is_sure:
        click.confirm(
            f"{by}: approve {head.items} confirmations of {head.vehicles} vehicles, {root[:16]}…?", abort=True
        )
    batching.approve(Word(ref=head.ref, maker=maker, by=by, root=root, factor="cli"))


def _work(wired: Services, maker: Uscc, ref: str, *, is_watching: bool) -> Shown:
    """Seal a batch to its end, or watch others do it; return it as it stands then. Whoever stops us stops nothing."""
    shown = wired.batching.find(maker, ref)
    with _bar(shown) as advance:
        while shown.head.state in _AT_WORK:
            ended = 0 if is_watching else wired.batch_running.run(ref, span=_STEP)
            if not ended:
                time.sleep(_LOOK_S)  # others do it
            shown = wired.batching.find(maker, ref)
            advance(shown)
    return shown


@contextmanager
def _bar(shown: Shown) -> Iterator[Callable[[Shown], None]]:
    """Show how far a batch is: a bar on a terminal, a line now and then elsewhere."""
    told = [shown.progress.done + shown.progress.failed]
    if not sys.stderr.isatty():

        def tell(now: Shown) -> None:
            over = now.progress.done + now.progress.failed
            if over * 10 // max(1, now.progress.items) != told[0] * 10 // max(1, now.progress.items):
                click.echo(line(now), err=True)
            told[0] = over

        yield tell
        return
    bar: ProgressBar[Shown] = click.progressbar(
        length=shown.progress.items,
        file=sys.stderr,
        show_eta=False,
        show_pos=True,
        item_show_func=lambda now: "" if now is None else _pace(now),
    )
    with bar:
        bar.update(told[0], shown)

        def advance(now: Shown) -> None:
            over = now.progress.done + now.progress.failed
            bar.update(over - told[0], now)
            told[0] = over

        yield advance


def line(shown: Shown) -> str:
    """Return how far a batch is, at what rate, how long still."""
    progress = shown.progress
    return f"{progress.done + progress.failed}/{progress.items} {_pace(shown)}".rstrip()


def _pace(shown: Shown) -> str:
    progress = shown.progress
    rate = f"{progress.rate:.0f} a minute" if progress.rate else ""
    left = f"{_spoken(progress.remaining)} left" if progress.remaining is not None else ""
    failed = f"{progress.failed} failed" if progress.failed else ""
    return ", ".join(part for part in (rate, left, failed) if part)


def _spoken(left: timedelta) -> str:
    minutes, seconds = divmod(int(left.total_seconds()), 60)
    return f"{minutes // 60}h{minutes % 60:02}m" if minutes >= 60 else f"{minutes}m{seconds:02}s"


def _end(wired: Services, shown: Shown, maker: Uscc, out: Path | None, spoken: Language) -> None:
    """Tell what came of a batch, and end with 1 unless all of it is sealed or it waits for somebody."""
    head, progress = shown.head, shown.progress
    click.echo(f"batch {head.ref}: {head.state}, {progress.done} sealed, {progress.failed} failed of {progress.items}")
    if (halted := shown.halted) is not None:
        click.echo(f"  {halted.zh if spoken == 'zh' else halted.en} [{halted.code}]", err=True)
    if progress.failed:
        tell_failed(wired.batching, maker, head.ref, spoken)
    if out is not None and head.state is BatchState.DONE:
        fetch(wired, maker, head.ref, out)
    sys.exit(0 if not progress.failed and head.state in (BatchState.DONE, BatchState.WAITING) else REFUSED)


def tell_failed(batching: Batching, maker: Uscc, ref: str, spoken: Language) -> None:
    """Name the first items that failed, each with why."""
    found = batching.items(maker, ref, states=(ItemState.FAILED,), limit=_MOST_SHOWN)
    for item in found[:_MOST_SHOWN]:
        why = "" if item.error is None else f"{item.error.zh if spoken == 'zh' else item.error.en} [{item.error.code}]"
        click.echo(f"  {item.place} (row {item.source}) {' '.join(item.vins)}: {why}", err=True)
    if len(found) > _MOST_SHOWN:
        click.echo("  …", err=True)


def fetch(wired: Services, maker: Uscc, ref: str, out: Path) -> None:
    """Write the ZIP of a batch, whole or not at all. StorageUnavailable."""
    partial = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    try:
        with partial.open("wb") as file:
            for piece in wired.batch_looking.archive(maker, ref, by="cli"):
                file.write(piece)
        partial.replace(out)
    except OSError as error:
        raise StorageUnavailable(f"{out} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
    click.echo(str(out))
