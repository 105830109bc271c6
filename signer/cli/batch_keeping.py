"""`signer batches`: list them, see how far they are, approve, pause, go on with, cancel or fetch one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signer import jobs as waking
from signer.cli.batching import fault, fetch, give_word, line, tell_failed
from signer.cli.console import LANGUAGE, MANUFACTURER, language
from signer.cli.house import refuse_unwritable, services
from signer.register.batches import PAGE

if TYPE_CHECKING:
    from signer.register.batches import Head

_REF = click.argument("ref")
_BY = click.option("--by", required=True, help="Who says so (id).")


@click.group()
def batches() -> None:
    """List batches, see how far they are, approve, pause, go on with, cancel or fetch one."""


@batches.command("list")
@MANUFACTURER
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(manufacturer: str, as_json: bool) -> None:
    """List the last batches, the newest first."""
    wired = services()
    for head in wired.batching.listed(wired.people.uscc_of(manufacturer))[:PAGE]:
        if as_json:
            click.echo(json.dumps(_plain(head), ensure_ascii=False))
        else:
            over = f"{head.done} sealed, {head.failed} failed of {head.items}"
            click.echo(f"{head.ref}  {head.created_at:%Y-%m-%dT%H:%M:%SZ}  {head.state}, {over}  {head.file_name}")


@batches.command()
@_REF
@MANUFACTURER
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@LANGUAGE
def show(ref: str, manufacturer: str, as_json: bool, lang: str | None) -> None:
    """Tell how batch REF stands; of a faulty one every fault that is kept."""
    wired, spoken = services(), language(lang)
    maker = wired.people.uscc_of(manufacturer)
    shown = wired.batching.find(maker, ref)
    if as_json:
        click.echo(json.dumps(_plain(shown.head), ensure_ascii=False))
        return
    click.echo(f"batch {ref}: {shown.head.state}, {line(shown)}")
    for said in shown.report.said:
        click.echo(f"  {said.severity}: {fault(said, spoken)}")
    if (halted := shown.halted) is not None:
        click.echo(f"  {halted.zh if spoken == 'zh' else halted.en} [{halted.code}]")
    tell_failed(wired.batching, maker, ref, spoken)


@batches.command()
@_REF
@MANUFACTURER
@_BY
@click.option("--yes", is_flag=True, help="Without being asked.")
def approve(ref: str, manufacturer: str, by: str, yes: bool) -> None:
    """Approve every confirmation of batch REF; somebody else than who prepared and sent it. Workers seal them."""
    wired = services()
    maker = wired.people.uscc_of(manufacturer)
    give_word(wired.batching, wired.batching.find(maker, ref), maker, by=by, is_sure=yes)
    waking.wake(wired)
    click.echo(f"batch {ref}: approved")


@batches.command()
@_REF
@MANUFACTURER
@_BY
def pause(ref: str, manufacturer: str, by: str) -> None:
    """Begin nothing more of batch REF until somebody says so; what is being sealed is finished."""
    wired = services()
    head = wired.batching.pause(ref, maker=wired.people.uscc_of(manufacturer), by=by)
    click.echo(f"batch {ref}: {head.state}")


@batches.command("go-on")
@_REF
@MANUFACTURER
@_BY
def go_on(ref: str, manufacturer: str, by: str) -> None:
    """Let batch REF, which was paused or stands still, go on where it stopped. Workers do it."""
    wired = services()
    head = wired.batching.go_on(ref, maker=wired.people.uscc_of(manufacturer), by=by)
    waking.wake(wired)
    click.echo(f"batch {ref}: {head.state}")


@batches.command()
@_REF
@MANUFACTURER
@_BY
def cancel(ref: str, manufacturer: str, by: str) -> None:
    """End batch REF: what is sealed stays sealed, nothing more is begun."""
    wired = services()
    head = wired.batching.cancel(ref, maker=wired.people.uscc_of(manufacturer), by=by)
    click.echo(f"batch {ref}: {head.state}, {head.done} sealed")


@batches.command()
@_REF
@MANUFACTURER
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The ZIP to be written.")
def archive(ref: str, manufacturer: str, out: Path) -> None:
    """Write every sealed PDF of batch REF into one ZIP, with a manifest of all items."""
    refuse_unwritable(out.parent)
    wired = services()
    fetch(wired, wired.people.uscc_of(manufacturer), ref, out)


def _plain(head: Head) -> dict[str, object]:
    """Return what a batch is, as plain JSON."""
    return {
        "batch": head.ref,
        "file": head.file_name,
        "state": head.state.value,
        "vehicles": head.vehicles,
        "items": head.items,
        "done": head.done,
        "failed": head.failed,
        "root": None if head.root is None else head.root.hex(),
        "per_minute": head.progress.rate,
    }
