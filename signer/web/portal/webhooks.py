"""A manufacturer's webhooks: where its systems are told of what happens, and what came of each message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect, request

from signer.domain.parties import Role
from signer.domain.webhook import CHOICES
from signer.errors import Conflict, InvalidInput
from signer.services.webhooks import MOST, MOST_SECRETS, Wanted
from signer.verification.wording import beijing
from signer.web.portal.account import number_of
from signer.web.portal.doors import form
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.services.webhooks import Made
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

KEEPERS: Final = frozenset({Role.ADMIN})
HOOKS: Final = "/portal/<uscc>/webhooks"
PER_PAGE: Final = 20
TONES: Final = {"active": "yes", "paused": "open", "gone": "no", "waiting": "open", "delivered": "yes", "dead": "no"}
_WRONG: Final = {
    "url": (
        "请填写公网可访问的 https:// 地址（端口 443 或 1024 以上），不含用户名；内网地址须由系统运营方先行放行",
        "an https:// address at a public computer (port 443, or 1024 and up), with no user name; ask for private ones",
    ),
    "label": ("名称不超过 60 个字符，不含特殊字符", "at most 60 characters, without special ones"),
    "events": ("请至少选择一种事件", "choose at least one kind of event"),
}


def _fault(field: str) -> Fault:
    zh, en = _WRONG[field]
    return Fault(pointer=field, code="invalid-input", zh=zh, en=en)


def _conflict(zh: str, en: str) -> Fault:
    return Fault(pointer="", code="conflict", zh=zh, en=en)


_FULL = _conflict(f"最多设置 {MOST} 项，请先删除不用的", f"there are {MOST} already: delete one first")
_CHANGED = _conflict("状态已有变化，本次操作未执行", "this stands otherwise by now, and nothing was done")
_SECRETS = _conflict(
    f"已有 {MOST_SECRETS} 个密钥同时有效，请稍后再试，或让旧密钥立即失效",
    f"{MOST_SECRETS} secrets are good already: wait, or end them at once",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, desk = building.doors.room("webhooks"), _Desk(building)
    door.get(HOOKS, KEEPERS)(desk.all)
    door.post(HOOKS, KEEPERS)(desk.create)
    door.get(f"{HOOKS}/<ref>", KEEPERS)(desk.one)
    door.post(f"{HOOKS}/<ref>", KEEPERS)(desk.change)
    door.post(f"{HOOKS}/<ref>/do", KEEPERS)(desk.act)
    door.post(f"{HOOKS}/<ref>/deliveries/<delivery>/replay", KEEPERS)(desk.replay)
    return door


class _Desk:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._frame = building.frame
        self._hooks = building.services.webhooks

    def all(self, visit: Visit) -> ResponseReturnValue:
        """Show every webhook, and the form of another."""
        return self._draw(visit)

    def _draw(self, visit: Visit, *faults: Fault, typed: Wanted | None = None) -> str:
        return self._frame.draw(
            "portal/webhooks.html",
            visit,
            faults=faults,
            hooks=self._hooks.all(visit.uscc),
            typed=typed or Wanted(url="", label="", events=()),
            choices=CHOICES,
            tones=TONES,
            beijing=beijing,
        )

    def create(self, visit: Visit) -> ResponseReturnValue:
        """Make a webhook, and show its secret this once."""
        typed = _typed()
        try:
            made = self._hooks.create(visit.uscc, typed, by=visit.person)
        except InvalidInput as error:
            return self._draw(visit, _fault(error.field), typed=typed), 422
        except Conflict:
            return self._draw(visit, _FULL, typed=typed), 409
        return self._secret(visit, made)

    def _secret(self, visit: Visit, made: Made, *, is_beside_another: bool = False) -> str:
        return self._frame.draw(
            "portal/webhook_secret.html",
            visit,
            hook=made.webhook,
            secret=made.secret,
            is_beside_another=is_beside_another,
        )

    def one(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Show one webhook, and what was sent to it."""
        return self._draw_one(visit, ref)

    def _draw_one(self, visit: Visit, ref: str, *faults: Fault, typed: Wanted | None = None) -> str:
        before = request.args.get("before", "")[:12]
        cursor = int(before) if before.isdecimal() and before.isascii() else None
        found = self._hooks.deliveries(visit.uscc, ref, most=PER_PAGE + 1, before=cursor)
        shown = self._hooks.get(visit.uscc, ref)
        known = Wanted(url=shown.webhook.url, label=shown.webhook.label, events=shown.webhook.events)
        return self._frame.draw(
            "portal/webhook.html",
            visit,
            faults=faults,
            shown=shown,
            hook=shown.webhook,
            typed=typed or known,
            choices=CHOICES,
            deliveries=found[:PER_PAGE],
            older=found[PER_PAGE - 1].id if len(found) > PER_PAGE else 0,
            is_latest=cursor is None,
            tones=TONES,
            beijing=beijing,
        )

    def change(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Change where and of what."""
        typed = _typed()
        try:
            self._hooks.update(visit.uscc, ref, typed, by=visit.person, version=_version())
        except InvalidInput as error:
            return self._draw_one(visit, ref, _fault(error.field), typed=typed), 422
        except Conflict:
            return self._draw_one(visit, ref, _CHANGED, typed=typed), 409
        return _back(visit, f"/{ref}", "webhook.changed")

    def act(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Pause, resume, try, give a new secret, or delete."""
        verb = form().get("do", "")
        try:
            if verb in ("rotate", "rotate-now"):
                made = self._hooks.rotate(visit.uscc, ref, by=visit.person, is_at_once=verb == "rotate-now")
                return self._secret(visit, made, is_beside_another=verb == "rotate")
            return self._done(visit, ref, verb)
        except Conflict:
            return self._draw_one(visit, ref, _SECRETS if verb == "rotate" else _CHANGED), 409

    def _done(self, visit: Visit, ref: str, verb: str) -> ResponseReturnValue:
        if verb == "delete":
            self._hooks.delete(visit.uscc, ref, by=visit.person)
            return _back(visit, "", "webhook.deleted")
        if verb == "ping":
            self._hooks.ping(visit.uscc, ref, by=visit.person)
            return _back(visit, f"/{ref}", "webhook.pinged")
        if verb in ("pause", "resume"):
            state, done = ("paused", "webhook.paused") if verb == "pause" else ("active", "webhook.resumed")
            self._hooks.set_state(visit.uscc, ref, "paused" if state == "paused" else "active", by=visit.person)
            return _back(visit, f"/{ref}", done)
        self._hooks.get(visit.uscc, ref)
        return _back(visit, f"/{ref}", "")

    def replay(self, visit: Visit, ref: str, delivery: str) -> ResponseReturnValue:
        """Send a delivery once more."""
        try:
            self._hooks.replay(visit.uscc, ref, number_of(delivery), by=visit.person)
        except Conflict:
            return self._draw_one(visit, ref, _CHANGED), 409
        return _back(visit, f"/{ref}", "webhook.replayed")


def _typed() -> Wanted:
    told = form()
    return Wanted(
        url=told.get("url", "")[:2000],
        label=told.get("label", "")[:400],
        events=tuple(word[:40] for word in told.getlist("events")[:40]),
    )


def _version() -> int | None:
    told = form().get("version", "")[:9]
    return int(told) if told.isdecimal() and told.isascii() else None


def _back(visit: Visit, below: str, done: str) -> ResponseReturnValue:
    return redirect(f"/portal/{visit.uscc}/webhooks{below}{f'?done={done}' if done else ''}", code=303)
