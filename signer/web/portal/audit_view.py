"""The audit in sentences: who did what to which thing, with names and links; codes and details fold away."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

from signer.verification.wording import beijing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signer.register.audit import Entry
    from signer.web.languages import Phrases

_PEOPLE: Final = frozenset({"second", "asked_by", "invited_by", "sent_by"})
"""Fields that hold a person's id."""
_PLACES: Final[Mapping[str, str]] = {
    "confirmation": "confirmations",
    "withdraw": "confirmations",
    "retract": "confirmations",
    "copy": "confirmations",
    "share": "confirmations",
    "status": "confirmations",
    "draft": "drafts",
    "submission": "approvals",
    "import": "imports",
    "outlet": "outlets/id",
    "outlet-list": "outlets/import",
    "seal": "seals",
    "request": "requests",
    "exporter": "requests/exporters",
    "webhook": "webhooks",
}
"""Where the subject of a kind of event has its page, below a manufacturer's."""
_NAMELESS: Final[Mapping[str, str]] = {
    "draft": "audit.a-draft",
    "submission": "audit.a-submission",
    "import": "audit.a-sheet",
    "outlet-list": "audit.an-outlet-list",
    "job": "audit.a-job",
    "request": "audit.a-request",
    "share-link": "audit.a-share-link",
    "webhook": "audit.a-webhook",
}
"""Things whose reference says nothing to people."""
HOLDER: Final = "holder"
"""Whoever has a share link: no person that we know."""
_DIGEST_SHOWN = 16
_WHOLE_DIGEST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One event as people read it; `details` are pairs of a label and what stands there."""

    at: datetime
    sentence: Markup
    details: tuple[tuple[str, str], ...]


def people(entries: tuple[Entry, ...]) -> frozenset[str]:
    """Return every word of these entries that may be a person's id."""
    found = {word for entry in entries for word in (entry.actor, entry.subject)}
    return frozenset(found | {value for entry in entries for name, value in _fields(entry).items() if name in _PEOPLE})


def lines(entries: tuple[Entry, ...], t: Phrases, *, names: Mapping[str, str], base: str) -> tuple[Line, ...]:
    """Return entries as lines, with links below `base` ('': none); an event without a phrase is shown by its code."""
    return tuple(_line(entry, t, names, base) for entry in entries)


def _line(entry: Entry, t: Phrases, names: Mapping[str, str], base: str) -> Line:
    fields = _fields(entry)
    who, what = names.get(entry.actor, t("audit.service")), _what(entry, fields, t, names, base)
    if entry.actor not in names and not _is_service(entry.actor):
        who = t("audit.holder") if entry.actor == HOLDER else entry.actor
    key = f"event.{entry.event}"
    sentence = Markup(t(key) if key in t else "{who} · " + str(escape(entry.event)) + " · {what}")  # noqa: S704 -- our own phrases
    raw = {"event": entry.event, "actor": entry.actor, "subject": entry.subject}
    labels = (*told(entry, t, names=names), *((_label(name, t), value) for name, value in raw.items()))
    return Line(at=entry.at, sentence=sentence.format(who=who, what=what), details=labels)


def told(entry: Entry, t: Phrases, *, names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what an entry says besides its event: labels and values, without what is empty."""
    return tuple((_label(name, t), _value(name, value, t, names)) for name, value in _fields(entry).items() if value)


def _value(name: str, value: str, t: Phrases, names: Mapping[str, str]) -> str:
    if name in _PEOPLE:
        return names.get(value, value)
    if name != "until":
        return value
    try:
        return beijing(datetime.fromisoformat(value))
    except ValueError:
        return t("audit.until-lifted")


def _is_service(actor: str) -> bool:
    """Tell whether the service itself did it: its jobs, and outlets by their links."""
    return actor in ("signer", "remind", "journal", "maintenance") or actor.startswith("outlet:")


def _what(entry: Entry, fields: Mapping[str, str], t: Phrases, names: Mapping[str, str], base: str) -> str | Markup:
    kind = entry.event.partition(".")[0]
    if kind == "invitation":
        return fields.get("login", f"#{entry.subject}")
    if kind == "alarm" and entry.subject == "no-number":
        return t("audit.no-number")
    words, path = names.get(entry.subject, entry.subject), _PLACES.get(kind)
    if kind in _NAMELESS:
        words = t(_NAMELESS[kind])
    elif kind == "seal":
        words = t("audit.a-seal", digest=entry.subject[:_DIGEST_SHOWN])
        path = path if len(entry.subject) == _WHOLE_DIGEST else None
    elif path == "confirmations" or kind == "alarm":
        words, path = t("audit.a-confirmation", number=entry.subject), "confirmations"
    return (
        words
        if path is None or not base
        else Markup('<a href="{}/{}/{}">{}</a>').format(base, path, entry.subject, words)
    )


def _fields(entry: Entry) -> dict[str, str]:
    plain = json.loads(entry.detail or "{}")
    return {str(name): str(value) for name, value in plain.items()} if isinstance(plain, dict) else {}


def _label(name: str, t: Phrases) -> str:
    key = f"audit.field.{name}"
    return t(key) if key in t else name
