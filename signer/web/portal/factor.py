"""
A second factor in a form: what was shown, and what is said when it was wrong.

A form draws `factor.fields(ways, about)` (templates/web/portal/factor.html) and its view calls `confirmed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.account import Proof
from signer.errors import NotPermitted, TooManyRequests
from signer.web.problems import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELD = "factor_code"
_MOST_CODE, _MOST_ASSERTION = 80, 20_000
WRONG = Fault(
    pointer=FIELD,
    code="not-permitted",
    zh="验证未通过：验证码有误、已使用过或已过期。请输入新的验证码，或改用通行密钥。",
    en="This was not accepted: the code is wrong, was used before or is over. Take a new one, or use a passkey.",
)


def proof_of(form: Mapping[str, str]) -> Proof:
    """Return what was shown in a form."""
    code, assertion = form.get(FIELD, ""), form.get("factor_assertion", "")
    return Proof(code=code[:_MOST_CODE], assertion=assertion if len(assertion) <= _MOST_ASSERTION else "")


def fault_of(error: NotPermitted | TooManyRequests) -> Fault:
    """Return what to say beside the field when a proof was refused."""
    return too_many(error, pointer=FIELD) if isinstance(error, TooManyRequests) else WRONG


def too_many(error: TooManyRequests, *, pointer: str) -> Fault:
    """Return what to say to somebody who has to wait."""
    minutes = -(-error.retry_after_s // 60)
    return Fault(
        pointer=pointer,
        code=error.code,
        zh=f"尝试次数过多。请在 {minutes} 分钟后再试；您的账户没有被锁定。",
        en=f"Too many attempts failed. Try again in {minutes} min; your account is not locked.",
    )
