"""The signed code on every confirmation: of the committed row, by its manufacturer's key, as the page shows it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pki import entry_of
from world import AT, BEICHEN, KAZAKHSTAN, YUNZHOU, World, fresh

from signer.domain import content
from signer.domain.number import Number
from signer.domain.trust import Purpose, SealState
from signer.errors import Conflict, InvalidInput, KeyUnavailable, Misconfigured
from signer.paper import cose, symbol
from signer.register import parties
from signer.seal import pki
from signer.seal.certificates import Certificate

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.domain.trust import TrustEntry
    from signer.paper.cose import Decoded

USCC = "91440000MA0YX01AAY"
THIS_YEAR = f"paper/{USCC}-2026.pem"


@pytest.fixture
def database() -> str:
    """Where the register is makes no difference to a code."""
    return "sqlite"


def codes(pdf: bytes) -> list[Decoded]:
    """What a scanner reads from the printed pages: the signed codes, in their order."""
    document, found = pypdfium2.PdfDocument(pdf), []
    try:
        for place in range(len(document)):
            picture = document[place].render(scale=3, grayscale=True)
            data, wide = bytes(picture.buffer), picture.width
            pixels = b"".join(data[row * picture.stride :][:wide] for row in range(picture.height))
            found += [text for text in symbol.texts(pixels, width=picture.width) if "/v#" in text]
    finally:
        document.close()
    return sorted(map(cose.decode, found), key=lambda code: code.claims.page or (0, 0))


def paper_entry(world: World, uscc: str = USCC) -> TrustEntry:
    (entry,) = (one for one in world.services.trust.current(world.at).of(Purpose.PAPER) if one.uscc == uscc)
    return entry


def spki(entry: TrustEntry) -> bytes:
    return Certificate(entry.der).parsed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_the_code_on_the_page_says_what_the_register_holds_and_verifies_by_the_trust_list(world: World) -> None:
    issued = world.issue(fresh(KAZAKHSTAN, 1))
    (code,) = codes(issued.pdf)
    ((encoded, place, index),) = world.rows(
        'SELECT c.content, s.list, s."index" FROM confirmations c JOIN status_entries s ON s.confirmation_id = c.id'
    )
    kept, claims, entry = content.parse(bytes(encoded)), code.claims, paper_entry(world)
    assert (claims.issuer, claims.number, claims.issued_at) == (USCC, issued.number, kept.issued_at)
    assert (claims.vins, claims.destination, claims.exporter) == (kept.terms.vins, "KZ", kept.terms.exporter.uscc)
    assert (claims.content_digest, claims.until) == (content.content_digest(bytes(encoded)), kept.until)
    assert (claims.status, claims.page) == ((place, index), None)
    assert code.kid.hex() == Certificate(entry.der).key_digest[:16]
    assert cose.verify(code, spki(entry))
    assert not cose.verify(code, spki(paper_entry(world, "91110000MA0BC02BBK")))


def test_each_twenty_vehicles_have_a_code_of_their_own(world: World) -> None:
    plain = fresh(KAZAKHSTAN, 2)
    one = plain["vehicles"][0]
    plain["vehicles"] = [fresh(KAZAKHSTAN, turn)["vehicles"][0] | {"brand": one["brand"]} for turn in range(45)]
    found = codes(world.issue(plain).pdf)
    assert [code.claims.page for code in found] == [(1, 3), (2, 3), (3, 3)]
    assert [str(vin) for code in found for vin in code.claims.vins] == [each["vin"] for each in plain["vehicles"]]
    assert [len(code.claims.vins) for code in found] == [20, 20, 5]
    assert all(cose.verify(code, spki(paper_entry(world))) for code in found)


def test_the_same_row_is_signed_to_the_same_digits_and_no_other_than_a_pending_one(world: World) -> None:
    pending: list[Any] = []
    page = world.services.issuing._sealing._page
    paper = world.services.paper
    render = page.render

    def twice(confirmation: Any, **more: Any) -> bytes:
        pending.append([paper.codes(confirmation.number, tenant(world)) for _ in range(2)])
        return render(confirmation, **more)

    page.render = twice
    number = world.issue(fresh(KAZAKHSTAN, 3)).number
    ((first, again),) = pending
    assert first
    assert first == again
    with pytest.raises(Conflict, match="only while a number is pending"):
        paper.codes(Number(number), tenant(world))


def tenant(world: World, maker: str = YUNZHOU) -> parties.Tenant:
    with world.services.database.read() as tx:
        return parties.tenant(tx, maker)


def _changed(**fields: Any) -> Callable[[World], None]:
    def change(world: World) -> None:
        digest = paper_entry(world).certificate_digest
        world.publish(
            lambda entry: entry.model_copy(update=fields) if entry.certificate_digest == digest else entry, forget=True
        )

    return change


def _another_makers(world: World) -> None:
    for path in (world.settings.keys / "paper").glob("91110000MA0BC02BBK*"):
        shutil.copy(path, path.with_name(path.name.replace("91110000MA0BC02BBK", USCC)))


def _gone(world: World) -> None:
    (world.settings.keys / THIS_YEAR).unlink()


def _unlisted(world: World) -> None:
    world.publish(lambda entry: None if entry.purpose is Purpose.PAPER else entry, forget=True)


UNFIT: dict[str, tuple[Callable[[World], None], str]] = {
    "no key": (_gone, "has no key for codes on paper"),
    "not on the list": (_unlisted, "does not name"),
    "verify-only": (_changed(state=SealState.VERIFY_ONLY, state_since=AT), "it is verify-only"),
    "revoked": (
        _changed(state=SealState.REVOKED, state_since=AT, revoked_at=AT, reason="key-misuse"),
        "it is revoked",
    ),
    "its time is over": (_changed(until_at=AT), "does not entitle it now"),
    "another manufacturer's": (_another_makers, "the trust list gives it to"),
    "the manufacturer's former name": (_changed(legal_name="云舟样例汽车厂"), "the trust list gives it to"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_without_a_fit_key_a_confirmation_bears_no_signed_code_and_where_one_is_required_nothing_is_issued(
    world: World, name: str
) -> None:
    change, says = UNFIT[name]
    change(world)
    world.rewire()
    assert codes(world.issue(fresh(KAZAKHSTAN, 4)).pdf) == []
    world.overrides["SIGNER_PAPER_CODES"] = "require"
    world.rewire()
    with pytest.raises((KeyUnavailable, Misconfigured), match=says):
        world.issue(fresh(KAZAKHSTAN, 5))
    assert world.rows("SELECT count(*) FROM confirmations") == [(1,)]
    (told,) = (one for one in world.services.doctor.examine() if one.part == "paper-keys" and YUNZHOU in one.detail)
    assert told.health == "error"
    checked = next(one for one in world.services.key_checks.check(USCC) if not one.is_seal)
    assert not checked.is_fit


def test_where_a_code_is_required_and_there_is_one_it_is_issued(world: World) -> None:
    world.overrides["SIGNER_PAPER_CODES"] = "require"
    world.rewire()
    assert len(codes(world.issue(fresh(KAZAKHSTAN, 6)).pdf)) == 1


def test_of_two_years_the_newest_key_that_counts_signs(world: World) -> None:
    paper = world.services.paper
    name, entry = paper.make_key(YUNZHOU, 2027)
    assert name == f"paper/{USCC}-2027.pem"
    assert paper.key(tenant(world).manufacturer).entry == paper_entry(world)
    with pytest.raises(Conflict, match="the key of 2027 is there already"):
        paper.make_key(USCC, 2027)
    made = pki._read(world.settings.keys / entry["certificate"])
    added = entry_of(Purpose.PAPER, made, YUNZHOU).model_copy(update={"uscc": USCC, "chain": ()})
    world.publish(entries=(*_listed(world), added))
    assert paper.key(tenant(world).manufacturer).key.certificate.not_before < AT
    world.at = made.not_before
    world.rewire()
    assert world.services.paper.key(tenant(world).manufacturer).entry.certificate_digest == made.digest


def test_the_makers_key_is_made_as_a_list_of_changes_by_the_command_wants_it(world: World) -> None:
    _gone(world)
    (world.settings.keys / THIS_YEAR).with_suffix(".crt.pem").unlink()
    _, entry = world.services.paper.make_key(YUNZHOU)
    changes = json.dumps({"schema": "signer.trust-changes/1", "add": [entry]}).encode()
    drafted = world.services.publishing.draft(changes, world.settings.keys)
    (new,) = (one for one in drafted.trust.of(Purpose.PAPER) if one.uscc == USCC and one not in _listed(world))
    assert (new.legal_name, new.state) == (YUNZHOU, SealState.ACTIVE)
    secret = world.settings.keys / THIS_YEAR
    assert secret.stat().st_mode & 0o077 == 0
    assert b"ENCRYPTED PRIVATE KEY" in secret.read_bytes()


def _listed(world: World) -> tuple[TrustEntry, ...]:
    return world.services.trust.current(world.at).entries


def test_no_list_has_a_paper_key_that_is_nobodys_or_not_on_p256(world: World) -> None:
    entry, older = paper_entry(world), world.services.trust.current(world.at)
    others = tuple(one for one in older.entries if one != entry)
    with pytest.raises(InvalidInput, match="needs the manufacturer's uscc"):
        world.publish(entries=(*others, entry.model_copy(update={"uscc": None})))
    tsa = older.of(Purpose.TSA)[0].model_copy(update={"purpose": Purpose.PAPER, "uscc": USCC})
    with pytest.raises(InvalidInput, match="may not sign codes on paper"):
        world.publish(entries=(*(one for one in older.entries if one.purpose is not Purpose.TSA), tsa))


def test_the_doctor_says_when_a_key_is_missing_and_when_it_ends(world: World) -> None:
    theirs = "paper/91110000MA0BC02BBK-2026.pem: opens and signs"
    assert _told(world) == [("ok", f"{YUNZHOU}: {THIS_YEAR}: opens and signs"), ("ok", f"{BEICHEN}: {theirs}")]
    world.at = Certificate(paper_entry(world).der).not_after.replace(day=1)
    world.publish()
    assert {health for health, _ in _told(world)} == {"warning"}
    assert all("signer keys paper" in detail for _, detail in _told(world))
    _gone(world)
    assert any("confirmations go out without the signed code" in detail for _, detail in _told(world))


def _told(world: World) -> list[tuple[str, str]]:
    return sorted((one.health, one.detail) for one in world.services.doctor.examine() if one.part == "paper-keys")
