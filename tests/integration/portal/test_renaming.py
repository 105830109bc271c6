"""A company's new name: proposed by one person, confirmed by another, and nothing that was sealed is another for it."""

from __future__ import annotations

import io
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import approvals
import pytest
import world as worlds
from objects import OTHER, OWN
from portal import Portal
from world import KAZAKHSTAN, YUNZHOU, fresh

from signer.domain.trust import SealState
from signer.domain.verdict import Code
from signer.services.approving import Word

if TYPE_CHECKING:
    from portal import Visitor
    from world import World

NEW = "云帆样例汽车股份有限公司"
PDF = b"%PDF-1.7\n%x"
GOOD = {
    "legal_name": NEW,
    "legal_name_en": "Yunfan Sample Automobile Co., Ltd.",
    "from_on": "2026-11-20",
    "announcement": "第四百批 样例序号 1",
    "reason": "样例股东会决议，2026-11-20 变更登记",
}


@pytest.fixture
def portal(world: World) -> Portal:
    world.give("admin", "gao.sample")
    return Portal.of(world)


@pytest.fixture
def gao(portal: Portal) -> Visitor:
    return portal.visitor("gao.sample")


def propose(visitor: Visitor, file: bytes = PDF, **changes: str) -> Any:
    told = {**GOOD, **changes, "file": (io.BytesIO(file), "a.pdf" if file else "")}
    return visitor.post(f"/portal/{OWN}/facts/renaming", told, content_type="multipart/form-data")


def confirm(portal: Portal, person: str, path: str, **more: str) -> Any:
    code = portal.give_factor(person).at(portal.world.at)
    return portal.visitor(person).post(path, {"factor_code": code, **more})


def path_of(answer: Any) -> str:
    assert answer.status_code == 303, answer.text
    return str(answer.location).partition("?")[0]


def names(portal: Portal) -> tuple[str, list[tuple[str, str]]]:
    """The company's name, and the former ones besides that of the sample."""
    maker, _ = portal.world.services.facts.of(OWN)
    return maker.legal_name, [(one.legal_name, one.until.isoformat()) for one in maker.former_names[1:]]


def test_a_new_name_counts_once_another_person_confirms_it_and_the_former_one_is_kept_with_its_day(
    portal: Portal, gao: Visitor
) -> None:
    path = path_of(propose(gao))
    assert names(portal) == (YUNZHOU, [])
    assert portal.world.rows("SELECT kind FROM mails") == []  # nobody of them has an address yet
    page = portal.visitor("lin.sample").get(path)
    assert all(word in page.text for word in (YUNZHOU, NEW, "2026-11-20", GOOD["reason"]))
    assert path in portal.visitor("lin.sample").get(f"/portal/{OWN}/approvals").text
    assert confirm(portal, "lin.sample", path).location.endswith("done=renaming.done")
    assert names(portal) == (NEW, [(YUNZHOU, "2026-11-19")])
    told = portal.world.rows("SELECT event, actor FROM audit WHERE event LIKE 'renaming.%' OR event LIKE '%.renamed'")
    assert told == [
        ("renaming.asked", "gao.sample"),
        ("renaming.done", "lin.sample"),
        ("manufacturer.renamed", "gao.sample"),
    ]
    facts = gao.get(f"/portal/{OWN}/facts").text
    assert all(word in facts for word in (NEW, YUNZHOU, "2026-11-19"))


def test_nothing_that_was_sealed_changes_and_what_waits_is_sealed_in_no_old_name(portal: Portal) -> None:
    world = portal.world
    sealed = world.issue(fresh(KAZAKHSTAN, 1))
    before = world.rows("SELECT content, content_digest FROM confirmations")
    waiting = approvals.sent(world, fresh(KAZAKHSTAN, 2))
    world.at += timedelta(days=1)
    path = path_of(propose(portal.visitor("gao.sample")))
    assert confirm(portal, "lin.sample", path).status_code == 303
    assert world.rows("SELECT content, content_digest FROM confirmations") == before
    told = world.verify(sealed.pdf)
    assert (told.code, told.notices) == (Code.VALID_WITH_NOTICE, ("SEAL_VERIFY_ONLY",))
    assert world.services.issuing._blobs.get(bytes.fromhex(str(world.rows("SELECT hex(file_digest) FROM files")[0][0])))
    whole = world.services.confirming.whole(OWN, sealed.number)
    assert whole.record.whole.terms.manufacturer.legal_name == YUNZHOU
    assert {seal.state for seal in world.services.seal_keeping.all(OWN)} == {SealState.VERIFY_ONLY}
    word = Word(ref=waiting.ref, maker=OWN, by="lin.sample", terms_digest=waiting.terms_digest.hex(), factor="totp")
    assert world.services.approving.approve(word).outcome == "changed"
    assert world.rows("SELECT count(*) FROM confirmations") == [(1,)]


def test_who_proposed_a_name_cannot_confirm_it_nor_can_one_without_a_second_factor(portal: Portal) -> None:
    world = portal.world
    roles = {"person": "gao.sample", "manufacturer": OWN, "roles": ["admin", "approver"]}
    world.services.people.load(worlds.as_bytes({"memberships": [roles]}), actor="test")
    path = path_of(propose(portal.visitor("gao.sample")))
    assert confirm(portal, "gao.sample", path).status_code == 403
    assert portal.visitor("lin.sample").post(path, {"factor_code": "000000"}).status_code == 422
    assert portal.visitor("chen.sample").post(path, {}).status_code == 403
    assert names(portal) == (YUNZHOU, [])
    with pytest.raises(sqlite3.IntegrityError, match="four_eyes"):
        world.change("UPDATE renamings SET outcome = 'done', decided_by = asked_by, decided_at = 'x', factor = 'totp'")


def test_what_was_decided_is_not_decided_again_and_one_name_waits_at_a_time(portal: Portal, gao: Visitor) -> None:
    path = path_of(propose(gao))
    again = propose(gao, legal_name="云海样例汽车股份有限公司")
    assert (again.status_code, "云海样例" in again.text) == (409, True)
    assert path_of(gao.get(f"/portal/{OWN}/facts/renaming")) == path
    assert gao.post(f"{path}/drop").location.endswith("renaming.dropped")
    assert confirm(portal, "lin.sample", path).status_code == 409
    assert gao.post(f"{path}/drop").status_code == 409
    assert names(portal) == (YUNZHOU, [])
    with pytest.raises(sqlite3.IntegrityError, match="decided already"):
        portal.world.change("UPDATE renamings SET outcome = NULL, decided_at = NULL")
    with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        portal.world.change("DELETE FROM renamings")
    assert path_of(propose(gao)) != path


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("legal_name", YUNZHOU),
        ("legal_name", ""),
        ("legal_name", "x" * 5000),
        ("legal_name", "a\u202eb"),
        ("legal_name_en", "x" * 5000),
        ("from_on", "2026-11-24"),
        ("from_on", "soon"),
        ("announcement", ""),
        ("reason", ""),
        ("reason", "x" * 401),
    ],
)
def test_a_wrong_field_is_named_and_nothing_typed_is_lost_nor_the_file(
    portal: Portal, gao: Visitor, field: str, typed: str
) -> None:
    page = propose(gao, **{field: typed})
    assert (page.status_code, f'id="{field}-wrong"' in page.text) == (422, True)
    kept = [text for name, text in GOOD.items() if name != field]
    assert not [text for text in kept if text not in page.text]
    ((ref,),) = portal.world.rows("SELECT ref FROM evidence_files")
    assert f'<option value="{ref}" selected>' in page.text
    assert portal.world.rows("SELECT * FROM renamings") == []


def test_a_name_without_evidence_or_with_anothers_is_refused(portal: Portal, gao: Visitor) -> None:
    assert 'id="evidence"' in propose(gao, b"").text
    assert propose(gao, b"<svg/>").status_code == 422
    made = portal.world.rows(
        "INSERT INTO evidence_files (ref, manufacturer_id, subject, title, file_name, file_digest, media_type, size, "
        "data, added_by, added_at) SELECT 'theirs', id, 'name', 't', 'f', x'00', 'application/pdf', 1, x'00', "
        f"'he.sample', '2026-11-22T00:00:00.000000Z' FROM manufacturers WHERE uscc = '{OTHER}' RETURNING ref"
    )
    assert propose(gao, b"", evidence=made[0][0]).status_code == 422
    assert portal.world.rows("SELECT * FROM renamings") == []


def test_a_name_that_changed_meanwhile_by_another_way_is_not_confirmed(portal: Portal, gao: Visitor) -> None:
    path = path_of(propose(gao))
    portal.world.change("UPDATE manufacturers SET record = replace(record, '云舟', '云天')")
    assert confirm(portal, "lin.sample", path).status_code == 409


def test_the_approvers_are_written_to(portal: Portal, gao: Visitor) -> None:
    portal.give_account("lin.sample", language="zh")
    path = path_of(propose(gao))
    ((recipient, subject, body),) = portal.world.rows("SELECT recipient, subject, body FROM mails")
    assert (recipient, subject) == ("lin.sample@example.com", f"企业更名待确认：{YUNZHOU}")
    assert NEW in body
    assert path in body


def test_a_second_change_of_name_begins_after_the_first(portal: Portal, gao: Visitor) -> None:
    assert confirm(portal, "lin.sample", path_of(propose(gao))).status_code == 303
    page = propose(gao, legal_name="云海样例汽车股份有限公司", from_on="2026-11-20")
    assert (page.status_code, 'id="from_on-wrong"' in page.text) == (422, True)
