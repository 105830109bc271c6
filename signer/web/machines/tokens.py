"""One's own tokens: seen, renewed before they end, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Response, g
from flask_openapi.models.tag import Tag

from signer.domain.machines import Right
from signer.web import bodies
from signer.web.machines import gate, matching
from signer.web.machines.describing import Doc
from signer.web.machines.shapes import NewToken, Renewal, TokenAnswer, TokenList

if TYPE_CHECKING:
    from signer.domain.machines import Caller
    from signer.register.tokens import Token
    from signer.services.deeds import Doing
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House

_TAG = Tag(name="tokens", description="Whom a machine speaks for. The first one is made at the portal.")


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    tokens = house.services.tokens

    def told(_caller: Caller, ref: str) -> Response:
        body = NewToken(**dict(_answer(tokens.get(ref))), token=g.pop("token", None))
        return matching.told(body, status=201, headers={"Location": f"/api/v1/tokens/{ref}"})

    @gate_.get(
        "/tokens",
        Right.TOKENS,
        doc=Doc(summary="List the person's tokens that speak for the same", tag=_TAG, gives=TokenList),
    )
    def list_tokens(caller: Caller) -> Response:
        return matching.told(TokenList(items=tuple(map(_answer, tokens.mine(caller)))))

    @gate_.create(
        "/tokens",
        Right.TOKENS,
        telling=told,
        told_once="token",
        is_own=True,
        doc=Doc(
            summary="Make a token like this one",
            text=(
                "With the same rights, for another while. The old one goes on until it is revoked or ends. All "
                "renewals together end 400 days after the portal made the token that they began with (`ends_at` "
                "tells), and share one number of questions a minute. The key counts for this token alone."
            ),
            tag=_TAG,
            takes=Renewal,
            gives=NewToken,
            status=201,
            problems=("not-permitted", "conflict"),
        ),
    )
    def renew_token(caller: Caller, doing: Doing) -> str:
        wanted = bodies.parse(Renewal, gate.body())
        made = tokens.renew(caller, lasts=timedelta(days=wanted.days), also=doing.note)
        g.token = made.secret
        return made.token.ref

    @gate_.change(
        "DELETE",
        "/tokens/<ref>",
        Right.TOKENS,
        doc=Doc(
            summary="Revoke a token",
            text=(
                "One of the person's that speak for the same, this one too. What came of it by renewal stays; at the "
                "portal it is revoked as well."
            ),
            tag=_TAG,
            status=204,
        ),
    )
    def revoke_token(caller: Caller, ref: str) -> Response:
        tokens.give_up(caller, ref)
        return Response(status=204)


def _answer(token: Token) -> TokenAnswer:
    return TokenAnswer(
        ref=token.ref,
        label=token.label,
        kind=token.kind,
        speaks_for=token.maker or token.exporter,
        rights=tuple(sorted(token.rights)),
        made_at=token.made_at,
        ends_at=token.ends_at,
        used_at=token.used_at,
        revoked_at=token.revoked_at,
    )
