"""`signer worker` and `signer jobs`: what is done without anybody asking, and what an operator asks for."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from signer import jobs as waking
from signer import metrics
from signer.cli.console import REFUSED
from signer.cli.house import number_of, services
from signer.services.work import ONCE

if TYPE_CHECKING:
    from signer.register.jobs import Job


@click.command()
@click.option("--once", is_flag=True, help="Only do what is due now, then end.")
@click.option("--beside", type=int, default=None, hidden=True, help="End when this parent process has ended.")
def worker(once: bool, beside: int | None) -> None:
    """Do what is due, until stopped: finish or abandon, end suspensions, prune, re-verify. Any number may run."""
    if beside is not None:
        threading.Thread(target=_end_without, args=(beside,), daemon=True).start()
    wired = services()
    metrics.begin(wired.settings.run_dir, "worker")
    if once:
        wired.working.run_due()
    else:
        waking.run(wired)
    for job in wired.working.all():
        click.echo(f"{job.kind}: {job.error or job.progress or 'nothing to do'}")


def _end_without(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


@click.group()
def jobs() -> None:
    """See what is done without anybody asking, have something done once, or tried again."""


@jobs.command("list")
@click.option("--failed", is_flag=True, help="Only what has been given up.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(failed: bool, as_json: bool) -> None:
    """Name every job: how it stands, how often it was tried, when next. Exit 1 if one has been given up."""
    found = services().working.all()
    for job in found:
        if not failed or job.state == "failed":
            click.echo(json.dumps(asdict(job), ensure_ascii=False, default=str) if as_json else _line(job))
    sys.exit(REFUSED if any(job.state == "failed" for job in found) else 0)


def _line(job: Job) -> str:
    about = job.given("number") or ("every so often" if job.is_periodic else "once")
    tried = f", tried {job.attempts} times" if job.attempts > 1 else ""
    when = f" from {job.next_at:%Y-%m-%dT%H:%M:%SZ}" if job.state == "waiting" else ""
    told = job.error or job.progress
    return f"{job.id:>6} {job.kind} ({about}): {job.state}{when}{tried}{f': {told}' if told else ''}"


@jobs.command()
@click.argument("kind", type=click.Choice(sorted(ONCE)))
@click.option("--number", default=None, help="What it is about (re-verify, settle).")
@click.option("--by", required=True, help="Who asks.")
def add(kind: str, number: str | None, by: str) -> None:
    """Have something done once: verify one number's file, settle one pending number, or read every sealed file."""
    wired = services()
    added = wired.working.add(kind, number=None if number is None else number_of(number), actor=by)
    waking.wake(wired)
    click.echo(f"job {added}")


@jobs.command()
@click.argument("job_id", metavar="ID", type=int)
def retry(job_id: int) -> None:
    """Try job ID again, now, as if it were new."""
    wired = services()
    job = wired.working.retry(job_id, actor="cli")
    waking.wake(wired)
    click.echo(f"job {job.id}: {job.kind} is due now")
