"""
Write the vectors of the content format: `python tests/vectors/make_content.py`.

The format is frozen: a run must change nothing that is published. `content/accepted-*.json` hold a draft, its
circumstances, the terms, and the canonical content as text; `content/refused.json` bytes that must be refused.
Invented parties only; the VINs begin with 0TE, which is allotted to nobody.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import rfc8785

from signer.domain import content, rules
from signer.domain.confirmation import SealClass
from signer.domain.drafting import parse_draft
from signer.domain.number import Number, check_character
from signer.domain.outlet_choice import Choosing, OutletFacts
from signer.domain.parties import Exporter, Manufacturer, Outlet, Person, uscc_check_character
from signer.domain.places import Place
from signer.domain.trust import SealState
from signer.domain.vehicle import vin_check_character

HERE = Path(__file__).parent
Object = dict[str, Any]


def vin(serial: int) -> str:
    """Return an invented VIN of model year 2026."""
    plain = f"0TEA1B2C0TD{serial:06d}"
    return plain[:8] + vin_check_character(plain) + plain[9:]


def uscc(first: str) -> str:
    """Return an invented code with its check character."""
    return first + uscc_check_character(first)


def number(first: str) -> str:
    """Return a number with its check character, as printed."""
    whole = first + check_character(first)
    return f"{whole[:5]}-{whole[5:10]}-{whole[10:]}"


MAKER = {
    "legal_name": "甲样例汽车股份有限公司",
    "legal_name_en": "Jia Sample Automobile Co., Ltd.",
    "uscc": uscc("91000000MA0TE0001"),
    "role": "automobile-manufacturer",
    "announcement": {"entry": "样例公告 序号 1", "checked_on": "2026-11-01"},
    "address": "样例省样例市样例路 1 号",
    "contact": "service@maker.example",
    "wmis": ["0TE"],
    "former_names": [{"legal_name": "甲样例汽车厂", "until": "2026-09-30", "evidence": "样例变更通知书 1 号"}],
}
EXPORTER = {"legal_name": "乙样例进出口有限公司", "uscc": uscc("91000000MA0TE0002")}
OUTLETS: dict[str, list[Object]] = {
    "kz": [
        {
            "id": f"kz-{place}", "name": f"Sample Workshop {place}", "name_local": f"Мастерская «Образец» {place}",
            "provider": "Sample Service LLP", "address": f"{place} Sample Street, Almaty",
            "address_local": f"г. Алматы, улица Образцовая, {place}", "country": "KZ", "phone": "+7 700 000 0000",
            "scope": ["mechanical", "high-voltage-battery"], "languages": ["kk", "ru"],
            "authorised_from": "2026-01-01", "verified_on": "2026-11-02",
        }
        for place in (2, 1)
    ],
    "ae": [
        {
            "id": "ae-dubai", "name": "Sample Car Care", "provider": "Sample Motors LLC", "address": "Street 8, Dubai",
            "address_local": "شارع ٨، دبي", "country": "AE", "authorised_from": "2026-01-01",
            "authorised_until": "2028-12-31", "verified_on": "2026-11-02",
        }
    ],
}  # fmt: skip


def vehicle(serial: int, **more: object) -> Object:
    """Return a vehicle as typed."""
    return {
        "vin": vin(serial),
        "brand": "样例",
        "model": "AB7000BEV1",
        "registered_on": "2026-09-01",
        "certificate_manufacturer": MAKER["legal_name"],
        **more,
    }


THREE_CARS: Object = {
    "schema": "signer.draft/1",
    "exporter": EXPORTER["uscc"],
    "contract": "S-2026-1",
    "destination": {"country": "KZ"},
    "application_planned_on": "2026-11-25",
    "vehicles": [vehicle(1), vehicle(2), vehicle(3)],
    "commitment": {"text_zh": "由所列网点提供售后维修服务。", "text_en": "The outlets listed service these vehicles."},
}
EVERY_FIELD: Object = {
    **THREE_CARS,
    "manufacturer": MAKER["legal_name"],
    "destination": {"country": "ARE", "port": "Jebel Ali", "buyer": "شركة النخيل"},
    "vehicles": [
        vehicle(
            4,
            vin=vin(4).lower(),
            certificate_manufacturer="甲样例汽车厂",
            transfer_pending_on="2026-11-10",
            certificate_no="SAMPLE-4",
            engine_no="E-4",
            colour="白",
            energy="battery-electric",
            battery_code="B-4",
            modified=True,
            outlets=["ae-dubai"],
        )
    ],
    "outlets": ["ae-dubai"],
    "commitment": {
        **THREE_CARS["commitment"],
        "from_on": "2026-11-20",
        "until_on": "2028-11-19",
        "warranty_months": 24,
        "warranty_km": 60000,
        "parts_years": 8,
        "parts_lead_days": 30,
        "localised": "partly",
        "localised_note": "Navigation is in Chinese only.",
        "battery_service": True,
    },
    "until": "none",
    "supersedes": number("0123456789ABC"),
}


def accepted(
    name: str, draft: Object, outlets: list[Object], first: str, *, places: dict[str, list[float]] | None = None
) -> Object:
    """Return one vector: what goes in, and every byte and digest that comes out."""
    given: Object = {
        "at": "2026-11-20T16:30:00Z",
        "manufacturer": MAKER,
        "exporter": EXPORTER,
        "outlets": outlets,
        "seal": {"certificate_digest": hashlib.sha256(b"sample certificate").hexdigest(), "seal_class": "TEST"},
        "predecessor_vins": [vin(4)],
        "template_version": "1",
    }
    given |= {} if places is None else {"places": places}
    terms = rules.to_terms(parse_draft(json.dumps(draft).encode()), circumstances(given, draft))
    digest = content.terms_digest(terms)
    confirmation = content.build(
        terms=terms, approved_digest=digest, number=Number(number(first)), issued_at=datetime.fromisoformat(given["at"])
    )
    encoded = content.encode(confirmation)
    return {
        "name": name,
        "draft": draft,
        "circumstances": given,
        "terms": content.encode_terms(terms).decode(),
        "terms_digest": digest.hex(),
        "number": confirmation.number,
        "issued_at": given["at"],
        "content": encoded.decode(),
        "content_digest": content.content_digest(encoded).hex(),
    }


def circumstances(given: Object, draft: Object) -> rules.Circumstances:
    """Return the circumstances that a vector describes."""
    at = datetime.fromisoformat(given["at"])
    exporter = Exporter.model_validate_json(json.dumps(given["exporter"]))
    earlier = None
    if "supersedes" in draft:
        earlier = rules.Predecessor(
            number=Number(draft["supersedes"]), exporter=exporter.uscc, live_vins=frozenset(given["predecessor_vins"])
        )
    places = {each: OutletFacts(place=Place(*degrees)) for each, degrees in given.get("places", {}).items()}
    return rules.Circumstances(
        choosing=Choosing(facts=places),
        at=at,
        manufacturer=Manufacturer.model_validate_json(json.dumps(given["manufacturer"])),
        exporter=exporter,
        outlets=tuple(Outlet.model_validate_json(json.dumps(outlet)) for outlet in given["outlets"]),
        seal=rules.SealCircumstances(
            certificate_digest=given["seal"]["certificate_digest"],
            seal_class=SealClass(given["seal"]["seal_class"]),
            state=SealState.ACTIVE,
            not_before=at,
            not_after=at,
            binding_fault="",
        ),
        live={},
        predecessor=earlier,
        preparer=Person(id="preparer", name="P"),
        approver=Person(id="approver", name="A"),
        approver_may_approve=True,
        preparer_may_prepare=True,
        production=None,
        uncovered=lambda _: "",
        template_version=given["template_version"],
    )


def sealed(whole: Object) -> bytes:
    """Return the canonical bytes of a content whose terms digest fits."""
    whole["terms_digest"] = hashlib.sha256(rfc8785.dumps(whole["terms"])).hexdigest()
    return rfc8785.dumps(whole)


def edited(base: bytes, path: tuple[str | int, ...], value: object) -> bytes:
    """Return canonical bytes with one field changed, or removed if the value is `...`; the terms digest fits."""
    whole = json.loads(base)
    place = whole
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return sealed(whole)


def edits(whole: Object) -> list[tuple[str, str, tuple[str | int, ...], object]]:
    """Return the changes of single fields: name, reason, where, and the new value (`...` removes the field)."""
    terms, printed = whole["terms"], whole["number"]
    first, outlets = terms["vehicles"][0], terms["outlets"]
    car = ("terms", "vehicles", 0)
    return [
        ("unknown schema", "schema-unknown", ("schema",), "signer.confirmation/2"),
        ("no schema", "schema-unknown", ("schema",), ...),
        ("extra field in the content", "malformed", ("note",), "x"),
        (
            "extra field in the terms",
            "malformed",
            (
                "terms",
                "note",
            ),
            "x",
        ),
        (
            "extra field in a vehicle",
            "malformed",
            (
                *car,
                "note",
            ),
            "x",
        ),
        (
            "missing field",
            "malformed",
            (
                "terms",
                "commitment",
                "text_en",
            ),
            ...,
        ),
        (
            "text for a truth value",
            "malformed",
            (
                *car,
                "modified",
            ),
            "false",
        ),
        (
            "number for text",
            "malformed",
            (
                "terms",
                "contract",
            ),
            1,
        ),
        (
            "not NFC",
            "malformed",
            (
                "terms",
                "contract",
            ),
            "S\u0301e\u0301",
        ),
        (
            "bidi override",
            "malformed",
            (
                "terms",
                "contract",
            ),
            "S\u202e-1",
        ),
        (
            "line break",
            "malformed",
            (
                "terms",
                "contract",
            ),
            "S\n1",
        ),
        (
            "blank at the end",
            "malformed",
            (
                "terms",
                "contract",
            ),
            "S-1 ",
        ),
        (
            "empty text",
            "malformed",
            (
                "terms",
                "contract",
            ),
            "",
        ),
        (
            "VIN with a wrong check digit",
            "malformed",
            (
                *car,
                "vin",
            ),
            vin(1)[:-1] + "9",
        ),
        (
            "VIN in lower case",
            "malformed",
            (
                *car,
                "vin",
            ),
            vin(1).lower(),
        ),
        (
            "a VIN twice",
            "malformed",
            (
                "terms",
                "vehicles",
            ),
            [first, first],
        ),
        (
            "no vehicle",
            "malformed",
            (
                "terms",
                "vehicles",
            ),
            [],
        ),
        (
            "outlets out of order",
            "malformed",
            (
                "terms",
                "outlets",
            ),
            outlets[::-1],
        ),
        (
            "a vehicle's outlet is not listed",
            "malformed",
            (
                *car,
                "outlets",
            ),
            ["kz-9"],
        ),
        (
            "destination China",
            "malformed",
            (
                "terms",
                "destination",
                "country",
                "alpha2",
            ),
            "CN",
        ),
        (
            "date with a time",
            "malformed",
            (
                *car,
                "registered_on",
            ),
            "2026-09-01T00:00:00Z",
        ),
        (
            "a day that does not exist",
            "malformed",
            (
                *car,
                "registered_on",
            ),
            "2026-02-29",
        ),
        (
            "a year beyond all windows",
            "malformed",
            (
                *car,
                "registered_on",
            ),
            "9999-12-31",
        ),
        ("instant with an offset", "malformed", ("issued_at",), "2026-11-21T00:30:00+08:00"),
        ("instant with a fraction", "malformed", ("issued_at",), "2026-11-20T16:30:00.5Z"),
        ("number with a wrong check character", "malformed", ("number",), printed[:-1] + "0"),
        ("number without hyphens", "malformed", ("number",), printed.replace("-", "")),
        ("until is not what the terms say", "malformed", ("until",), "2027-03-01"),
        ("until is absent but named in the terms", "malformed", ("until",), ...),
    ]


def refused(base: bytes) -> list[Object]:
    """Return what must be refused; unless the name says otherwise, everything but the fault is right."""
    text = base.decode()
    whole = json.loads(text)
    cases = [(name, reason, edited(base, path, value)) for name, reason, path, value in edits(whole)]
    wrong = copy.deepcopy(whole) | {"terms_digest": "0" * 64}
    cases += [
        ("wrong terms digest", "malformed", rfc8785.dumps(wrong)),
        ("duplicate key", "malformed", text.replace('"until":', '"until":"2027-02-28","until":', 1).encode()),
        ("null", "not-canonical", text.replace('"manufacturer":', '"supersedes":null,"manufacturer":', 1).encode()),
        ("float", "malformed", text.replace('"modified":false', '"modified":1.5', 1).encode()),
        ("not a number", "malformed", text.replace('"modified":false', '"modified":NaN', 1).encode()),
        ("whitespace", "not-canonical", text.replace(":", ": ", 1).encode()),
        ("line feed at the end", "not-canonical", base + b"\n"),
        ("needless escape", "not-canonical", text.replace('"S-2026-1"', '"\\u0053-2026-1"', 1).encode()),
        ("keys out of order", "not-canonical", out_of_order(whole)),
        ("lone surrogate", "malformed", text.replace('"S-2026-1"', '"\\ud800"', 1).encode()),
        ("byte order mark", "malformed", b"\xef\xbb\xbf" + base),
        ("UTF-16", "malformed", text.encode("utf-16")),
        ("cut short", "malformed", base[:-1]),
        ("empty", "malformed", b""),
        ("nested too deep", "malformed", b"[" * 40),
        ("not an object", "schema-unknown", b"[]"),
    ]
    return [{"name": name, "reason": reason, **_written(data)} for name, reason, data in cases]


def out_of_order(whole: Object) -> bytes:
    """Return the content with its first key moved to the end, and nothing else changed."""
    keys = [*list(whole)[1:], next(iter(whole))]
    return json.dumps({key: whole[key] for key in keys}, ensure_ascii=False, separators=(",", ":")).encode()


def _written(data: bytes) -> Object:
    """Return bytes as JSON can hold them: as text where they are UTF-8."""
    try:
        return {"content": data.decode()}
    except UnicodeDecodeError:
        return {"content_base64": base64.b64encode(data).decode()}


def pages() -> dict[str, str]:
    """Return every file that this script writes, by name."""
    three = accepted("three cars to KZ, two outlets", THREE_CARS, OUTLETS["kz"], "T0T0T0T0T0T0T")
    every = accepted("every field, Arabic, a successor", EVERY_FIELD, OUTLETS["ae"], "ZYXWVTSRQPNMK")
    one = accepted("one car", THREE_CARS | {"vehicles": [vehicle(1)]}, OUTLETS["kz"], "T0T0T0T0T0T0T")
    refusals = {
        "base": one["content"],
        "refused": refused(one["content"].encode()),
    }
    places = {"kz-1": [51.17, 71.45], "kz-2": [43.24, 76.89]}
    khorgos = THREE_CARS | {"destination": {"country": "KZ", "port": "Khorgos"}}
    nearest = accepted("outlets nearest first", khorgos, OUTLETS["kz"], "7K3QF9ZC2M8RX", places=places)
    files = {
        "accepted-nearest-first": nearest,
        "accepted-three-cars": three,
        "accepted-every-field": every,
        "refused": refusals,
    }
    return {
        f"content/{name}.json": json.dumps(value, ensure_ascii=False, indent=1) + "\n" for name, value in files.items()
    }


def main() -> None:
    """Write the vectors."""
    for name, text in pages().items():
        (HERE / name).parent.mkdir(exist_ok=True)
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
