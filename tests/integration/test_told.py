"""What the house tells those who watch it: counted by every process of the host, by whatever door it came in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import world as worlds
from apps import create_app

from signer import metrics
from signer.errors import KeyUnavailable
from signer.metrics.catalogue import REFUSED, VERDICTS
from signer.metrics.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

WATCHER = {"REMOTE_ADDR": "192.0.2.9"}


@pytest.fixture(scope="module")
def world(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[worlds.World]:
    made = worlds.World(worlds.copy(template_folder, tmp_path_factory.mktemp("told") / "data"))
    made.overrides |= {"SIGNER_METRICS_NETWORKS": "192.0.2.0/24"}
    made.rewire()
    yield made
    made.services.database.close()


@pytest.fixture
def client(world: worlds.World) -> Iterator[FlaskClient]:
    metrics.begin(world.services.settings.run_dir, "web")
    yield create_app(world.services, clock=lambda: world.at).test_client()
    metrics.end()


def told(client: FlaskClient, name: str) -> dict[str, float]:
    lines = client.get("/metrics", environ_overrides=WATCHER).text.splitlines()
    pairs = (line.rpartition(" ") for line in lines if re.match(rf"{name}[ {{]", line))
    return {key.removeprefix(name): float(value) for key, _, value in pairs}


def test_verdicts_are_counted_by_code_over_all_processes(world: worlds.World, client: FlaskClient) -> None:
    issued = world.issue(worlds.sample(worlds.KAZAKHSTAN))
    worker = Ledger()
    worker.begin(world.services.settings.run_dir, "worker")
    worker.add(VERDICTS, ("VALID", "file"), 1)
    worker.add(REFUSED, (), 3)
    world.verify(issued.pdf)
    world.verify(issued.pdf + b"\n%more")
    world.verify(b"no file at all")
    world.services.lookups.by_tail(issued.number, "AAAAAA", network="192.0.2.0/24")
    assert told(client, "signer_verdicts_total") == {
        '{code="VALID",of="file"}': 2,
        '{code="ALTERED",of="file"}': 1,
        '{code="UNREADABLE",of="file"}': 1,
        '{code="NOT_ON_RECORD",of="record"}': 1,
    }
    worker.end()
    assert told(client, "signer_refused_total") == {"": 3}


def test_requests_are_counted_and_nobody_else_is_told(world: worlds.World, client: FlaskClient) -> None:
    client.get("/verify")
    client.get("/nowhere")
    found = told(client, "signer_http_requests_total")
    assert (found['{status="2xx"}'] >= 1, found['{status="4xx"}'] >= 1) == (True, True)
    assert client.get("/metrics").status_code == 404
    assert told(client, "signer_health")['{part="register"}'] == 0
    assert list(told(client, "signer_info").values()) == [1]


def test_each_step_of_issuing_and_whom_it_asked_is_timed(world: worlds.World, client: FlaskClient) -> None:
    world.issue(worlds.sample(worlds.EMIRATES))
    steps = told(client, "signer_issue_step_seconds_count")
    assert {step.split('"')[1] for step in steps} == {
        *("prepare", "reserve", "prove", "render", "seal", "check", "store", "record")
    }
    assert told(client, "signer_issued_total") == {'{outcome="issued"}': sum(steps.values()) / len(steps)}
    assert told(client, "signer_timestamp_seconds_count")['{authority="built-in",outcome="answered"}'] >= 1
    assert told(client, "signer_key_seconds_count")['{store="file",outcome="signed"}'] >= 1


def test_a_seal_that_fails_is_counted_by_its_error(
    world: worlds.World, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise KeyUnavailable("gone")

    monkeypatch.setattr(world.services.issuing._sealing._seals, "seal", refuse)
    with pytest.raises(KeyUnavailable):
        world.issue(worlds.sample(worlds.RUSSIA))
    assert told(client, "signer_issued_total")['{outcome="key-unavailable"}'] == 1


def test_what_waits_and_what_ends_is_told_with_its_age(world: worlds.World, client: FlaskClient) -> None:
    world.services.working.add("scrub", actor="an operator")
    world.at += timedelta(minutes=20)
    ages = told(client, "signer_queue_age_seconds")
    assert ages['{queue="jobs"}'] == 1200
    assert set(ages) == {f'{{queue="{name}"}}' for name in ("jobs", "mail", "webhooks", "log", "pending", "batches")}
    world.services.working.run_due()
    assert told(client, "signer_queue_age_seconds")['{queue="jobs"}'] == 0
    assert told(client, "signer_jobs_total")['{kind="scrub",outcome="done"}'] == 1
    days = told(client, "signer_certificate_days")
    assert {key.split('"')[1] for key in days} >= {"pdf-seal", "paper", "log", "tsa", "ca", "status", "receipt"}
    assert all(value > 0 for value in days.values())
    assert 0 < told(client, "signer_trust_list_days")[""] < 31
    assert told(client, "signer_status_list_age_seconds")[""] == 0
