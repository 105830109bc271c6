"""Seals outlive their keys: copies are made, renewed, and prove themselves; without them nothing is green for ever."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import decades
import pdfua
import pikepdf
import pytest
from world import AT, EMIRATES, KAZAKHSTAN, sample

from signer.domain.evidence import Asked
from signer.domain.log_facts import NO_LOG
from signer.domain.trust import Purpose, SealState
from signer.domain.verdict import Code
from signer.errors import NotFound, RevocationUnavailable
from signer.verification.decide import decide
from signer.verification.policy import Policy

if TYPE_CHECKING:
    from pathlib import Path

    from world import World

    from signer.domain.verdict import Verdict

DAYS = timedelta(days=1)
THEN = Asked(applied_on=AT.date())
"""Asked is whether it was good when it was applied with: its own last day passes in the first year."""


def without_register(world: World, pdf: bytes) -> Verdict:
    """The verdict if nobody remembered when the file was recorded: neither the register nor the log."""
    facts = world.services.verifying.gather(pdf)
    record = facts.register_.record
    assert record is not None
    forgetful = facts.register_.model_copy(update={"record": record.model_copy(update={"recorded_at": None})})
    return decide(facts.model_copy(update={"register_": forgetful, "log": NO_LOG}), THEN, Policy(mode="test"))


def verify(world: World, pdf: bytes) -> Verdict:
    return world.services.verifying.file(pdf, THEN)


def seal_of(world: World, pdf: bytes) -> str:
    digest = world.services.verifying.gather(pdf).seal.certificate_digest
    assert digest is not None
    return digest


def test_six_years_with_every_key_replaced(world: World, tmp_path: Path) -> None:
    long = decades.begin(world, tmp_path / "generations")
    issued = world.issue(sample(KAZAKHSTAN))
    copies = set()
    for year in long.live(6):
        copy = long.upgrading.fetch(issued.number)
        copies.add(copy)
        verdict, lonely = verify(world, copy), without_register(world, copy)
        assert (verdict.code, lonely.code) == (Code.VALID, Code.VALID), f"year {year}: {verdict.reason} {lonely.reason}"
        assert verdict.seal_report is not None
        assert verdict.seal_report.level == "B-LTA"
        assert copy.startswith(issued.pdf)
    assert len(copies) >= 2
    assert lonely.proven_at is not None
    assert lonely.proven_at - world.services.verifying.gather(copy).register_.record.confirmation.issued_at < DAYS  # type: ignore[union-attr]


def test_a_copy_is_still_pdfa_3a_and_pdfua_1(world: World, tmp_path: Path) -> None:
    long = decades.begin(world, tmp_path / "generations")
    issued = world.issue(sample(EMIRATES))
    path = tmp_path / "copy.pdf"
    for _ in long.live(3):
        path.write_bytes(long.upgrading.fetch(issued.number))
    report = pdfua.validate(str(path))
    assert not [finding for outcome in report.outcomes for finding in outcome.findings]
    with pikepdf.open(path) as opened, opened.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"], metadata["pdfuaid:part"]) == ("3", "A", "1")
        assert not opened.check_pdf_syntax()
    told = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


def test_a_copy_is_judged_alike_behind_the_walls(world: World, tmp_path: Path) -> None:
    long = decades.begin(world, tmp_path / "generations")
    issued = world.issue(sample(EMIRATES))
    world.at += 2 * DAYS
    long.publish()
    assert long.upgrading.upgrade().made == 1
    copy = long.upgrading.fetch(issued.number)
    bare = world.services.verifying.gather(copy).seal
    world.is_sandboxed = True
    world.rewire()
    assert world.services.verifying.gather(copy).seal == bare
    assert verify(world, copy).code is Code.VALID


def test_a_copy_by_a_stranger_is_green_with_a_notice(world: World, tmp_path: Path) -> None:
    long = decades.begin(world, tmp_path / "generations")
    issued = world.issue(sample(EMIRATES))
    world.at += 2 * DAYS
    long.publish()
    assert long.upgrading.upgrade().made == 1
    copy = long.upgrading.fetch(issued.number)
    newest = long.stamping.certificate.digest
    world.publish(lambda entry: None if entry.certificate_digest == newest else entry, forget=True)
    verdict = verify(world, copy)
    assert (verdict.code, verdict.notices) == (Code.VALID_WITH_NOTICE, ("ARCHIVED_BY_OTHERS",))
    assert verdict.seal_report is not None
    assert verdict.seal_report.level == "B-LT"


def test_without_renewal_a_file_proves_itself_no_longer(world: World, tmp_path: Path) -> None:
    """The attacker's control: the seal's certificate has ended, and so has the authority of its timestamp."""
    long = decades.begin(world, tmp_path / "generations")
    issued = world.issue(sample(KAZAKHSTAN))
    world.at += 2 * DAYS
    long.publish()
    assert long.upgrading.upgrade().made == 1
    copy = long.upgrading.fetch(issued.number)
    assert without_register(world, copy).code is Code.VALID
    assert list(long.live(12, renews=False)) == list(range(1, 13))
    bare, lapsed = without_register(world, issued.pdf), without_register(world, copy)
    assert (bare.code, lapsed.code) == (Code.INDETERMINATE, Code.INDETERMINATE)
    told = verify(world, issued.pdf)
    assert (told.code, told.proven_by) == (Code.VALID_WITH_NOTICE, "register")
    assert told.seal_report is not None
    assert told.seal_report.indication == "INDETERMINATE"


def test_a_key_revoked_later_harms_nothing_that_is_proven_older(world: World, tmp_path: Path) -> None:
    long = decades.begin(world, tmp_path / "generations")
    issued = world.issue(sample(KAZAKHSTAN))
    world.at += 2 * DAYS
    long.publish()
    assert long.upgrading.upgrade().made == 1
    digest = seal_of(world, issued.pdf)
    cut = world.at + 30 * DAYS

    def revoke(entry: object) -> object:
        changed = {"state": SealState.REVOKED, "state_since": cut, "revoked_at": cut}
        return entry.model_copy(update=changed) if entry.certificate_digest == digest else entry  # type: ignore[attr-defined]

    world.at = cut + DAYS
    world.publish(revoke)  # type: ignore[arg-type]
    long.witnesses.forget()
    verdict = without_register(world, long.upgrading.fetch(issued.number))
    assert (verdict.code, verdict.notices) == (Code.VALID_WITH_NOTICE, ("SEAL_REVOKED_LATER",))
    cut = world.at - 60 * DAYS
    world.publish(revoke)  # type: ignore[arg-type]
    assert verify(world, issued.pdf).code is Code.SEAL_REVOKED


def test_what_an_authority_says_after_the_seal_is_kept_and_used(world: World, tmp_path: Path) -> None:
    long = decades.begin(world, tmp_path / "generations")
    issued = world.issue(sample(KAZAKHSTAN))
    other = world.issue(sample(EMIRATES))
    world.at += DAYS
    long.publish()
    assert long.upgrading.look_again() == 2
    assert long.upgrading.look_again() == 0
    verdict = verify(world, issued.pdf)
    assert verdict.code is Code.VALID
    assert [check.state for check in verdict.checks if check.id == "revocation-since"] == ["passed"]
    assert verify(world, other.pdf).code is Code.VALID


def test_revoked_between_the_answer_and_the_seal_is_found_and_suspended(world: World, tmp_path: Path) -> None:
    long = decades.begin(world, tmp_path / "generations")
    issued = world.issue(sample(KAZAKHSTAN))
    other = world.issue(sample(EMIRATES))
    assert verify(world, issued.pdf).code is Code.VALID
    digest = seal_of(world, issued.pdf)
    long.revoked[digest] = world.at - timedelta(minutes=10)
    world.at += DAYS
    long.publish()
    assert long.upgrading.look_again() == 2
    verdict = verify(world, issued.pdf)
    assert (verdict.code, verdict.confirmation) == (Code.SEAL_REVOKED, None)
    assert verify(world, other.pdf).code is Code.VALID
    assert world.rows(f"SELECT state FROM seals WHERE certificate_digest = '{digest}'") == [("suspended",)]
    (told,) = world.rows("SELECT actor, detail FROM audit WHERE event = 'seal.suspended'")
    assert told[0] == "signer"
    assert '"sealed_since": "1"' in told[1]
    assert any(
        symptom.part.startswith("certificate") and symptom.health == "error"
        for symptom in world.services.doctor.examine()
    )


def test_revoked_after_the_seal_leaves_what_was_sealed(world: World, tmp_path: Path) -> None:
    long = decades.begin(world, tmp_path / "generations")
    issued = world.issue(sample(KAZAKHSTAN))
    digest = seal_of(world, issued.pdf)
    long.revoked[digest] = world.at + timedelta(hours=1)
    world.at += 2 * DAYS
    long.publish()
    assert long.upgrading.look_again() == 1
    verdict = verify(world, issued.pdf)
    assert (verdict.code, verdict.notices) == (Code.VALID_WITH_NOTICE, ("SEAL_REVOKED_LATER",))
    assert long.upgrading.upgrade().made == 1
    copy = without_register(world, long.upgrading.fetch(issued.number))
    assert copy.notices == ("SEAL_REVOKED_LATER",)
    assert world.rows("SELECT event FROM audit WHERE event = 'seal.suspended'") == []


def test_a_stale_answer_is_no_answer_after_the_seal(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = decades.begin(world, tmp_path / "generations")
    world.issue(sample(KAZAKHSTAN))
    sealed = world.at
    world.at += timedelta(hours=2)
    honest = long.ask

    def old(self: decades.Decades, link: object) -> bytes:
        world.at, now = sealed - timedelta(minutes=1), world.at
        try:
            return honest(link)  # type: ignore[arg-type]
        finally:
            world.at = now

    monkeypatch.setattr(decades.Decades, "ask", old)
    with pytest.raises(RevocationUnavailable, match="before"):
        long.upgrading.look_again()
    assert world.rows("SELECT count(*) FROM revocation_answers") == [(0,)]


def test_what_fell_short_under_a_best_effort_is_made_to_last(world: World, tmp_path: Path) -> None:
    long = decades.begin(world, tmp_path / "generations")
    world.overrides["SIGNER_TSA_URLS"] = "http://127.0.0.1:9/tsa"
    world.rewire()
    long.witnesses._trust = world.services.trust
    issued = world.issue(sample(KAZAKHSTAN))
    assert issued.level == "B-B"
    with pytest.raises(NotFound):
        long.upgrading.fetch(issued.number)
    world.at += 2 * DAYS
    long.publish()
    assert long.upgrading.upgrade().made == 1
    copy = long.upgrading.fetch(issued.number)
    verdict = without_register(world, copy)
    assert (verdict.code, verdict.proven_by) == (Code.VALID, "archive")
    assert verdict.seal_report is not None
    assert verdict.seal_report.level == "B-LTA"
    assert world.services.issuing.fetch(issued.number) == issued.pdf
    rows = world.rows("SELECT kind, level FROM files ORDER BY id")
    assert rows == [("sealed", "B-B"), ("archive", "B-LTA")]


def test_an_authority_that_is_revoked_makes_no_copy(world: World, tmp_path: Path) -> None:
    long = decades.begin(world, tmp_path / "generations")
    issued = world.issue(sample(KAZAKHSTAN))
    world.at += 2 * DAYS
    long.publish()
    (newest,) = [
        entry.certificate_digest
        for entry in world.services.trust.current(world.at).of(Purpose.TSA)
        if entry.certificate_digest == long.stamping.certificate.digest
    ]
    long.revoked[newest] = world.at - DAYS
    upgraded = long.upgrading.upgrade()
    assert upgraded.made == 0
    assert "was revoked" in upgraded.faults[0]
    with pytest.raises(NotFound):
        long.upgrading.fetch(issued.number)
