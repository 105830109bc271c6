"""Who asks where no account is needed: nobody known, or a token's person, whose every question is counted as theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import request

from signer.domain.machines import Right
from signer.services.inspecting import reference_of
from signer.web import proxies
from signer.web.problems import Fault, Refused
from signer.web.remembering import asked_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.domain.machines import Caller
    from signer.services.inspecting import Inspecting
    from signer.settings import Settings
    from signer.web.answers import Answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """
    One asker: `counted` names under what failed look-ups count.

    That is the network, or else the person of the token: one who makes ever new tokens guesses no more for it.
    `reference` is the asker's own, of a case file; `keeps_for` is the person in whose history the answer is kept.
    """

    counted: str
    reference: str = ""
    keeps_for: str = ""


class Guests:
    """Knows a token where one was sent; a cookie is never looked at. Where no register is, no token is known."""

    def __init__(
        self,
        settings: Settings,
        *,
        known: Callable[[], Caller | None] = lambda: None,
        inspecting: Inspecting | None = None,
    ) -> None:
        self._settings = settings
        self._known = known
        self._inspecting = inspecting

    def admit(self) -> Guest:
        """Return who asks. NotAuthenticated, RightMissing, TooManyRequests; Refused for a reference not kept."""
        caller, typed = self._known(), request.args.get("reference", "")
        if caller is not None:
            caller.refuse_without(Right.VERIFY)
            if caller.kind == "house":
                return Guest(counted=f"person {caller.by}", reference=reference_of(typed), keeps_for=caller.by)
        if typed:
            raise Refused("invalid-input", (_NOT_KEPT,))
        return Guest(counted=proxies.network(self._settings) if caller is None else f"person {caller.by}")

    def remember(self, guest: Guest, answered: Answered) -> None:
        """Keep question and receipt in the history of who asks for the house, as at the desk."""
        if self._inspecting is not None and guest.keeps_for:
            self._inspecting.keep(asked_of(answered, guest.reference), by=guest.keeps_for)


_NOT_KEPT = Fault(
    pointer="/reference",
    code="reference.not-kept",
    zh="只有监管人员和运营方的令牌才留有核验记录，可附案卷编号",
    en="only tokens of officers and operators have a history in which a reference is kept",
)
