"""Tokens for machines: made by the person for whom they speak, shown once, revoked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from flask import redirect

from signer.domain.machines import HELD, LONGEST, USUAL, Right
from signer.domain.parties import Role
from signer.errors import Conflict, InvalidInput, NotPermitted, TooManyRequests
from signer.services.tokens import Wish
from signer.verification.wording import beijing
from signer.web.portal import factor
from signer.web.portal.doors import EXPORTERS, MAKERS, form
from signer.web.portal.frame import OFFICE
from signer.web.problems import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from signer.domain.machines import Kind
    from signer.domain.parties import Uscc
    from signer.register.tokens import Token
    from signer.web.portal.doors import Room, View, Visit
    from signer.web.portal.rooms import Building

HOUSE: Final = frozenset({Role.OFFICER, Role.OPERATOR, Role.AUDITOR})
_ABOUT: Final = "token"
"""What a second factor is shown for."""
_SOON: Final = timedelta(days=14)
_MOST_LABEL: Final = 60
_DAYS: Final = (30, USUAL.days, 180, LONGEST.days)
_FULL = Fault(
    pointer="label",
    code="conflict",
    zh="您使用中的令牌已达上限：请先吊销不用的。",
    en="You have as many tokens in use as one person may: revoke what is not used.",
)
_LABEL = Fault(
    pointer="label",
    code="field.missing",
    zh="请写明用途，1 至 60 个字",
    en="Say what it is for, in 1 to 60 characters",
)
_RIGHTS = Fault(
    pointer="rights",
    code="field.missing",
    zh="请至少选择一项权限",
    en="Choose at least one right",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What was typed into the form for a new token."""

    label: str = ""
    rights: frozenset[Right] = frozenset()
    days: int = USUAL.days


def room(building: Building) -> Room:
    """Return the room: one page at three places, a manufacturer's, an exporter's, the house's."""
    door, desk = building.doors.room("tokens"), _Desk(building)
    for word, place, roles in (
        ("maker", "/portal/<uscc>", MAKERS),
        ("exporter", "/exporter/<exporter>", EXPORTERS),
        ("house", OFFICE, HOUSE),
    ):
        door.get(f"{place}/tokens", roles)(_named(f"{word}_seen", desk.seen))
        door.post(f"{place}/tokens", roles)(_named(f"{word}_make", desk.make))
        door.post(f"{place}/tokens/revoke", roles)(_named(f"{word}_revoke", desk.revoke))
    return door


def _named(name: str, view: Callable[[Visit], ResponseReturnValue]) -> View:
    """Return a view under a name of its own: one view is behind several doors."""

    def named(visit: Visit) -> ResponseReturnValue:
        return view(visit)

    named.__name__ = name
    return named


class _Desk:
    """The page's views."""

    def __init__(self, building: Building) -> None:
        self._frame = building.frame
        self._tokens = building.services.tokens
        self._accounts = building.services.accounts
        self._clock = building.clock

    def seen(self, visit: Visit) -> ResponseReturnValue:
        """Show one's own tokens; to an administrator also the others that speak for the manufacturer."""
        return self._draw(visit)

    def make(self, visit: Visit) -> ResponseReturnValue:
        """Make a token, with a second factor shown just now: from then on it stands in the factor's place."""
        typed = _typed()
        faults = tuple(
            fault for fault, is_wrong in ((_LABEL, not typed.label), (_RIGHTS, not typed.rights)) if is_wrong
        )
        if faults:
            return self._draw(visit, typed, faults=faults), 422
        try:
            self._accounts.confirm(visit.principal, factor.proof_of(form()), about=_ABOUT)
        except (NotPermitted, TooManyRequests) as error:
            return self._draw(visit, typed, faults=(factor.fault_of(error),)), 422
        kind, of = _place(visit)
        wish = Wish(kind=kind, of=of, label=typed.label, rights=typed.rights, lasts=timedelta(days=typed.days))
        try:
            made = self._tokens.make(wish, by=visit.person)
        except InvalidInput:
            return self._draw(visit, typed, faults=(_LABEL,)), 422
        except Conflict:
            return self._draw(visit, typed, faults=(_FULL,)), 409
        return self._draw(visit, secret=made.secret), 201

    def revoke(self, visit: Visit) -> ResponseReturnValue:
        """Let a token open nothing any more."""
        self._tokens.revoke(form().get("token", "")[:16], by=visit.person)
        return redirect(f"{_base(visit)}/tokens?done=tokens.revoked", code=303)

    def _draw(
        self, visit: Visit, typed: Typed | None = None, *, faults: tuple[Fault, ...] = (), secret: str = ""
    ) -> str:
        kind, of = _place(visit)
        mine = [
            token
            for token in self._tokens.of(visit.person)
            if (token.kind, token.maker or token.exporter) == (kind, of)
        ]
        others = self._tokens.of_maker(of) if of and kind == "maker" and visit.has(Role.ADMIN) else ()
        may = self._tokens.may(visit.person, kind, of)
        return self._frame.draw(
            "portal/tokens.html",
            visit,
            faults=faults,
            typed=typed or Typed(),
            secret=secret,
            mine=[(token, self._state(token)) for token in mine],
            others=[(token, self._state(token), name) for token, name in others if token.person_id != visit.person],
            rights=[right for right in HELD[kind] if right in may],
            days=_DAYS,
            ways=self._accounts.ways(visit.person),
            about=_ABOUT,
            beijing=beijing,
        )

    def _state(self, token: Token) -> str:
        at = self._clock()
        if token.is_live(at):
            return "soon" if token.ends_at - at < _SOON else "live"
        return "revoked" if token.revoked_at else "over"


def _typed() -> Typed:
    chosen, days = set(form().getlist("rights")), form().get("days", USUAL.days, type=int)
    label = " ".join(form().get("label", "").split())
    return Typed(
        label=label if len(label) <= _MOST_LABEL and label.isprintable() else "",
        rights=frozenset(right for right in Right if right in chosen),
        days=days if days in _DAYS else USUAL.days,
    )


def _place(visit: Visit) -> tuple[Kind, Uscc | None]:
    """Return for whom a token made on this page speaks."""
    if visit.company:
        return "exporter", visit.company
    return ("maker", visit.maker) if visit.maker else ("house", None)


def _base(visit: Visit) -> str:
    if visit.company:
        return f"/exporter/{visit.company}"
    return f"/portal/{visit.maker}" if visit.maker else OFFICE
