"""
What a share link opens, without an account: how one paper stands, its PDF and its evidence bundle.

The secret stands behind the `#` of the link, which no server and no preview of a messenger sees; a form hands it over.
Looking at the link's page uses nothing up.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from flask import make_response, redirect, request

from signer.domain.confirmation import Standing
from signer.domain.values import beijing_day
from signer.errors import NotFound
from signer.services.confirming import parse
from signer.web import languages, proxies
from signer.web.portal import downloads
from signer.web.portal.doors import form
from signer.web.portal.passes import Passes
from signer.web.problems import Fault

if TYPE_CHECKING:
    from datetime import date

    from flask.typing import ResponseReturnValue

    from signer.domain.evidence import RecordFacts
    from signer.services.sharing import Held
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

TONES = {"issued": "yes", "suspended": "open", "pending": "open", "superseded": "none"}
"""The tone of a standing's badge; `no` for every other."""
CLOSED = "/share?closed=1"
"""Where everybody is led for whom a link opens nothing any more, for whatever reason."""
_MOST_SECRET = 500
_CLOSED = Fault(
    pointer="secret",
    code="share.closed",
    zh="此链接无法打开：可能输入有误、已到期、已被撤销，或确认书目前不在有效状态，或暂时无法确定其状态。请向发送链接的一方索取新链接。",
    en="This link opens nothing: it may be mistyped, over or revoked, or the confirmation is not in force now, "
    "or that cannot be told at the moment. Ask whoever sent it for a new one.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, desk = building.doors.room("shared"), _Desk(building)
    door.open_get("/share")(desk.landing)
    door.open_post("/share")(desk.exchange)
    door.open_get("/shared/<ref>")(desk.show)
    door.open_get("/shared/<ref>/files/<kind>")(desk.file)
    door.open_get("/status/<number>/<proof>")(desk.status)
    return door


class _Desk:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._frame = building.frame
        self._services = building.services
        self._clock = building.clock
        is_https = building.services.settings.base_url.startswith("https:")
        self._passes = Passes(key=building.vault.key("shares"), secure=is_https)
        self._key = building.vault.key("status")

    def landing(self, visit: Visit | None) -> ResponseReturnValue:
        """Show the form that takes a link's secret; a script fills it in and sends it, where there are scripts."""
        del visit
        if "closed" in request.args:
            return self._frame.draw("portal/share.html", None, faults=(_CLOSED,)), 404
        return self._frame.draw("portal/share.html", None)

    def exchange(self, visit: Visit | None) -> ResponseReturnValue:
        """Take a link's secret, and give a pass for its one paper."""
        del visit
        network = proxies.network(self._services.settings)
        try:
            held = self._services.sharing.open(form().get("secret", "")[:_MOST_SECRET], network=network)
        except NotFound:
            return redirect(_speaking(CLOSED), code=303)
        response = make_response(redirect(_speaking(f"/shared/{held.share.ref}"), code=303))
        self._passes.give(response, held.share.ref)
        return response

    def _held(self, ref: str) -> Held:
        if not self._passes.opens(ref):
            raise NotFound("no pass for this link")
        return self._services.sharing.held(ref)

    def show(self, visit: Visit | None, ref: str) -> ResponseReturnValue:
        """Show how the paper stands now, to whoever has the pass."""
        del visit
        try:
            held = self._held(ref)
        except NotFound:
            return redirect(_speaking(CLOSED), code=303)
        vehicles = {str(vehicle.vin): vehicle for vehicle in held.record.whole.terms.vehicles}
        return self._frame.draw(
            "portal/shared.html",
            None,
            here=f"/shared/{ref}",
            record=held.record,
            terms=held.record.whole.terms,
            lines=[(line, vehicles[line.vin]) for line in held.record.lines],
            ends=held.share.ends_at,
            as_of=self._clock(),
            today=beijing_day(self._clock()),
            tones=TONES,
        )

    def file(self, visit: Visit | None, ref: str, kind: str) -> ResponseReturnValue:
        """Hand out the sealed PDF or the evidence bundle, to whoever has the pass."""
        del visit
        try:
            held = self._held(ref)
        except NotFound:
            return redirect(_speaking(CLOSED), code=303)
        number = held.share.number
        if kind == "sealed":
            data = self._services.papers.sealed(number)
            self._services.sharing.note_taken(held, kind)
            return downloads.attachment(data, f"{number}.pdf", downloads.PDF)
        if kind == "evidence":
            maker = held.record.whole.terms.manufacturer.uscc
            data = self._services.evidence.bundle(number, manufacturer=maker)
            self._services.sharing.note_taken(held, kind)
            return downloads.attachment(data, f"{number}-evidence.zip", downloads.ZIP)
        raise NotFound("no such file")

    def status(self, visit: Visit | None, number: str, proof: str) -> ResponseReturnValue:
        """Tell how a number stands, and nothing else of it: small, without scripts, for a messenger's own browser."""
        del visit
        parsed, key = parse(number), self._key

        def is_right(ref: str) -> bool:
            return hmac.compare_digest(proof.encode(), proof_of(key, parsed, ref).encode())

        record = self._services.status_links.opened(parsed, is_right)
        at = self._clock()
        return self._frame.draw(
            "portal/status.html", None, record=record, state=state_of(record, beijing_day(at)), at=at
        )


def _speaking(address: str) -> str:
    """Return an address in the language that was asked for by name, if one was."""
    tongue = languages.named()
    return f"{address}{'&' if '?' in address else '?'}lang={tongue}" if tongue else address


def proof_of(key: bytes, number: str, ref: str) -> str:
    """Return what a status link carries besides its number: 32 hexadecimal digits that only we can make."""
    return hmac.new(key, f"{number} {ref}".encode(), hashlib.sha256).hexdigest()[:32]


def state_of(record: RecordFacts, today: date) -> tuple[str, int, int]:
    """
    Return the standing in one word, how many vehicles are in force, and of how many.

    The word is `partly` where some vehicles ended, and `unclear` where the register cannot tell.
    """
    live = sum(line.standing is Standing.ISSUED for line in record.lines)
    is_partly = record.standing is Standing.ISSUED and live < len(record.lines)
    if record.has_doubts(today):
        return "unclear", live, len(record.lines)
    return ("partly" if is_partly else record.standing.value), live, len(record.lines)
