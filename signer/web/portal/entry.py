"""Put the portal together: its cookies, its forms' guard, and the rooms; where no register is, there is no portal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_wtf.csrf import CSRFProtect

from signer.web.portal import (
    account,
    alarms,
    annex,
    approvals,
    batches,
    confirmations,
    drafts,
    elsewhere,
    exporters,
    facts,
    home,
    importing,
    invitations,
    ledger,
    office,
    office_audit,
    office_house,
    office_jobs,
    office_makers,
    office_receipts,
    office_records,
    office_webhooks,
    outlet_links,
    outlet_lists,
    outlet_rules,
    outlets,
    papers,
    people,
    production,
    renaming,
    request_editing,
    request_inbox,
    requesting,
    seals,
    shared,
    sharing,
    sign_up,
    signing_in,
    tokens,
    webhooks,
)
from signer.web.portal.cookies import Cookies
from signer.web.portal.doors import Doors
from signer.web.portal.frame import Frame
from signer.web.portal.rooms import Building

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from flask import Flask

    from signer.web.pages import Pages
    from signer.wiring import Services

ROOMS = (
    home.room,
    signing_in.room,
    account.room,
    invitations.room,
    people.room,
    elsewhere.room,
    drafts.room,
    approvals.room,
    confirmations.room,
    sharing.room,
    shared.room,
    production.room,
    importing.room,
    batches.room,
    outlets.room,
    outlet_rules.room,
    webhooks.room,
    outlet_lists.room,
    outlet_links.room,
    seals.room,
    ledger.room,
    alarms.room,
    facts.room,
    renaming.room,
    office.room,
    office_receipts.room,
    office_records.room,
    office_makers.room,
    office_house.room,
    office_jobs.room,
    office_webhooks.room,
    office_audit.room,
    sign_up.room,
    exporters.room,
    papers.room,
    annex.room,
    requesting.room,
    request_editing.room,
    request_inbox.room,
    tokens.room,
)
"""Each is a function of a Building that returns a Room."""


def install(app: Flask, services: Services, pages: Pages, *, clock: Callable[[], datetime]) -> None:
    """Add every page behind a sign-in to an application. Misconfigured if the web pages' secret cannot be used."""
    vault = services.vault()
    app.secret_key = vault.key("forms")
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    is_https = services.settings.base_url.startswith("https:")
    cookies = Cookies(services.sessions, secure=is_https, key=vault.key("guests"))
    app.session_interface = cookies
    csrf = CSRFProtect()
    csrf.init_app(app)
    doors = Doors(csrf=csrf, base_url=services.settings.base_url, clock=clock)
    frame = Frame(pages, name_of=services.people.name_of, company_of=services.exporters.name_of)
    building = Building(
        services=services, pages=pages, frame=frame, doors=doors, cookies=cookies, vault=vault, clock=clock
    )
    for room in ROOMS:
        app.register_blueprint(room(building).blueprint)
    app.extensions["signer.doors"] = doors
