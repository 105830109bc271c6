"""`signer db`, `load-parties`, `make-test-pki` and `maintain`: what an operator does."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signer import jobs as waking
from signer import logs, settings, wiring
from signer import serve as serving
from signer.cli import keeping
from signer.cli.console import REFUSED
from signer.cli.house import read, services
from signer.services import doctor_offline, trust
from signer.verification.policy import Policy

if TYPE_CHECKING:
    from signer.services.doctor import Symptom


@click.group()
def db() -> None:
    """Look after the register: its schema, its backups, its files."""


for command in (
    keeping.backup,
    keeping.restore,
    keeping.release,
    keeping.reimport,
    keeping.close_gap,
    keeping.scrub,
):
    db.add_command(command)


@db.command()
def upgrade() -> None:
    """Bring the schema up to this code."""
    wired = wiring.wire(settings.load())
    wired.settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    wired.database.upgrade()
    click.echo(f"schema {wired.database.version()}")


@db.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the schema down to REVISION (`base` empties it)."""
    wired = wiring.wire(settings.load())
    wired.database.downgrade(revision)
    click.echo(f"schema {wired.database.version() or 'empty'}")


@db.command()
def check() -> None:
    """Refuse a schema that is behind or ahead of this code."""
    click.echo(f"schema {services().database.version()}")


@click.command("load-parties")
@click.argument("file", type=click.Path(path_type=Path))
def load_parties(file: Path) -> None:
    """Bring manufacturers, outlets, exporters, people and roles in from a JSON file, wholly or not at all."""
    found = services().people.load(read(file), actor="cli")
    click.echo(
        f"{len(found.manufacturers)} manufacturers, {len(found.exporters)} exporters, {len(found.people)} people"
    )


@click.command("make-test-pki")
@click.argument("description", type=click.Path(path_type=Path))
def make_test_pki(description: Path) -> None:
    """Make TEST keys, certificates and a trust list from a pki.yaml, and enrol the seals. Keeps what is there."""
    wired, at = services(), wiring.now()
    key_refs = trust.make_test_pki(wired.settings, read(description), at=at)
    count = wired.people.enrol_seals(wired.trust.current(at), key_refs, actor="cli")
    click.echo(f"{count} TEST seals enrolled; the trust list is {wired.settings.trust_list_path}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--verify-only", is_flag=True, help="Look at imported bundles; there is no register and no key.")
def doctor(as_json: bool, verify_only: bool) -> None:
    """Name what is wrong with this deployment. Exit 0 if nothing is, or only warnings; 1 for an error."""
    symptoms = _of_bundles() if verify_only else _of_all()
    for symptom in symptoms:
        if as_json:
            click.echo(json.dumps(asdict(symptom), ensure_ascii=False))
        else:
            click.echo(f"{symptom.health:8}{symptom.part}: {symptom.detail}")
    sys.exit(REFUSED if any(symptom.health == "error" for symptom in symptoms) else 0)


def _of_all() -> tuple[Symptom, ...]:
    wired = wiring.wire(settings.load())
    return (*wired.doctor.examine(), waking.examine(wired))


def _of_bundles() -> tuple[Symptom, ...]:
    house = wiring.wire_offline(settings.load())
    policy = Policy(mode=house.settings.mode)
    return doctor_offline.examine(house.shelf, policy=policy, at=wiring.now())


@click.command()
@click.option("--host", default=serving.HOST, show_default=True, help="Address to listen on.")
@click.option("--port", default=serving.PORT, show_default=True, help="Port to listen on.")
@click.option("--workers", default=serving.WORKERS, show_default=True, help="Processes.")
@click.option(
    "--worker/--no-worker",
    "with_jobs",
    default=None,
    help="Whether one `signer worker` runs beside them. Default: where the register is SQLite.",
)
@click.option(
    "--verify-only", is_flag=True, help="Serve verdicts by imported bundles: no register, no key, no call to anybody."
)
def serve(host: str, port: int, workers: int, with_jobs: bool | None, verify_only: bool) -> None:
    """Serve the verify page and the API, on this computer only unless told otherwise."""
    chosen = settings.load()
    logs.configure(chosen.log_level)
    if verify_only:
        if with_jobs:
            raise click.UsageError("--verify-only has no register, so that no worker runs beside it")
        serving.run_verify_only(chosen, host=host, port=port, workers=workers)
        return
    serving.run(chosen, host=host, port=port, workers=workers, with_jobs=with_jobs)


@click.command()
@click.option("--older-than-minutes", default=10, show_default=True, help="Only records pending for longer.")
def maintain(older_than_minutes: int) -> None:
    """Finish records whose sealing was cut off, or abandon them: then their numbers are never used again."""
    for settled in services().maintaining.settle(timedelta(minutes=older_than_minutes)):
        click.echo(f"{settled.number}: {settled.outcome}{settled.reason and f' ({settled.reason})'}")
