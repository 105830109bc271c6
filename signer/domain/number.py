"""A confirmation's number: 65 random bits and a check character, the only public id."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic_core import core_schema

from signer.domain.values import fold_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32; its letters stand for 0-31."""
LENGTH = 14
_LOOK_ALIKES = str.maketrans("ILO", "110")


def _double(value: int) -> int:
    """Multiply by x in GF(32) = GF(2)[x] / (x^5 + x^2 + 1)."""
    value <<= 1
    return value ^ 0b100101 if value & 0b100000 else value


def check_character(first: str) -> str:
    """
    Return the check character for 13 characters of the alphabet.

    With values d1..d13 and the check value d14 the sum of d_i * x^(14 - i) over GF(32) is zero,
    so every single error and every swap of two characters is caught.
    """
    total = 0
    for char in first:
        total = _double(total ^ ALPHABET.index(char))
    return ALPHABET[total]


@lru_cache(maxsize=4096)
def _fault(text: str) -> str:
    """Return the id of the rule by which text is no number as printed, or ''; one question asks it several times."""
    plain = text.replace("-", "")
    if len(text) != 16 or text != f"{plain[:5]}-{plain[5:10]}-{plain[10:]}":
        return "number.form"
    if any(char not in ALPHABET for char in plain):
        return "number.alphabet"
    return "" if check_character(plain[:-1]) == plain[-1] else "number.check"


class Number(str):
    """A confirmation's number as printed: `XXXXX-XXXXX-XXXX`, upper case, the last character a check."""

    __slots__ = ()

    def __new__(cls, text: str) -> Number:
        """Take a number as printed; ValueError(rule id) for anything else."""
        if fault := _fault(text):
            raise ValueError(fault)
        return super().__new__(cls, text)

    @classmethod
    def kept(cls, text: str) -> Number:
        """Return a number as the register holds it: it was one when it was put there, and is not looked at again."""
        return super().__new__(cls, text)

    @staticmethod
    def _grouped(plain: str) -> str:
        return f"{plain[:5]}-{plain[5:10]}-{plain[10:]}"

    @classmethod
    def parse(cls, typed: str) -> Number:
        """
        Parse what a person typed: any case or width, I and L for 1, O for 0, blanks and hyphens dropped.

        Raises ValueError(`number.length`, `number.alphabet` or `number.check`).
        """
        plain = fold_code(typed).translate(_LOOK_ALIKES)
        if len(plain) != LENGTH:
            raise ValueError("number.length")
        return cls(cls._grouped(plain))

    @classmethod
    def draw(cls, random_bits: Callable[[int], int]) -> Number:
        """Draw a new number; `random_bits(65)` must come from a cryptographic source (`secrets.randbits`)."""
        value = random_bits(65)
        first = "".join(ALPHABET[(value >> (5 * place)) & 31] for place in reversed(range(13)))
        return cls(cls._grouped(first + check_character(first)))

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema(strict=True))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"pattern": f"^[{ALPHABET}]{{5}}-[{ALPHABET}]{{5}}-[{ALPHABET}]{{4}}$"}
