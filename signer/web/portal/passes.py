"""The cookie by which a share link stays open in one browser: it names one link, and opens nothing else."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from flask import request
from itsdangerous import BadSignature, URLSafeTimedSerializer

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

LASTS_S: Final = 12 * 3600
"""How long a browser may go on without the link itself; the link may end sooner."""


class Passes:
    """Gives and reads the cookie; it is sent to the link's own pages alone, and no script sees it."""

    def __init__(self, *, key: bytes, secure: bool) -> None:
        self._signer = URLSafeTimedSerializer(key, salt="share")
        self._secure = secure
        self.name = f"{'__Secure-' if secure else ''}signer-share"

    def give(self, response: Response, ref: str) -> None:
        """Let a browser open the pages of a link."""
        response.set_cookie(
            self.name,
            self._signer.dumps(ref),
            max_age=LASTS_S,
            path=f"/shared/{ref}",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )

    def opens(self, ref: str) -> bool:
        """Tell whether this request's browser was given a pass for exactly this link."""
        try:
            found = self._signer.loads(request.cookies.get(self.name, ""), max_age=LASTS_S)
        except BadSignature:
            return False
        return isinstance(found, str) and hmac.compare_digest(found.encode(), ref.encode())
