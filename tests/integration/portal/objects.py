"""What the doors' addresses name: for each blueprint and placeholder, how a manufacturer comes to have such a thing."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import approvals
import batched
import exporting
import world as worlds

from signer.domain.drafting import parse_draft
from signer.domain.number import Number
from signer.domain.parties import Role, Uscc, uscc_check_character
from signer.register import parties, shares, status_links
from signer.register.columns import metadata
from signer.register.shares import Wanted
from signer.services.importing import Asked
from signer.services.inspecting import Asked as OfficerAsked
from signer.services.official import Place
from signer.services.onboarding import Typed
from signer.services.receipts import Receipt
from signer.services.sessions import Begun
from signer.services.webhooks import Wanted as Subscribed

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal import Portal, Visitor

    from signer.web.portal.doors import Door

MAKERS = {
    maker["record"]["legal_name"]: maker["record"]["uscc"] for maker in worlds.sample("register")["manufacturers"]
}
OWN, OTHER = MAKERS[worlds.YUNZHOU], MAKERS[worlds.BEICHEN]

FACTORIES: dict[tuple[str, str], Callable[[Case, str], str]] = {}
"""(blueprint or endpoint, placeholder) -> a function of the case and a USCC that returns what stands in the address."""


@dataclass
class Case:
    """A register with somebody in each role, and objects made when an address first needs them."""

    portal: Portal
    own: str = OWN
    other: str = OTHER
    exporter: str = worlds.TIANSHAN
    other_exporter: str = worlds.HAIYI
    made: dict[tuple[str, str, str], str] = field(default_factory=dict)
    visitors: dict[Role | None, Visitor] = field(default_factory=dict)

    def visitor(self, role: Role) -> Visitor:
        """Somebody who has this role and no other: for the first manufacturer, or appointed for all."""
        if role not in self.visitors:
            self.visitors[role] = self.portal.visitor(f"only.{role}")
        return self.visitors[role]

    def guest(self) -> Visitor:
        return self.portal.visitor()

    def address(
        self, door: Door, *, maker: str | None = None, of: str | None = None, but: tuple[str, str] = ("", "")
    ) -> str:
        """
        The door's address, under a manufacturer, with objects of one: both the first one unless said otherwise.

        `but`: one placeholder's name, and whose object stands in its place.
        """
        if door.is_of_an_exporter:
            maker, of = maker or self.exporter, of or self.exporter
        maker, of = maker or self.own, of or self.own
        path = door.rule.replace("<uscc>", maker).replace("<exporter>", maker)
        for placeholder, name in names(path):
            path = path.replace(placeholder, self._object(door.endpoint, name, but[1] if name == but[0] else of))
        return path

    def _object(self, endpoint: str, name: str, uscc: str) -> str:
        room = endpoint.partition(".")[0]
        key = (endpoint, name) if (endpoint, name) in FACTORIES else (room, name)
        made = (*key, uscc)
        if made not in self.made:
            self.made[made] = FACTORIES[key](self, uscc)
        return self.made[made]


def _import(case: Case, uscc: str) -> str:
    """A sheet that somebody handed in: nobody's vehicle, so that it can be looked at and not run."""
    person = worlds.PEOPLE[worlds.YUNZHOU if uscc == OWN else worlds.BEICHEN][0]
    sheet = "VIN,品牌,型号,首次登记日期,制造厂名称\nX,云舟,YZS6480T1,2026/2/30,样例".encode()
    return case.portal.world.services.importing.hand_in(
        Asked(person=person, maker=Uscc(uscc)), "vehicles", "样例.csv", sheet
    )[0]


FACTORIES["imports", "ref"] = _import


def names(rule: str) -> list[tuple[str, str]]:
    """Return the placeholders of a rule besides the manufacturer or exporter: as written, and by name."""
    found = re.findall(r"<(\w+:)?(\w+)>", rule)
    return [(f"<{kind}{name}>", name) for kind, name in found if name not in ("uscc", "exporter")]


def make(portal: Portal) -> Case:
    """Put somebody into each role."""
    world = portal.world
    for role in Role:
        if role in (Role.OPERATOR, Role.AUDITOR, Role.OFFICER):
            world.appoint(role.value, f"only.{role}")
        else:
            world.give(role.value, f"only.{role}")
    exporting.let_in(world, "only.exporter", worlds.TIANSHAN)
    return Case(portal)


def _draft(case: Case, uscc: str) -> str:
    person = {OWN: worlds.PEOPLE[worlds.YUNZHOU], OTHER: worlds.PEOPLE[worlds.BEICHEN]}[uscc][0]
    plain = worlds.sample(worlds.KAZAKHSTAN)
    plain["vehicles"][1]["registered_on"] = "2026/9/1"
    plain["vehicles"][2]["vin"] = "<b>" + "\u202e" * 900
    body = parse_draft(worlds.as_bytes({**plain, "exporter": "9165"}))
    return case.portal.world.services.drafting.begin(Uscc(uscc), by=person, body=body)


FACTORIES[("drafts", "ref")] = _draft


def an_outlet(case: Case, uscc: str) -> str:
    """One of the outlets that the samples give each manufacturer."""
    return case.portal.world.services.outlets.every(uscc)[0].outlet.id


def a_rule(case: Case, uscc: str) -> str:
    rules = case.portal.world.services.outlet_rules
    for _ in range(1 + (not rules.all(uscc))):
        rules.add(uscc, {"most": "3"}, by="test")
    return str(rules.all(uscc)[-1].id)


def a_list_of_outlets(case: Case, uscc: str) -> str:
    sheet = case.portal.world.services.outlet_lists.sheet(uscc, "en", form="csv")
    person = "chen.sample" if uscc == OWN else "he.sample"
    return case.portal.world.services.outlet_lists.hand_in(uscc, "list.csv", sheet, is_whole=False, by=person)


def a_link_of_an_outlet(case: Case, uscc: str) -> str:
    return case.portal.world.services.outlet_links.make(uscc, an_outlet(case, uscc), by="test")


FACTORIES |= {
    ("outlets", "outlet"): an_outlet,
    ("outlet_rules", "rule"): a_rule,
    ("outlet_lists", "ref"): a_list_of_outlets,
    ("outlet_links", "token"): a_link_of_an_outlet,
}


def _a_seal(case: Case, uscc: str) -> str:
    """The manufacturer's seal, as the samples have it."""
    world = case.portal.world
    return str(
        world.rows(
            "SELECT certificate_digest FROM seals JOIN manufacturers ON manufacturers.id = manufacturer_id "
            f"WHERE uscc = '{uscc}'"
        )[0][0]
    )


def _an_alarm(case: Case, uscc: str) -> str:
    """An alarm about one of the manufacturer's numbers."""
    world = case.portal.world
    made = world.rows(
        "INSERT INTO suspicions (manufacturer_id, number, code, day, count, first_at, last_at) "
        "SELECT id, 'K7Q2M-9XH4T-3PA', 'ALTERED', '2026-11-22', 1, '2026-11-22T00:00:00.000000Z', "
        f"'2026-11-22T00:00:00.000000Z' FROM manufacturers WHERE uscc = '{uscc}' RETURNING id"
    )
    return str(made[0][0])


FACTORIES |= {("seals", "digest"): _a_seal, ("alarms", "alarm"): _an_alarm}


def _sent(case: Case, uscc: str) -> str:
    maker = worlds.YUNZHOU if uscc == OWN else worlds.BEICHEN
    return _submit(case, maker, Uscc(uscc))


def _submit(case: Case, maker: str, uscc: Uscc) -> str:
    world, person = case.portal.world, worlds.PEOPLE[maker][0]
    ref = approvals.draft(world, _plain(case, maker), by=person, of=maker)
    return world.services.approving.send(ref, maker=uscc, by=person).ref


def _plain(case: Case, maker: str) -> object:
    """A sample of a manufacturer's, whose vehicles no other object has."""
    turn = len(case.made) + 1
    return worlds.fresh(worlds.KAZAKHSTAN if maker == worlds.YUNZHOU else worlds.EMIRATES, turn)


def _issued(case: Case, uscc: str) -> str:
    known = ("confirmations", "issued", uscc)
    if known not in case.made:
        maker = worlds.YUNZHOU if uscc == OWN else worlds.BEICHEN
        with ThreadPoolExecutor(1) as apart:  # a browser's test has a loop running, and sealing runs one of its own
            issued = apart.submit(case.portal.world.issue, _plain(case, maker), by=maker).result()
        case.made[known] = str(issued.number)
    return case.made[known]


def _wish(case: Case, uscc: str) -> str:
    maker = worlds.YUNZHOU if uscc == OWN else worlds.BEICHEN
    world, number = case.portal.world, _issued(case, uscc)
    vin = world.services.confirming.whole(Uscc(uscc), number).in_force[0].vin
    confirming, by = world.services.confirming, worlds.PEOPLE[maker][0]
    if waiting := confirming.whole(Uscc(uscc), number).wishes:
        return waiting[0].ref
    return confirming.ask_withdrawal(Uscc(uscc), number, vins=(vin,), reason="error", by=by).ref


def _copied(case: Case, uscc: str) -> str:
    maker = worlds.YUNZHOU if uscc == OWN else worlds.BEICHEN
    place = Place(number=Number.parse(_issued(case, uscc)), manufacturer=uscc, by=worlds.PEOPLE[maker][0])
    data = f"%PDF-1.7 {uscc} {len(case.made)}".encode()
    return case.portal.world.services.copying.offer(place, data).hex()


def a_batch(case: Case, uscc: str) -> str:
    """A batch that was read, of one vehicle that no other object has."""
    maker = worlds.YUNZHOU if uscc == OWN else worlds.BEICHEN
    asked = Asked(person=worlds.PEOPLE[maker][0], maker=Uscc(uscc))
    return batched.ready(case.portal.world, [_plain(case, maker)], asked=asked)


FACTORIES |= {("batches", "ref"): a_batch, ("batches", "place"): lambda _case, _uscc: "1"}
FACTORIES[("approvals", "ref")] = _sent
FACTORIES[("approvals.send", "ref")] = _draft
FACTORIES[("confirmations", "number")] = _issued
FACTORIES[("confirmations", "kind")] = lambda _case, _uscc: "sealed"
FACTORIES[("confirmations", "ref")] = _wish
FACTORIES[("confirmations", "digest")] = _copied
FACTORIES["invitations", "token"] = lambda _case, _uscc: "0" * 64


def an_evidence(case: Case, uscc: str) -> str:
    """A file that somebody of the manufacturer handed in."""
    made = case.portal.world.rows(
        "INSERT INTO evidence_files (ref, manufacturer_id, subject, title, file_name, file_digest, media_type, size, "
        "data, added_by, added_at) SELECT 'ev' || hex(randomblob(6)), id, 'name', 't', 'f.pdf', x'00', "
        "'application/pdf', 1, x'00', 'chen.sample', '2026-11-22T00:00:00.000000Z' FROM manufacturers "
        f"WHERE uscc = '{uscc}' RETURNING ref"
    )
    return str(made[0][0])


FACTORIES[("facts", "ref")] = an_evidence


def a_new_name(case: Case, uscc: str) -> str:
    """A new name that somebody of the manufacturer proposed."""
    made = case.portal.world.rows(
        "INSERT INTO renamings (ref, manufacturer_id, former_name, legal_name, from_on, announcement, reason, "
        "evidence_ref, asked_by, asked_at) SELECT 'rn' || id, id, '原样例', '样例', '2026-11-22', '样例', '样例', "
        f"'{an_evidence(case, uscc)}', 'chen.sample', '2026-11-22T00:00:00.000000Z' FROM manufacturers "
        f"WHERE uscc = '{uscc}' RETURNING ref"
    )
    return str(made[0][0])


FACTORIES[("renaming", "ref")] = a_new_name


def a_check(case: Case, uscc: str, *, of: str = "only.officer") -> str:
    """What an officer asked."""
    del uscc
    asked = OfficerAsked(kind="vehicle", subject="L0YSA3B29T0000101", answer="1", outcome="pass", reference="案 1")
    return case.portal.world.services.inspecting.keep(asked, by=of)


def receipts_of(case: Case, person: str, count: int) -> None:
    """Checks with receipts, as far as a page tells them apart."""
    for turn in range(count):
        receipt = Receipt(jti=f"R-SAMPLE-{turn:05d}", token="head.body.seal")
        outcome = ("pass", "review", "fail")[turn % 3]
        asked = OfficerAsked(
            kind="licence",
            subject=f"5 VIN · KZ · {worlds.TIANSHAN}",
            answer=f"{turn % 6} / 5",
            outcome=outcome,
            reference="" if turn % 4 else "样例案 12 号",
            receipt=receipt,
        )
        case.portal.world.services.inspecting.keep(asked, by=person)


def a_proposal(case: Case, uscc: str) -> str:
    """A manufacturer that some operator proposed."""
    if ("an operator", "", "") not in case.made:
        case.portal.world.appoint("operator", "ma.sample")
        case.made["an operator", "", ""] = "ma.sample"
    return case.portal.world.services.onboarding.propose(typed_proposal(len(case.made)), by="ma.sample").ref


def typed_proposal(turn: int = 0, **changes: str) -> Typed:
    """What an operator types; each turn has a USCC of its own."""
    first = f"91310000MA1K{turn:05d}"
    good = {
        "legal_name": f"新辰样例汽车有限公司{turn or ''}",
        "legal_name_en": "Xinchen Sample Automobile Co., Ltd.",
        "uscc": first + uscc_check_character(first),
        "role": "automobile-manufacturer",
        "announcement": "第四百批 样例序号 9",
        "checked_on": "2026-11-20",
        "address": "样例省样例市样例路 9 号",
        "contact": "+86 10 0000 0009",
        "wmis": "LXZ",
        "admin_name": "谢样例",
        "admin_login": "xie@example.com",
        "language": "zh",
    }
    return Typed(**{**good, **changes})


def a_webhook(case: Case, uscc: str) -> str:
    """Where a manufacturer's systems are told."""
    wanted = Subscribed(url="https://erp.example.com/events", label="ERP", events=("issued",))
    return case.portal.world.services.webhooks.create(uscc, wanted, by="test").webhook.ref


def a_delivery(case: Case, uscc: str) -> str:
    """Something that did not arrive at the manufacturer's webhook."""
    key, world = ("webhooks", "ref", uscc), case.portal.world
    if key not in case.made:
        case.made[key] = a_webhook(case, uscc)
    sent = world.services.webhooks.ping(uscc, case.made[key], by="test")
    world.change(f"UPDATE deliveries SET state = 'dead', attempts = 10, status = 503 WHERE id = {sent.id}")
    return str(sent.id)


def a_dead_delivery(case: Case, uscc: str) -> str:
    """The same, for operators, who see everybody's."""
    return a_delivery(case, uscc)


def a_failed_job(case: Case, uscc: str) -> str:
    """A job that was given up."""
    del uscc
    made = case.portal.world.rows(
        "INSERT INTO jobs (kind, argument, state, attempts, next_at, changed_at, error) VALUES ('scrub', '{}', "
        "'failed', 8, '2026-11-22T00:00:00.000000Z', '2026-11-22T00:00:00.000000Z', 'storage-unavailable: disk full') "
        "RETURNING id"
    )
    return str(made[0][0])


def a_request(case: Case, uscc: str) -> str:
    """A request: the first exporter's to the first manufacturer, and the second one's to the second."""
    world, is_own = case.portal.world, uscc in (OWN, worlds.TIANSHAN)
    exporter, person = (worlds.TIANSHAN, "only.exporter") if is_own else (worlds.HAIYI, "other.exporter")
    if not is_own:
        exporting.let_in(world, person, exporter)
    plain = worlds.fresh(worlds.KAZAKHSTAN if is_own else worlds.EMIRATES, 40 + len(case.made))
    return exporting.send(world, exporter, person, plain)[0]


def _an_exporter(case: Case, uscc: str) -> str:
    a_request(case, uscc)
    return worlds.TIANSHAN if uscc == OWN else worlds.HAIYI


def _a_colleague(case: Case, exporter: str) -> str:
    """Somebody who waits for a colleague's word."""
    company = exporter if exporter in exporting.NAMES else worlds.TIANSHAN
    return exporting.let_in(case.portal.world, f"waits-{len(case.made)}", company, state="waiting")


def _a_usual_answer(case: Case, uscc: str) -> str:
    made = case.portal.world.rows(
        "INSERT INTO answer_templates (manufacturer_id, title, text, changed_at) "
        f"SELECT id, 't', 't', '2026-11-22T00:00:00.000000Z' FROM manufacturers WHERE uscc = '{uscc}' RETURNING id"
    )
    return str(made[0][0])


FACTORIES |= {
    ("office", "ref"): a_check,
    ("office_records", "number"): _issued,
    ("office_makers", "ref"): a_proposal,
    ("office_makers", "code"): lambda _case, uscc: uscc,
    ("office_jobs", "job"): a_failed_job,
    ("webhooks", "ref"): a_webhook,
    ("webhooks", "delivery"): a_delivery,
    ("office_webhooks", "delivery"): a_dead_delivery,
    ("requesting", "ref"): a_request,
    ("requesting", "number"): lambda case, exporter: _issued(case, _maker_for(exporter)),
    ("request_editing", "ref"): a_request,
    ("request_inbox", "ref"): a_request,
    ("request_inbox", "company"): _an_exporter,
    ("request_inbox", "answer"): _a_usual_answer,
    ("exporters", "ref"): _a_colleague,
    ("sign_up", "token"): lambda _case, _uscc: "0" * 64,
}


def _maker_for(exporter: str) -> str:
    """Whose confirmations the samples issue to an exporter."""
    return OWN if exporter == worlds.TIANSHAN else OTHER


def a_share_link(case: Case, uscc: str) -> str:
    """A link that the exporter of an issued confirmation gave to somebody, however the paper stands by now."""
    number, services = Number.parse(_issued(case, uscc)), case.portal.world.services
    record, at = services.papers.spoken(number), case.portal.world.at
    ref = f"{len(case.made):016x}"
    wanted = Wanted(
        ref=ref, secret_digest=ref.encode() * 2, label="", by="chen.sample", at=at, ends_at=at + timedelta(days=7)
    )
    with services.database.write() as tx:
        scope = parties.tenant(tx, uscc).scope
        shares.add(tx, wanted, number=number, exporter=record.whole.terms.exporter.uscc, scope=scope)
    return ref


def a_status_link(case: Case, uscc: str) -> str:
    """A status link of an issued confirmation."""
    number, services = Number.parse(_issued(case, uscc)), case.portal.world.services
    record, ref = services.papers.spoken(number), f"{len(case.made) + 4096:016x}"
    wanted = status_links.Wanted(ref=ref, label="", by="chen.sample", at=case.portal.world.at)
    with services.database.write() as tx:
        scope = parties.tenant(tx, uscc).scope
        status_links.add(tx, wanted, number=number, exporter=record.whole.terms.exporter.uscc, scope=scope)
    return ref


def a_paper(case: Case, exporter: str) -> str:
    """What the samples' manufacturer of an exporter issued to it, having accepted it."""
    is_own = exporter == worlds.TIANSHAN
    maker, person = (worlds.YUNZHOU, "only.exporter") if is_own else (worlds.BEICHEN, "other.exporter")
    exporting.accept(case.portal.world, exporter, maker, person=person)
    return _issued(case, _maker_for(exporter))


FACTORIES |= {
    ("sharing", "number"): _issued,
    ("sharing", "ref"): a_share_link,
    ("sharing", "status"): a_status_link,
    ("papers", "status"): lambda case, exporter: a_status_link(case, _maker_for(exporter)),
    ("papers", "number"): a_paper,
    ("annex", "number"): a_paper,
    ("papers", "ref"): lambda case, exporter: a_share_link(case, _maker_for(exporter)),
    ("papers", "kind"): lambda _case, _uscc: "sealed",
    ("shared", "ref"): lambda _case, _uscc: "0" * 16,
    ("shared", "kind"): lambda _case, _uscc: "sealed",
    ("shared", "number"): _issued,
    ("shared", "proof"): lambda _case, _uscc: "0" * 32,
}


def a_form_full_of(case: Case, uscc: str) -> dict[str, str]:
    """What any form may name besides its address, all of it a manufacturer's or of its people."""
    world, services = case.portal.world, case.portal.world.services
    preparer, approver = worlds.PEOPLE[worlds.YUNZHOU if uscc == OWN else worlds.BEICHEN]
    case.portal.give_factor(preparer)
    session = services.sessions.begin(Begun(person=preparer, way="password", agent="", network="", has_factor=True))
    known = services.sessions.principal(session)
    assert known is not None
    of, at = f"FROM manufacturers WHERE uscc = '{uscc}'", "2026-11-22T00:00:00.000000Z"
    asked = f"INSERT INTO role_requests (kind, person_id, manufacturer_id, asked_by, asked_at) SELECT 'grant-approver', '{preparer}', id, '{approver}', '{at}' {of} RETURNING id"  # noqa: E501 -- one row
    invited = f"INSERT INTO invitations (token_digest, login, name, manufacturer_id, roles, created_at, ends_at) SELECT x'00', 'x@example.com', 'x', id, 'preparer', '{at}', '2027-01-01T00:00:00.000000Z' {of} RETURNING id"  # noqa: E501 -- one row
    number = _issued(case, uscc)
    return {
        "person": preparer,
        "session": known.session,
        "factor": str(world.rows(f"SELECT id FROM factors WHERE person_id = '{preparer}'")[0][0]),
        "request": str(world.rows(asked)[0][0]),
        "invitation": str(world.rows(invited)[0][0]),
        "number": number,
        "vin": services.confirming.whole(Uscc(uscc), number).in_force[0].vin,
    }


def belongings(case: Case, uscc: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the register that is a manufacturer's or its preparer's, by table."""
    world, found = case.portal.world, {}
    preparer = worlds.PEOPLE[worlds.YUNZHOU if uscc == OWN else worlds.BEICHEN][0]
    mine = f"manufacturer_id = (SELECT id FROM manufacturers WHERE uscc = '{uscc}')"
    for table in sorted(metadata.tables.values(), key=lambda one: one.name):
        whose = mine if "manufacturer_id" in table.c else f"person_id = '{preparer}'" if "person_id" in table.c else ""
        if whose:
            found[table.name] = world.rows(f"SELECT * FROM {table.name} WHERE {whose} ORDER BY 1, 2")
    return found
