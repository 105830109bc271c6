"""What a verdict tells besides its code, and to whom: each thing that a mutant of the decision could change unseen."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from world import EMIRATES, KAZAKHSTAN, TIANSHAN, YUNZHOU, World, sample

from signer.domain.confirmation import SealClass, Standing
from signer.domain.evidence import Asked, Facts, Form, State
from signer.domain.log_facts import NO_LOG
from signer.domain.verdict import Code, Verdict
from signer.verification.decide import decide, names_exporter
from signer.verification.policy import Policy

if TYPE_CHECKING:
    from pathlib import Path

VINS = tuple(vehicle["vin"] for vehicle in sample(KAZAKHSTAN)["vehicles"])
OTHER = sample(EMIRATES)["vehicles"][0]["vin"]
NEWER = "CB574-KESRE-KJB7"


@pytest.fixture(scope="module")
def valid(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """The facts of a file that is valid in every respect, ten minutes after it was sealed."""
    made = World(worlds.copy(template_folder, tmp_path_factory.mktemp("told") / "data"))
    pdf = made.issue(sample(KAZAKHSTAN)).pdf
    made.at += timedelta(minutes=10)
    facts = made.services.verifying.gather(pdf)
    made.services.database.close()
    return facts.model_copy(update={"log": NO_LOG})  # the log proves a time too


def verdict(facts: Facts, **asked: Any) -> Verdict:
    return decide(facts, Asked(**asked), Policy(mode="test"))


def changed(facts: Facts, **states: State) -> Facts:
    named = {name.replace("_", "-"): state for name, state in states.items()}
    findings = tuple(one.model_copy(update={"state": named.get(one.id, one.state)}) for one in facts.seal.findings)
    return facts.model_copy(update={"seal": facts.seal.model_copy(update={"findings": findings})})


def ended(facts: Facts, standing: Standing, **more: object) -> Facts:
    record = facts.register_.record
    assert record is not None
    changes = {"standing": standing, "ended_at": facts.at, "reason_class": "error", "successor": NEWER, **more}
    lines = tuple(line.model_copy(update=changes) for line in record.lines)
    record = record.model_copy(update={"lines": lines, "standing": standing})
    return facts.model_copy(update={"register_": facts.register_.model_copy(update={"record": record})})


def test_a_valid_file_tells_whose_seal_when_and_how_that_is_known(valid: Facts) -> None:
    found = verdict(valid)
    record = valid.register_.record
    assert found.code is Code.VALID
    assert found.issuer is not None
    assert (found.issuer.name, found.issuer.seal_class) == (YUNZHOU, SealClass.TEST)
    assert found.seal_report is not None
    assert (found.seal_report.indication, found.seal_report.sub_indication) == ("TOTAL-PASSED", None)
    assert (found.seal_report.level, found.proven_by) == ("B-LT", "timestamp")
    assert (found.sealed_at, found.proven_at) == (valid.seal.claimed_at, valid.proven_at)
    assert record is not None
    assert (found.number, found.confirmation) == (record.number, record.confirmation)
    assert [line.vin for line in found.lines] == list(VINS)
    assert {line.standing for line in found.lines} == {Standing.ISSUED}
    assert (found.coverage.destination, found.coverage.exporter, found.coverage.extra) == ("not-asked",) * 2 + ((),)
    assert (found.ended_at, found.end_reason, found.successor, found.standing_as_of) == (None,) * 4
    assert (found.checked_at, found.policy, found.trust_list) == (valid.at, "signer-policy/1 test", 1)
    assert {found.parts.integrity, found.parts.seal, found.parts.standing} == {State.PASSED}


def test_what_was_asked_is_compared_line_by_line(valid: Facts) -> None:
    applied_on = date(2026, 11, 25)
    asked = {"vins": (VINS[0], OTHER), "destination": "KZ", "exporter": "9" * 18, "applied_on": applied_on}
    coverage = verdict(valid, **asked).coverage
    assert [(one.vin, one.state) for one in coverage.vins] == [(VINS[0], "matched"), (OTHER, "missing")]
    assert (coverage.destination, coverage.exporter) == ("equal", "different")
    assert coverage.extra == VINS[1:]
    window = coverage.vins[0].window
    record = valid.register_.record
    assert record is not None
    assert record.confirmation is not None
    vehicle = record.confirmation.terms.vehicles[0]
    assert window is not None
    assert window.n == vehicle.window.days(applied_on)
    assert (window.through, window.state) == (vehicle.window.through, vehicle.window.state(applied_on))


def test_an_altered_file_shows_nothing_of_its_content_and_no_issuer(valid: Facts) -> None:
    found = verdict(changed(valid, digest=State.FAILED), vins=(VINS[0],))
    assert found.code is Code.ALTERED
    assert (found.issuer, found.sealed_at, found.confirmation, found.lines) == (None, None, None, ())
    assert found.coverage.extra == ()
    assert found.parts.seal is State.UNDETERMINED
    assert found.number is not None


def test_a_seal_that_is_not_proven_shows_no_content_but_its_own_integrity(valid: Facts) -> None:
    found = verdict(changed(valid, chain=State.FAILED))
    assert found.code is Code.UNKNOWN_SEAL
    assert (found.parts.integrity, found.parts.seal) == (State.PASSED, State.FAILED)
    assert (found.confirmation, found.lines) == (None, ())
    assert found.sealed_at is not None


def test_bytes_that_are_not_on_record_are_not_shown_with_the_record(valid: Facts) -> None:
    other = valid.model_copy(update={"file": valid.file.model_copy(update={"sealed_digest": "0" * 64})})
    found = verdict(other, vins=(VINS[0],))
    assert found.code is Code.NOT_REGISTERED
    assert (found.confirmation, found.lines, found.coverage.extra) == (None, (), ())
    assert found.proven_by == "timestamp"


@pytest.mark.parametrize("which", ["timestamp", "revocation"])
def test_what_is_only_a_notice_takes_nothing_from_the_three_answers(valid: Facts, which: str) -> None:
    found = verdict(changed(valid, **{which: State.UNDETERMINED}))
    assert found.code is Code.VALID_WITH_NOTICE
    assert {found.parts.integrity, found.parts.seal, found.parts.standing} == {State.PASSED}


def test_without_a_timestamp_the_register_proves_the_time_and_an_archive_says_so(valid: Facts) -> None:
    bare = valid.model_copy(update={"seal": valid.seal.model_copy(update={"timestamp": None})})
    assert verdict(bare).proven_by == "register"
    assert valid.seal.timestamp is not None
    archived = valid.seal.timestamp.model_copy(update={"through": "archive"})
    through = valid.model_copy(update={"seal": valid.seal.model_copy(update={"timestamp": archived})})
    assert verdict(through).proven_by == "archive"
    unknown = bare.model_copy(update={"register_": bare.register_.model_copy(update={"record": None})})
    assert (verdict(unknown).proven_by, verdict(unknown).proven_at) == (None, None)


def test_the_end_of_a_confirmation_is_told_and_its_successor_only_to_who_names_the_exporter(valid: Facts) -> None:
    replaced = ended(valid, Standing.SUPERSEDED)
    found = verdict(replaced)
    assert (found.code, found.ended_at, found.end_reason) == (Code.SUPERSEDED, valid.at, "error")
    assert found.successor is None
    assert verdict(replaced, exporter="9" * 18).successor is None
    assert verdict(replaced, exporter=TIANSHAN).successor == NEWER
    assert verdict(changed(replaced, digest=State.FAILED), exporter=TIANSHAN).successor is None
    record = replaced.register_.record
    assert record is not None
    assert names_exporter(record, Asked(exporter=TIANSHAN)) is True
    assert names_exporter(record.model_copy(update={"confirmation": None}), Asked(exporter=TIANSHAN)) is False


@pytest.mark.parametrize(
    ("standing", "state"),
    [
        (Standing.ISSUED, "matched"),
        (Standing.SUSPENDED, "matched"),
        (Standing.SUPERSEDED, "superseded"),
        (Standing.WITHDRAWN, "withdrawn"),
        (Standing.PENDING, "missing"),
        (Standing.ABANDONED, "missing"),
    ],
)
def test_the_state_of_a_line_is_told_as_it_stands(valid: Facts, standing: Standing, state: str) -> None:
    (one,) = verdict(ended(valid, standing), vins=(VINS[0],)).coverage.vins
    assert one.state == state
    (clashing,) = verdict(ended(valid, standing, is_conflict=True), vins=(VINS[0],)).coverage.vins
    assert clashing.state == (state if standing.is_final and state != "missing" else "conflict")


@pytest.mark.parametrize("form", [Form.UNREADABLE, Form.STRANGER])
def test_what_is_grey_is_compared_with_nothing(valid: Facts, form: Form) -> None:
    seal = valid.seal.model_copy(update={"form": form, "reason": "EMPTY", "findings": ()})
    found = verdict(valid.model_copy(update={"seal": seal}), vins=(VINS[0],), destination="KZ", exporter=TIANSHAN)
    assert [one.state for one in found.coverage.vins] == ["missing"]
    assert (found.coverage.destination, found.coverage.exporter, found.seal_report) == ("unknown", "unknown", None)
    assert [check.id for check in found.checks] == ["form"]
    unasked = verdict(valid.model_copy(update={"seal": seal})).coverage
    assert (unasked.destination, unasked.exporter, unasked.vins) == ("not-asked", "not-asked", ())


def test_production_makes_a_test_seal_grey_and_tells_what_it_would_be(valid: Facts) -> None:
    production = Policy(mode="production")
    good = decide(valid, Asked(), production)
    assert (good.code, good.would_be, good.test) == (Code.TEST_ONLY, Code.VALID, True)
    unread = valid.model_copy(update={"seal": valid.seal.model_copy(update={"form": Form.UNREADABLE, "findings": ()})})
    assert (decide(unread, Asked(), production).code, decide(unread, Asked(), production).would_be) == (
        Code.UNREADABLE,
        None,
    )
    listed = valid.trust.model_copy(update={"test": False})
    of_the_certificate = valid.model_copy(update={"trust": listed})
    assert decide(of_the_certificate, Asked(), production).code is Code.TEST_ONLY
    neither = of_the_certificate.model_copy(update={"seal": valid.seal.model_copy(update={"test_policy": False})})
    assert decide(neither, Asked(), production).test is False
    assert decide(neither, Asked(), production).code is not Code.TEST_ONLY
