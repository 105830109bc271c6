"""What the house tells those who watch it: counted by every process of the host, by whatever door it came in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import world as worlds
from apps import create_app

from signer import metrics
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
