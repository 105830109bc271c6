"""
Write the vectors of numbers, VINs, codes and windows: `python tests/vectors/make_identifiers.py`.

Frozen: a run must change nothing that is published. The three VINs are the unit vectors of the standard's check
digit; everything else is invented.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

from signer.domain.number import Number, check_character
from signer.domain.parties import normalise_uscc, uscc_fault
from signer.domain.vehicle import Window, normalise_vin, vin_fault

HERE = Path(__file__).parent

FIRST_13 = ("0000000000000", "ZZZZZZZZZZZZZ", "7K3QF9ZC2M8RX", "0123456789ABC", "0000000000001", "1000000000000")
WRONG_NUMBERS = (
    "", "T0T0T-0T0T0-T0T", "T0T0T-0T0T0-T0T3X", "T0T0T-0T0T0-T0T4", "0TT0T-0T0T0-T0T3",
    "U0T0T-0T0T0-T0T3",
)  # fmt: skip
VINS = (
    "1M8GDM9AXKP042788", "LGWEF5A58HH002014", "LGWFF7A53TH012345", "1m8gdm9axkp042788", " 1M8 GDM9AX-KP042788",
    "１Ｍ８ＧＤＭ９ＡＸＫＰ０４２７８８", "1M8GDM9A0KP042788", "IM8GDM9AXKP042788", "1M8GDM9AXKPO42788",
    "1M8GDM9AXKP04278",
    "1M8GDM9AXKP0427888", "1M8GDM9AXKP04278*", "",
)  # fmt: skip
CODES = (
    "91350100M000100Y43", "91350100m000100y43", "9135 0100 M000 100Y 43", "91350100M000100Y44", "91350100M000100Y4",
    "91350100S000100Y43", "",
)  # fmt: skip
REGISTERED = ("2026-01-01", "2026-02-28", "2026-09-01", "2027-08-31", "2028-02-29", "2027-09-02", "2027-12-31")


def numbers() -> dict[str, object]:
    """Return numbers as typed and as printed, and what is refused."""
    valid = []
    for first in FIRST_13:
        plain = first + check_character(first)
        printed = str(Number(f"{plain[:5]}-{plain[5:10]}-{plain[10:]}"))
        typed = [printed, plain.lower(), plain.replace("0", "o").replace("1", "l"), f" {printed[:8]} {printed[8:]} "]
        valid.append({"number": printed, "typed": typed})
    return {"valid": valid, "refused": [{"typed": typed, "fault": _number_fault(typed)} for typed in WRONG_NUMBERS]}


def _number_fault(typed: str) -> str:
    try:
        Number.parse(typed)
    except ValueError as error:
        return str(error)
    raise AssertionError(typed)


def vins() -> list[dict[str, str]]:
    """Return VINs as typed and as stored, with the rule that they break ('' for none)."""
    return [
        {"typed": typed, "stored": normalise_vin(typed), "fault": vin_fault(normalise_vin(typed))} for typed in VINS
    ]


def codes() -> list[dict[str, str]]:
    """Return unified social credit codes as typed and as stored, with the rule that they break."""
    return [
        {"typed": typed, "stored": normalise_uscc(typed), "fault": uscc_fault(normalise_uscc(typed))} for typed in CODES
    ]


def windows() -> list[dict[str, object]]:
    """Return windows with the days around both ends."""
    found: list[dict[str, object]] = []
    for text in REGISTERED:
        window = Window(date.fromisoformat(text))
        days = [window.registered_on + timedelta(days=days) for days in (-1, 0, 176, 177, 180, 181, 183, 184)]
        applied = [
            {"on": f"{day}", "n": window.days(day), "state": window.state(day), "edge": window.is_near_edge(day)}
            for day in days
        ]
        found.append(
            {
                "registered_on": text,
                "through": f"{window.through}",
                "free_from": f"{window.free_from}",
                "applied": applied,
            }
        )
    return found


def pages() -> dict[str, str]:
    """Return every file that this script writes, by name."""
    values = {"number": numbers(), "vin": vins(), "uscc": codes(), "window": windows()}
    return {f"{name}.json": json.dumps(value, ensure_ascii=False, indent=1) + "\n" for name, value in values.items()}


def main() -> None:
    """Write the vectors."""
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
