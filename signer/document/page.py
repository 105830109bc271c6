"""What the page shows, as data for the template: the content itself, and what is derived from it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from signer.document import fonts
from signer.domain.confirmation import SealClass
from signer.domain.values import BEIJING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from signer.document.catalogue import Template
    from signer.domain.confirmation import Confirmation, Terms

    Modules = tuple[bytes, ...]
    Symbol = Callable[[str], Modules]

CONTENT_FILE = "confirmation.json"
_RUN = re.compile(rb"\x01+")
SHORT_MODULE_MM = 0.8
SIGNED_MODULE_MM = 0.5
SIGNED_TOLD = "纸面签名码 signed code for paper"
DRAFT_NUMBER = "DRAFT-DRAFT-DRAFT"
"""What stands on a preview in the place of number and digest; no number has this form."""
DRAFT_WATERMARK = "草稿 DRAFT"
PLACE_FOR_A_SEAL = "PRINT"
NO_SEAL = "DRAFT"
"""What the template draws on a print form and on a draft, where the seal's class would stand."""


@dataclass(frozen=True, slots=True)
class SignedCode:
    """
    The text of a signed code for paper (a URL whose fragment carries the code).

    Of several, `page` tells which of how many it is; `vehicles` are the first and the last of those that it is for.
    """

    text: str
    page: tuple[int, int] = (1, 1)
    vehicles: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached beside the content, such as a log proof; `relationship` as in ISO 32000-2, 7.11.3."""

    name: str
    data: bytes
    description: str
    media_type: str = "application/json"
    relationship: Literal["data", "supplement", "source", "alternative"] = "supplement"


@dataclass(frozen=True, slots=True)
class Extras:
    """
    What a page may carry beyond the content.

    `status` is a line under the title, `watermark` words across every page (a TEST seal brings its own). `print_of` is
    S's SHA-256 where the page is the print form of a sealed file: a place for the manufacturer's own seal instead of
    the picture of ours, and nothing attached. `is_draft`: a preview, without number, codes, seal and attachment.
    """

    signed_codes: tuple[SignedCode, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    status: str = ""
    watermark: str = ""
    print_of: bytes = b""
    is_draft: bool = False


NO_EXTRAS = Extras()


@dataclass(frozen=True, slots=True)
class Page:
    """
    What the template is given: its data as JSON, the files to attach, the words that stand for the seal's picture.

    `setup` is what many documents have in common, read apart from `data` so that Typst keeps what it made of it.
    """

    setup: bytes
    data: bytes
    seal_alt: str
    attachments: tuple[Attachment, ...]


def short_link(base_url: str, number: str) -> str:
    """Return the address in the short code; the fragment never reaches a server's log."""
    return f"{base_url.rstrip('/')}/verify#{number}"


def shown_address(base_url: str) -> str:
    """Return the address that a person types: the base URL without its scheme."""
    return base_url.rstrip("/").partition("://")[2]


def symbol_texts(base_url: str, number: str, extras: Extras) -> tuple[str, ...]:
    """Return what the symbols of a page say, in their order."""
    return (short_link(base_url, number), *(code.text for code in extras.signed_codes))


def build(
    template: Template,
    confirmation: Confirmation,
    *,
    encoded: bytes,
    base_url: str,
    symbol: Symbol,
    extras: Extras = NO_EXTRAS,
) -> Page:
    """Return the page of a confirmation; everything printed comes from `encoded` or is derived from it here."""
    terms = confirmation.terms
    is_print = bool(extras.print_of) or extras.is_draft
    number = DRAFT_NUMBER if extras.is_draft else confirmation.number
    link = short_link(base_url, confirmation.number)
    attachments = () if is_print else (_content_file(template, encoded), *extras.attachments)
    drawn = NO_SEAL if extras.is_draft else PLACE_FOR_A_SEAL if is_print else terms.seal.seal_class.value
    seal_alt = _seal_alt(template.strings, drawn, terms)
    data: dict[str, object] = {
        "content": _as_printed(encoded, terms),
        "digest": DRAFT_NUMBER if extras.is_draft else hashlib.sha256(encoded).hexdigest(),
        "number": number,
        "issued": "DRAFT" if extras.is_draft else _clock(confirmation),
        "until": confirmation.until and confirmation.until.isoformat(),
        "host": shown_address(base_url),
        "vehicles": _vehicles(terms),
        "outlets": [{"vehicles": _served(terms, outlet.id)} for outlet in terms.printed_outlets],
        "codes": [] if extras.is_draft else _codes(symbol, link, number, extras.signed_codes),
        "seal": {"class": drawn, "alt": seal_alt},
        "status": extras.status or _print_status(template.strings, confirmation, extras.print_of),
        "watermark": extras.watermark or _watermark(template.strings, terms),
        "attachments": [_named(file) for file in attachments],
    }
    setup: dict[str, object] = {
        "languages": list(terms.template.languages),
        "fonts": [face.family for face in fonts.FACES],
    }
    return Page(setup=_json(setup), data=_json(data), seal_alt=seal_alt, attachments=attachments)


def _as_printed(encoded: bytes, terms: Terms) -> dict[str, object]:
    """Return the content with its outlets in printed order: the template prints them as they stand."""
    content: dict[str, Any] = json.loads(encoded)
    if terms.outlet_order is not None:
        known = {outlet["id"]: outlet for outlet in content["terms"]["outlets"]}
        content["terms"]["outlets"] = [known[each] for each in terms.outlet_order]
    return content


def _named(file: Attachment) -> dict[str, str]:
    told = {"name": file.name, "media_type": file.media_type, "description": file.description}
    return {**told, "relationship": file.relationship}


def _clock(confirmation: Confirmation) -> str:
    return confirmation.issued_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def _json(value: dict[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _content_file(template: Template, encoded: bytes) -> Attachment:
    title = template.strings["en"]["title"]
    return Attachment(
        name=CONTENT_FILE, data=encoded, description=f"{title}: content (RFC 8785 JSON)", relationship="data"
    )


def _print_status(strings: Mapping[str, Mapping[str, str]], confirmation: Confirmation, sealed_digest: bytes) -> str:
    """Say on the page itself that it is the print form, and of what."""
    if not sealed_digest:
        return ""
    keys = ("print.status", "print.digest")
    told = [strings[language][key] for key in keys for language in ("zh", "en")]
    return "\n".join((*told, sealed_digest.hex())).format(number=confirmation.number)


def _seal_alt(strings: Mapping[str, Mapping[str, str]], drawn: str, terms: Terms) -> str:
    key = f"seal.alt.{drawn}"
    return f"{strings['zh'][key]} {strings['en'][key]} {terms.manufacturer.legal_name}"


def _watermark(strings: Mapping[str, Mapping[str, str]], terms: Terms) -> str:
    if terms.seal.seal_class is not SealClass.TEST:
        return ""
    return f"{strings['zh']['test']} {strings['en']['test']}"


def _vehicles(terms: Terms) -> list[dict[str, object]]:
    places = {outlet.id: place for place, outlet in enumerate(terms.printed_outlets, start=1)}
    return [
        {
            "vin": vehicle.vin.grouped.split(),
            "through": vehicle.window.through.isoformat(),
            "free_from": vehicle.window.free_from.isoformat(),
            "outlets": ranges(places[outlet] for outlet in (vehicle.outlets or places)),
        }
        for vehicle in terms.vehicles
    ]


def _served(terms: Terms, outlet: str) -> str:
    """Return which vehicles an outlet is for, or '' for all of them."""
    places = [
        place
        for place, vehicle in enumerate(terms.vehicles, start=1)
        if not vehicle.outlets or outlet in vehicle.outlets
    ]
    return "" if len(places) == len(terms.vehicles) else ranges(places) or "–"


def ranges(places: Iterable[int]) -> str:
    """Return whole numbers as people write them: `1–3, 5`."""
    runs: list[list[int]] = []
    for place in sorted(set(places)):
        if runs and runs[-1][-1] == place - 1:
            runs[-1][1:] = [place]
        else:
            runs.append([place])
    return ", ".join("–".join(map(str, run)) for run in runs)


def _codes(symbol: Symbol, link: str, number: str, signed: tuple[SignedCode, ...]) -> list[dict[str, object]]:
    short = _code("short", symbol(link), SHORT_MODULE_MM) | {"told": link}
    return [short, *(_signed(symbol, number, code) for code in signed)]


def _signed(symbol: Symbol, number: str, code: SignedCode) -> dict[str, object]:
    """Tell of a code what it is, not its thousand digits: nobody reads them out."""
    (page, pages), (first, last) = code.page, code.vehicles
    told = f"{SIGNED_TOLD} {number} {page}/{pages}"
    vehicles = str(first) if first == last else f"{first}–{last}"
    about = {"told": told, "page": page, "pages": pages, "vehicles": vehicles}
    return _code("signed", symbol(code.text), SIGNED_MODULE_MM) | about


def _code(kind: str, modules: Modules, module_mm: float) -> dict[str, object]:
    return {"kind": kind, "size": len(modules), "module_mm": module_mm, "path": outline(modules)}


def outline(modules: Modules) -> str:
    """Return the black modules as an SVG path, a rectangle a run, four modules from the corner (the quiet zone)."""
    parts: list[str] = []
    for y, row in enumerate(modules, start=4):
        for run in _RUN.finditer(row):
            start, end = run.span()
            parts.append(f"M{start + 4} {y}h{end - start}v1h{start - end}z")
    return "".join(parts)
