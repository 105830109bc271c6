"""What the transparency log says of a file: its verdict, with and without a proof inside, online and offline."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import KAZAKHSTAN, World, sample

from signer.domain.evidence import Asked, ContentFacts, Facts, State
from signer.domain.log_facts import NO_LOG, LogFacts, LoggedFacts, ProofFacts
from signer.domain.log_leaf import LeafType, LogProof, encode_proof
from signer.domain.trust import Purpose, SealState
from signer.domain.verdict import Code, Verdict
from signer.services import log_gathering
from signer.verification.decide import decide
from signer.verification.policy import Policy

if TYPE_CHECKING:
    from pathlib import Path

    from signer.domain.number import Number
    from signer.domain.trust import TrustEntry

FAULTS = (None, "log-unknown", "schema-unknown", "malformed", "not-canonical", "not-in-log", "other-leaf")
POLICY = Policy(mode="test")


@pytest.fixture(scope="module")
def world(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(worlds.copy(template_folder, tmp_path_factory.mktemp("log") / "data"))


@pytest.fixture(scope="module")
def made(world: World) -> tuple[Number, bytes]:
    """A confirmation, and its leaves in the log."""
    issued = world.issue(sample(KAZAKHSTAN))
    world.services.sequencing.drain()
    return issued.number, issued.pdf


@pytest.fixture(scope="module")
def facts(world: World, made: tuple[Number, bytes]) -> Facts:
    found = world.services.verifying.gather(made[1])
    assert decide(found, Asked(), POLICY).code is Code.VALID
    return found


def answered(facts: Facts, **log: Any) -> Verdict:
    return decide(facts.model_copy(update={"log": LogFacts(**log)}), Asked(), POLICY)


def check(verdict: Verdict, name: str) -> tuple[State, str | None] | None:
    return next(((each.state, each.reason) for each in verdict.checks if each.id == name), None)


def test_the_log_says_that_these_bytes_were_issued(facts: Facts) -> None:
    logged = facts.log.logged
    assert logged is not None
    assert (logged.is_of_these_bytes, logged.is_waiting) == (True, False)
    assert check(decide(facts, Asked(), POLICY), "log-issued") == (State.PASSED, None)


def test_a_file_of_a_deployment_without_a_log_is_valid_as_before(facts: Facts) -> None:
    verdict = decide(facts.model_copy(update={"log": NO_LOG}), Asked(), POLICY)
    assert verdict.code is Code.VALID
    assert not any(each.id.startswith("log-") for each in verdict.checks)


@pytest.mark.parametrize(
    ("minutes", "began_before", "is_waiting", "code"),
    [
        (9, True, True, Code.VALID),
        (10, True, True, Code.INDETERMINATE),
        (10, True, False, Code.INDETERMINATE),
        (10, False, False, Code.VALID),
        (10, False, True, Code.VALID),
    ],
)
def test_what_was_issued_must_be_in_the_log_ten_minutes_later(
    facts: Facts, minutes: int, began_before: bool, is_waiting: bool, code: Code
) -> None:
    record = facts.register_.record
    assert record is not None
    assert record.recorded_at is not None
    began_at = record.recorded_at + timedelta(days=-1 if began_before else 1)
    later = facts.model_copy(update={"at": record.recorded_at + timedelta(minutes=minutes)})
    verdict = answered(later, logged=LoggedFacts(began_at=began_at, is_waiting=is_waiting))
    assert verdict.code is code
    assert verdict.reason == ("LOG_ISSUED_ABSENT" if code is Code.INDETERMINATE else None)


def test_what_was_issued_before_the_log_began_is_due_ten_minutes_after_it_began(facts: Facts) -> None:
    record = facts.register_.record
    assert record is not None
    assert record.recorded_at is not None
    logged = LoggedFacts(began_at=record.recorded_at + timedelta(days=1), is_waiting=True)
    for seconds, code in ((599, Code.VALID), (600, Code.INDETERMINATE)):
        at = facts.model_copy(update={"at": logged.began_at + timedelta(seconds=seconds)})
        assert answered(at, logged=logged).code is code


def test_a_leaf_of_other_bytes_ends_a_good_answer(facts: Facts) -> None:
    logged = LoggedFacts(began_at=facts.at - timedelta(days=1), issued_at=facts.at, is_of_these_bytes=False)
    verdict = answered(facts, logged=logged)
    assert (verdict.code, verdict.reason) == (Code.INDETERMINATE, "LOG_DIFFERS")


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        (None, Code.VALID, None),
        ("log-unknown", Code.VALID_WITH_NOTICE, "LOG_NOT_TRUSTED"),
        ("schema-unknown", Code.INDETERMINATE, "SCHEMA_UNKNOWN"),
        ("malformed", Code.INDETERMINATE, "LOG_PROOF_WRONG"),
        ("not-canonical", Code.INDETERMINATE, "LOG_PROOF_WRONG"),
        ("not-in-log", Code.INDETERMINATE, "LOG_PROOF_WRONG"),
        ("other-leaf", Code.INDETERMINATE, "LOG_PROOF_WRONG"),
    ],
)
@pytest.mark.parametrize("which", ["attached", "issued"])
def test_a_wrong_proof_is_no_forgery_and_no_good_answer(
    facts: Facts, which: str, fault: str | None, code: Code, reason: str | None
) -> None:
    found = ProofFacts.model_validate({"fault": fault, "at": facts.at})
    verdict = answered(facts, **{which: found})
    assert (verdict.code, verdict.reason) == (code, reason)
    assert (verdict.parts.integrity, verdict.parts.seal) == (State.PASSED, State.PASSED)


def test_a_leaf_of_these_bytes_proves_their_time_where_nothing_proves_more(facts: Facts) -> None:
    assert facts.register_.record is not None
    late = facts.register_.record.model_copy(update={"recorded_at": facts.at + timedelta(hours=1)})
    alone = facts.model_copy(
        update={
            "seal": facts.seal.model_copy(update={"timestamp": None}),
            "register_": facts.register_.model_copy(update={"record": late}),
        }
    )
    assert alone.proven_by == "log"
    assert alone.log.logged is not None
    assert alone.proven_at == alone.log.logged.issued_at
    brought = LogFacts(issued=ProofFacts(at=facts.at - timedelta(hours=2)))
    assert facts.model_copy(update={"log": brought}).proven_by == "log"
    wrong = LogFacts(issued=ProofFacts(at=facts.at - timedelta(hours=2), fault="not-in-log"))
    assert facts.model_copy(update={"log": wrong}).proven_by == facts.model_copy(update={"log": NO_LOG}).proven_by


def judged(world: World, facts: Facts, data: bytes, *kinds: LeafType) -> ProofFacts:
    number = facts.content.confirmation.number if facts.content.confirmation else None
    digest = facts.content.content_digest if LeafType.INTENT in kinds else facts.file.sealed_digest
    expected = log_gathering.Expected(number=number, digest=digest, types=frozenset(kinds))
    return log_gathering.judge(data, world.services.trust.current(world.at), expected)


def proof(world: World, number: Number, kind: LeafType) -> LogProof:
    found = world.services.logbook.proof(number, kind)
    assert found is not None
    return found


def test_a_proof_of_the_register_holds_for_its_own_leaf_only(
    world: World, facts: Facts, made: tuple[Number, bytes]
) -> None:
    intent, issued = proof(world, made[0], LeafType.INTENT), proof(world, made[0], LeafType.ISSUED)
    assert judged(world, facts, encode_proof(intent), LeafType.INTENT).fault is None
    assert judged(world, facts, encode_proof(issued), LeafType.ISSUED).fault is None
    assert judged(world, facts, encode_proof(issued), LeafType.INTENT).fault == "other-leaf"
    assert judged(world, facts, encode_proof(intent), LeafType.ISSUED).fault == "other-leaf"
    other = facts.model_copy(update={"content": ContentFacts(content_digest="0" * 64)})
    assert judged(world, other, encode_proof(intent), LeafType.INTENT).fault == "other-leaf"
    moved = intent.model_copy(update={"index": intent.index + 1})
    assert judged(world, facts, encode_proof(moved), LeafType.INTENT).fault == "not-in-log"
    torn = json.dumps(json.loads(encode_proof(intent))).encode()
    assert judged(world, facts, torn, LeafType.INTENT).fault == "not-canonical"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, None),
        ({"state": SealState.VERIFY_ONLY, "state_since": 1}, None),
        ({"state": SealState.VERIFY_ONLY, "state_since": -1}, "log-unknown"),
        ({"state": SealState.REVOKED, "state_since": 1, "revoked_at": 1}, "log-unknown"),
    ],
)
def test_a_retired_log_key_counts_for_what_is_older_and_a_revoked_one_for_nothing(
    world: World, facts: Facts, made: tuple[Number, bytes], change: dict[str, Any], fault: str | None
) -> None:
    at = {key: world.at + timedelta(hours=value) for key, value in change.items() if isinstance(value, int)}

    def changed(entry: TrustEntry) -> TrustEntry:
        return entry.model_copy(update=change | at) if entry.purpose is Purpose.LOG else entry

    trust = world.services.trust.current(world.at)
    listed = trust.model_copy(update={"entries": tuple(map(changed, trust.entries))})
    number, digest = made[0], facts.content.content_digest
    expected = log_gathering.Expected(number=number, digest=digest, types=frozenset({LeafType.INTENT}))
    assert log_gathering.judge(encode_proof(proof(world, number, LeafType.INTENT)), listed, expected).fault == fault
    nowhere = trust.model_copy(update={"base_url": None})
    assert log_gathering.judge(encode_proof(proof(world, number, LeafType.INTENT)), nowhere, expected).fault == (
        "log-unknown"
    )


def test_a_receipt_tells_the_head_of_the_log(world: World, made: tuple[Number, bytes]) -> None:
    verdict = world.services.verifying.file(made[1])
    receipt = world.services.receipts.of_file(verdict, made[1], Asked())
    assert receipt is not None
    payload = receipt.token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    ((size, root),) = world.rows("SELECT size, root FROM log_checkpoints ORDER BY id DESC LIMIT 1")
    assert claims["log_head"] == {"size": size, "root": bytes(root).hex()}


def test_the_manufacturer_is_alarmed_when_the_log_contradicts_a_good_file(world: World, facts: Facts) -> None:
    logged = LoggedFacts(began_at=facts.at - timedelta(days=1), issued_at=facts.at, is_of_these_bytes=False)
    world.services.alarming.heed(answered(facts, logged=logged))
    assert world.services.alarming.is_written()
    uscc = sample("register")["manufacturers"][0]["record"]["uscc"]
    assert [alarm.code for alarm in world.services.alarming.page(uscc, most=9)] == ["INDETERMINATE"]


proofs_found = st.none() | st.sampled_from(FAULTS).map(lambda fault: ProofFacts.model_validate({"fault": fault}))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(proofs_found, proofs_found, st.booleans(), st.booleans(), st.booleans(), st.integers(-20, 20))
def test_nothing_that_the_log_says_makes_an_answer_better(
    facts: Facts,
    attached: ProofFacts | None,
    issued: ProofFacts | None,
    holds: bool,
    is_same: bool,
    is_waiting: bool,
    minutes: int,
) -> None:
    logged = LoggedFacts(
        began_at=facts.at - timedelta(minutes=minutes),
        issued_at=facts.at if holds else None,
        is_of_these_bytes=holds and is_same,
        is_waiting=is_waiting,
    )
    found = answered(facts, attached=attached, issued=issued, logged=logged)
    assert found.code.rank <= answered(facts).code.rank
    without = answered(facts, logged=logged)
    assert found.code.rank <= without.code.rank
