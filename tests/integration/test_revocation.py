"""Revocation on a working service: not sealed, not believed, and what was sealed before stays good."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pdfua
import pikepdf
import pytest
import world as worlds
from world import EMIRATES, KAZAKHSTAN, YUNZHOU, World, sample

from signer.domain.trust import Purpose, SealState
from signer.domain.verdict import Code
from signer.errors import KeyUnavailable, RevocationUnavailable, SelfCheckFailed
from signer.seal import keys, pki, responder, revocation
from signer.services import witnesses
from signer.services.trust import make_test_pki

if TYPE_CHECKING:
    from pathlib import Path

    from signer.domain.trust import TrustEntry

DESCRIPTION = (worlds.ROOT / "keys.example" / "pki.yaml").read_bytes()


def is_untouched(world: World) -> bool:
    return all(
        world.rows(f"SELECT count(*) FROM {table}") == [(0,)] for table in ("confirmations", "files", "vin_claims")
    )


def seal_of(world: World, name: str) -> TrustEntry:
    trust = world.services.trust.current(world.at)
    return next(entry for entry in trust.of(Purpose.PDF_SEAL) if entry.legal_name == name)


def published(world: World, which: TrustEntry, **changes: Any) -> None:
    """Publish the next trust list, with one entry changed; everything else of it is new."""
    world.publish(lambda entry: entry.model_copy(update=changes) if entry == which else entry)


@pytest.mark.parametrize("name", [KAZAKHSTAN, EMIRATES])
def test_a_sealed_sample_is_still_accessible_and_archivable(world: World, tmp_path: Path, name: str) -> None:
    issued, path = world.issue(sample(name)), tmp_path / "sealed.pdf"
    path.write_bytes(issued.pdf)
    report = pdfua.validate(str(path))
    assert [finding for outcome in report.outcomes for finding in outcome.findings] == []
    with pikepdf.open(path) as pdf, pdf.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"], metadata["pdfuaid:part"]) == ("3", "A", "1")
        assert metadata["xmp:ModifyDate"] == metadata["xmp:CreateDate"]


def test_a_seal_that_its_authority_revoked_is_not_used_and_costs_no_number(world: World) -> None:
    responder.revoke(world.folder / "keys", seal_of(world, YUNZHOU).certificate_digest, at=world.at)
    with pytest.raises(KeyUnavailable, match="was revoked at"):
        world.issue(sample(KAZAKHSTAN))
    assert is_untouched(world)
    assert world.issue(sample(EMIRATES)).level == "B-LT"


def test_an_authority_whose_clock_is_revoked_gives_no_timestamp(world: World) -> None:
    (tsa,) = world.services.trust.current(world.at).of(Purpose.TSA)
    responder.revoke(world.folder / "keys", tsa.certificate_digest, at=world.at)
    issued = world.issue(sample(KAZAKHSTAN))
    assert (issued.level, world.verify(issued.pdf).notices) == ("B-B", ("NO_TIMESTAMP",))


def silence(world: World) -> None:
    """Take the responder's keys away: nobody answers for revocation any more."""
    for name in pki.AUTHORITY_FILES:
        (world.folder / "keys" / name).unlink()
    world.rewire()


def test_without_an_answer_best_effort_seals_with_a_notice(world: World) -> None:
    silence(world)
    issued = world.issue(sample(KAZAKHSTAN))
    verdict = world.verify(issued.pdf)
    assert (issued.level, verdict.code, verdict.notices) == ("B-T", Code.VALID_WITH_NOTICE, ("NO_REVOCATION_DATA",))
    assert verdict.seal_report is not None
    assert (verdict.seal_report.level, verdict.seal_report.sub_indication) == ("B-T", "TRY_LATER")


def test_without_an_answer_require_refuses_before_a_number_is_taken(world: World) -> None:
    silence(world)
    with pytest.raises(RevocationUnavailable, match="does not speak for"):
        world.issue(sample(EMIRATES))  # its manufacturer demands everything
    assert is_untouched(world)


def test_without_any_witness_best_effort_lacks_both(world: World) -> None:
    world.overrides = {"SIGNER_TSA_URLS": "http://127.0.0.1:9"}
    silence(world)
    issued = world.issue(sample(KAZAKHSTAN))
    assert (issued.level, set(world.verify(issued.pdf).notices)) == ("B-B", {"NO_TIMESTAMP", "NO_REVOCATION_DATA"})


def test_no_data_is_a_doubt_where_the_trust_list_does_not_vouch(world: World) -> None:
    silence(world)
    issued = world.issue(sample(KAZAKHSTAN))
    world.at += timedelta(hours=1)
    published(world, seal_of(world, YUNZHOU), state=SealState.SUSPENDED)
    assert world.verify(issued.pdf).code is Code.INDETERMINATE
    published(world, seal_of(world, YUNZHOU), state=SealState.VERIFY_ONLY, state_since=world.at)
    assert set(world.verify(issued.pdf).notices) == {"NO_REVOCATION_DATA", "SEAL_VERIFY_ONLY"}


def test_a_file_that_says_of_itself_that_it_is_revoked_does_not_pass_our_own_check(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bypass the refusal before sealing: the self-check must still hold it back."""

    def careless(self: witnesses.Witnesses, seal: TrustEntry, witness: Any, *, key: Any = None) -> revocation.Evidence:
        trust = world.services.trust.current(world.at)
        (source,) = self._sources(trust)
        listed = trust.by_digest(witness.digest) if witness else None
        links = [link for entry in (seal, listed) if entry for link in revocation.links_of(entry, trust)]
        return revocation.Evidence((), tuple(source.ask(link) for link in dict.fromkeys(links)))

    monkeypatch.setattr(witnesses.Witnesses, "evidence", careless)
    assert world.issue(sample(EMIRATES)).level == "B-LT"
    responder.revoke(world.folder / "keys", seal_of(world, YUNZHOU).certificate_digest, at=world.at)
    with pytest.raises(SelfCheckFailed, match="SEAL_REVOKED"):
        world.issue(sample(KAZAKHSTAN))


def test_what_lacks_data_passes_our_own_check_only_as_a_best_effort(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnesses.Witnesses, "evidence", lambda *_, **__: revocation.Evidence())
    assert world.issue(sample(KAZAKHSTAN)).level == "B-T"
    with pytest.raises(SelfCheckFailed, match="NO_REVOCATION_DATA"):
        world.issue(sample(EMIRATES))  # its manufacturer demands everything


def test_what_was_sealed_before_the_revocation_stays_and_what_came_after_is_revoked(world: World) -> None:
    before = world.issue(sample(KAZAKHSTAN))
    world.at += timedelta(hours=2)
    revoked_at = world.at - timedelta(hours=1)
    mine = seal_of(world, YUNZHOU)
    later = sample(KAZAKHSTAN)
    later["vehicles"] = later["vehicles"][:1]
    later["supersedes"] = before.number
    after = world.issue(later)
    published(world, mine, state=SealState.REVOKED, revoked_at=revoked_at)
    assert world.verify(after.pdf).code is Code.SEAL_REVOKED
    older = world.verify(before.pdf, vins=tuple(line["vin"] for line in sample(KAZAKHSTAN)["vehicles"][1:]))
    assert older.code is Code.VALID_WITH_NOTICE
    assert "SEAL_REVOKED_LATER" in older.notices


@pytest.mark.parametrize("has_timestamp", [True, False])
def test_a_seal_whose_certificate_expired_later_keeps_what_it_sealed(world: World, *, has_timestamp: bool) -> None:
    world.overrides = {} if has_timestamp else {"SIGNER_TSA_URLS": "http://127.0.0.1:9"}
    world.rewire()
    issued = world.issue(sample(KAZAKHSTAN))
    world.at += timedelta(days=4 * 365)
    make_test_pki(world.settings, DESCRIPTION, at=world.at)
    verdict = world.verify(issued.pdf, applied_on=worlds.AT.date())
    chain = next(check for check in verdict.checks if check.id == "chain")
    if has_timestamp:
        assert (verdict.code, verdict.proven_by) == (Code.VALID, "timestamp")
    else:
        assert (verdict.code, verdict.proven_by) == (Code.VALID_WITH_NOTICE, "register")
        assert set(verdict.notices) == {"NO_TIMESTAMP", "NO_REVOCATION_DATA"}
        assert chain.detail.endswith("; recorded before")
    assert chain.argues_for is None


def test_the_timestamping_key_is_opened_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    load = keys.load

    def counted(path: Any, **how: Any) -> Any:
        opened.append(path.name)
        return load(path, **how)

    monkeypatch.setattr(keys, "load", counted)
    world.issue(sample(KAZAKHSTAN))
    world.issue(sample(EMIRATES))
    assert sorted(opened) == sorted(set(opened))
    assert "tsa.p12" in opened


def test_answers_are_asked_for_once_an_hour(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ask = responder.TestResponder.ask

    def counted(self: responder.TestResponder, link: revocation.Link) -> bytes:
        asked.append(link.certificate.digest)
        return ask(self, link)

    monkeypatch.setattr(responder.TestResponder, "ask", counted)
    older = seal_of(world, YUNZHOU)
    world.issue(sample(KAZAKHSTAN))
    first = len(asked)
    assert first == len(set(asked)) == 3
    world.issue(sample(EMIRATES))
    assert len(asked) == first + 1  # the other seal's certificate; authorities and clock are known
    world.at += timedelta(hours=1)
    (seal,) = (entry for entry in world.services.trust.current(world.at).of(Purpose.PDF_SEAL) if entry == older)
    world.services.issuing._sealing._seals._witnesses.evidence(seal, None)
    assert len(asked) == first + 3
