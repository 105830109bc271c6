"""A request that waits for an answer, in the form in which it was sent, to be changed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from flask import redirect

from signer.domain.values import beijing_day
from signer.errors import Conflict, InvalidInput, NotPermitted, TooManyRequests
from signer.web.portal import request_form
from signer.web.portal.account import number_of
from signer.web.portal.doors import EXPORTERS, files, form
from signer.web.portal.request_words import fault_at
from signer.web.portal.requesting import asker_of, country_of
from signer.web.portal.signing_in import answered
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.domain.requesting import Wish
    from signer.services.request_changing import Editing
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

_MOVED: Final = Fault(
    pointer="",
    code="conflict",
    zh="您的同事刚刚修改了这份申请，您的修改未保存。下面是现在的内容。",
    en="A colleague changed this request meanwhile, and nothing of yours was saved. Below is how it is now.",
)
_MANY: Final = Fault(
    pointer="",
    code="too-many-requests",
    zh="24 小时内对这份申请的修改或留言过多，请稍后再试。",
    en="Too many changes of this request, or messages to it, within 24 hours. Try again later.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, desk = building.doors.room("request_editing"), _Desk(building)
    here = "/exporter/<exporter>/requests/<ref>/change"
    door.get(here, EXPORTERS)(desk.blank)
    door.post(here, EXPORTERS)(desk.typed)
    return door


class _Desk:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._frame = building.frame
        self._changing = building.services.request_changing
        self._clock = building.clock

    def blank(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Show a request as it is, to be changed; one that was answered is shown on its page."""
        editing = self._editing(visit, ref)
        return _answered(visit, ref) if editing is None else self._draw(visit, editing, _as_read(editing.wish))

    def _editing(self, visit: Visit, ref: str) -> Editing | None:
        try:
            return self._changing.begin(visit.exporter, ref)
        except (Conflict, NotPermitted):
            return None

    def _draw(
        self, visit: Visit, editing: Editing, found: request_form.Read, *faults: Fault, version: int | None = None
    ) -> ResponseReturnValue:
        """Draw the form; `version` is the one that was being changed, unless it is the present one."""
        page = self._frame.draw(
            "portal/request_change.html",
            visit,
            faults=faults,
            found=editing.request,
            version=editing.request.version if version is None else version,
            groups=(),
            makers=[editing.maker],
            country=country_of,
            **request_form.shown(found, today=beijing_day(self._clock())),
        )
        return answered(page, faults[0] if faults else None)

    def typed(self, visit: Visit, ref: str) -> ResponseReturnValue:
        """Show what was typed with its windows, or change the request."""
        editing = self._editing(visit, ref)
        if editing is None:
            return _answered(visit, ref)
        read, version = request_form.read(form(), files("sheet")), number_of(form().get("version", ""))
        found = request_form.judged(read, partial(self._changing.faults, visit.exporter, ref))
        wrong = found.faults or self._faults(visit, ref, found)
        if wrong or found.has_more or form().get("do") != "send":
            return self._draw(visit, editing, found, *wrong, version=version)
        try:
            is_other = self._changing.change(ref, found.wish, asker_of(visit), version=version)
        except InvalidInput as error:
            return self._draw(visit, editing, found, fault_at(error.field, error.reason), version=version)
        except TooManyRequests:
            return self._draw(visit, editing, found, _MANY, version=version)
        except Conflict:
            now = self._editing(visit, ref)
            return _answered(visit, ref) if now is None else self._draw(visit, now, _as_read(now.wish), _MOVED)
        done = "changed" if is_other or found.wish.message.strip() else "unchanged"
        return redirect(f"/exporter/{visit.exporter}/requests/{ref}?done=requests.{done}", code=303)

    def _faults(self, visit: Visit, ref: str, found: request_form.Read) -> tuple[Fault, ...]:
        faults = (fault_at(place, code) for place, code in self._changing.faults(visit.exporter, ref, found.wish))
        return tuple(one for one in faults if form().get("do") == "send" or one.pointer.startswith("vin-"))


def _as_read(wish: Wish) -> request_form.Read:
    """Return what a request says as the form would, its country as people write it."""
    return request_form.Read(wish=replace(wish, country=country_of(wish.country)))


def _answered(visit: Visit, ref: str) -> ResponseReturnValue:
    return redirect(f"/exporter/{visit.exporter}/requests/{ref}?done=requests.answered-meanwhile", code=303)
