"""What every room of the portal is built with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.identity.vault import Vault
    from signer.web.pages import Pages
    from signer.web.portal.cookies import Cookies
    from signer.web.portal.doors import Doors
    from signer.web.portal.frame import Frame
    from signer.wiring import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """The use cases, the pages and the frame around them, the doors, the cookies, the secret and the clock."""

    services: Services
    pages: Pages
    frame: Frame
    doors: Doors
    cookies: Cookies
    vault: Vault
    clock: Callable[[], datetime]
