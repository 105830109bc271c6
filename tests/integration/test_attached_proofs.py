"""The log proof inside a sealed PDF: there when the log answers in time, judged, and never missed where it is not."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pikepdf
import pytest
import world as worlds
from world import EMIRATES, KAZAKHSTAN, World, sample

from signer.domain.evidence import State
from signer.domain.log_leaf import LeafType, parse_proof
from signer.domain.verdict import Code
from signer.errors import KeyUnavailable, LogUnavailable
from signer.seal import log_key, log_trust
from signer.transparency import proofs

if TYPE_CHECKING:
    from pathlib import Path

    from signer.domain.verdict import Verdict


@pytest.fixture(scope="module")
def world(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(worlds.copy(template_folder, tmp_path_factory.mktemp("attached") / "data"))


@pytest.fixture(scope="module")
def pdf(world: World) -> bytes:
    return world.issue(sample(KAZAKHSTAN)).pdf


def attached(pdf: bytes) -> dict[str, bytes]:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return {name: spec.get_file().read_bytes() for name, spec in opened.attachments.items()}


def states(verdict: Verdict) -> dict[str, State]:
    return {check.id: check.state for check in verdict.checks if check.id.startswith("log-")}


def test_a_sealed_file_brings_the_proof_of_its_intent(world: World, pdf: bytes) -> None:
    files = attached(pdf)
    assert sorted(files) == ["confirmation.json", "log-proof.json"]
    proof = parse_proof(files["log-proof.json"])
    proven = proofs.verify(proof, log_trust.keys(world.services.trust.current(world.at), at=world.at))
    assert proven.leaf.type is LeafType.INTENT
    assert proof.opening.number == json.loads(files["confirmation.json"])["number"]
    assert len(files["log-proof.json"]) < 1500


def test_it_is_judged_and_what_was_issued_is_in_the_log_a_moment_later(world: World, pdf: bytes) -> None:
    verdict = world.verify(pdf)
    assert verdict.code is Code.VALID
    assert states(verdict) == {"log-proof": State.PASSED, "log-issued": State.PASSED}


def test_without_a_log_key_a_file_is_sealed_without_a_proof_and_valid(template_folder: Path, tmp_path: Path) -> None:
    world = World(worlds.copy(template_folder, tmp_path / "data"))
    (world.settings.keys / log_key.FILE).unlink()
    made = world.issue(sample(EMIRATES))
    assert sorted(attached(made.pdf)) == ["confirmation.json"]
    verdict = world.verify(made.pdf)
    assert verdict.code is Code.VALID
    assert states(verdict) == {}
    world.services.database.close()


def test_where_proofs_are_demanded_nothing_is_issued_without_one(template_folder: Path, tmp_path: Path) -> None:
    world = World(worlds.copy(template_folder, tmp_path / "data"), overrides={"SIGNER_LOG_PROOFS": "require"})
    assert "log-proof.json" in attached(world.issue(sample(EMIRATES)).pdf)
    (world.settings.keys / log_key.FILE).unlink()
    with pytest.raises(KeyUnavailable):
        world.issue(sample(KAZAKHSTAN))
    assert world.rows("SELECT count(*) FROM confirmations") == [(1,)]
    world.services.issuing._sealing._proving._logbook.refuse_unready = lambda: None  # it goes away just after
    with pytest.raises(LogUnavailable) as refused:
        world.issue(sample(KAZAKHSTAN))
    assert "abandoned" in refused.value.__notes__[0]
    world.services.database.close()


@pytest.mark.parametrize("listed", [None, "https://elsewhere.example"])
def test_a_log_that_the_trust_list_does_not_know_stops_no_sealing_and_its_proof_goes_into_no_file(
    template_folder: Path, tmp_path: Path, listed: str | None
) -> None:
    world = World(worlds.copy(template_folder, tmp_path / "data"))
    assert "log-proof.json" in attached(world.issue(sample(KAZAKHSTAN)).pdf)
    world.publish(base_url=listed)
    issued = world.issue(sample(EMIRATES))
    assert "log-proof.json" not in attached(issued.pdf)
    assert world.verify(issued.pdf).code in (Code.VALID, Code.VALID_WITH_NOTICE)
    assert world.verify(issued.pdf).number == issued.number
    world.services.database.close()


def test_the_log_is_named_by_the_trust_list_and_not_by_where_it_is_served(
    template_folder: Path, tmp_path: Path
) -> None:
    served_at = {"SIGNER_BASE_URL": "http://localhost:9"}
    world = World(worlds.copy(template_folder, tmp_path / "data"), overrides=served_at)
    world.rewire()
    issued = world.issue(sample(KAZAKHSTAN))
    assert "log-proof.json" in attached(issued.pdf)
    assert world.verify(issued.pdf).code is Code.VALID
    world.services.database.close()
