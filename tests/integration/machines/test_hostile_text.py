"""Text that no register can hold is refused where it comes in, and is never an incident."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from world import KAZAKHSTAN, PEOPLE, YUNZHOU, sample

from signer.domain.machines import Right

if TYPE_CHECKING:
    from machine import Machine, Machines
    from world import World

HOSTILE = ("a\x00b", "\u202e", "'; DROP TABLE drafts; --", "x" * 3000, "١٢٣")
strict = pytest.mark.parametrize("database", ["postgresql"])
"""The stricter one of the two: it holds no NUL."""


@strict
def test_no_text_in_an_address_is_an_incident(machines: Machines) -> None:
    chen, lin = (machines.of_maker(person, YUNZHOU) for person in PEOPLE[YUNZHOU])
    for operation in machines.app.extensions["signer.gate"].all:
        machine = lin if operation.rights and operation.rights[0] is Right.APPROVALS_DECIDE else chen
        body = {} if operation.method in ("POST", "PUT", "PATCH") else None
        for text in HOSTILE[:3] if "<" in operation.rule else ():
            path = re.sub(r"<[^>]+>", quote(text, safe=""), operation.rule)
            answer = machine.ask(operation.method, path, json=body, headers={"If-Match": "*"})
            assert answer.status_code < 500, (operation.name, text[:20], answer.text)


@strict
def test_no_text_in_a_parameter_is_an_incident(erp: Machine, machines: Machines) -> None:
    for operation in machines.app.extensions["signer.gate"].all:
        if operation.method != "GET" or "<" in operation.rule:
            continue
        for query in operation.doc.query:
            for text in HOSTILE:
                answer = erp.get(f"{operation.rule}?{query.name}={quote(text, safe='')}")
                assert answer.status_code < 500, (operation.name, query.name, text[:20], answer.text)


@strict
def test_no_text_in_a_body_is_an_incident(erp: Machine, oa: Machine, world: World) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    vins = [sample(KAZAKHSTAN)["vehicles"][0]["vin"]]
    ref = erp.post(f"/confirmations/{number}/withdrawals", {"vins": vins, "reason": "error"}).json["ref"]
    for text in HOSTILE:
        asked = (
            oa.post(f"/withdrawals/{ref}/decisions", {"decision": "drop", "external_ref": text}),
            erp.post("/confirmations", {"title": text, "draft": {**sample(KAZAKHSTAN), "contract": text}}),
            erp.post("/drafts", {"title": text, "draft": {"contract": text}}),
            erp.post(f"/confirmations/{number}/successors", {"vins": [text]}),
            erp.ask("PUT", "/outlets/kz-new", json={"country": text, "name": text}, headers={"If-None-Match": "*"}),
            erp.ask("DELETE", f"/outlets/kz-almaty?from={quote(text)}&reason={quote(text)}", headers={"If-Match": "*"}),
        )
        assert [answer.text for answer in asked if answer.status_code >= 500] == [], text[:20]
