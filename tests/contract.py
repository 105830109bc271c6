"""Ask the API everything that its own description allows, and much that it does not, as one machine."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from machine import Machine
    from world import World

REFERENCE = re.compile(r"[0-9a-f]{16}")
FORM = "multipart/form-data"
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


load_all_checks()
NOT_SO_HERE = {
    "use_after_free": "what is discarded is kept among the discarded",
    "positive_data_acceptance": "whether a draft, a wish or a digest is right is for the rules, not for its shape",
}
"""Checks that look for what is not so here, each with its reason."""
EXCLUDED = [CHECKS.get_one(name) for name in NOT_SO_HERE]


class Contract:
    """One application's description, asked as one machine; `known` are references that are there, by their name."""

    def __init__(self, world: World, machine: Machine, known: Mapping[str, tuple[str, ...]], *, turns: int) -> None:
        self.world = world
        self.machine = machine
        self.known = known
        self.turns = turns
        self.draw = random.Random(20261130)
        self.answers: Counter[tuple[str, int]] = Counter()
        self.faults: dict[str, str] = {}
        self.schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", machine.app)
        if machine.secret:
            self.schema.auth()(_bearer(machine.secret))

    def ask_all(self, *, only: frozenset[str] = frozenset()) -> None:
        """Ask every operation, in both modes; what breaks the description is kept in `faults`."""
        for found in self.schema.get_all_operations():
            operation = found.ok()
            name = operation.definition.raw["operationId"]
            if only and name not in only:
                continue
            for mode in MODES:
                try:
                    self._ask(operation, mode, name)
                except FailureGroup as error:
                    self.faults[f"{name} {mode.value}"] = "\n".join(map(str, error.exceptions))
                except Unsatisfiable:  # nothing is asked of it that could be wrong
                    assert not operation.definition.raw.get("parameters")
                except Exception as error:  # noqa: BLE001 -- whatever was raised is what is sought
                    self.faults[f"{name} {mode.value}"] = f"{type(error).__name__}: {error}"

    def totals(self) -> Counter[int]:
        """How often each status was answered."""
        found: Counter[int] = Counter()
        for (_, status), count in self.answers.items():
            found[status] += count
        return found

    def _ask(self, operation: Any, mode: GenerationMode, name: str) -> None:
        @seed(20261130)
        @settings(
            max_examples=self.turns,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Any) -> None:
            assume([] not in (case.query or {}).values())  # a list of nothing is not sent, and is no fault then
            if case.media_type == FORM and _wrong_parts(case) == ["body"]:
                assume(not _is_right_when_sent(case.body, operation.definition.raw["requestBody"]))
            self.world.at += timedelta(seconds=1)
            for place, value in (case.path_parameters or {}).items():
                # what is wrong on purpose stays wrong
                if place in self.known and REFERENCE.fullmatch(str(value)) and self.draw.random() < 0.5:
                    case.path_parameters[place] = self.draw.choice(self.known[place])
            if "If-Match" in case.headers and self.draw.random() < 0.5:
                case.headers["If-Match"] = "*"
            response = case.call()
            self.answers[(name, response.status_code)] += 1
            case.validate_response(response, excluded_checks=EXCLUDED)

        one()


def _wrong_parts(case: Any) -> list[str]:
    return [place.value for place, how in case.meta.components.items() if how.mode is GenerationMode.NEGATIVE]


def _is_right_when_sent(body: Any, described: Mapping[str, Any]) -> bool:
    """Tell whether a form is wrong in nothing that is sent: a value and a list of it are the same, of none is none."""
    if not isinstance(body, dict):
        return False
    shape = described["content"][FORM]["schema"]
    sent = {name: value if isinstance(value, list) else [value] for name, value in body.items() if value != []}
    return set(shape.get("required", ())) <= set(sent) <= set(shape["properties"]) and all(
        all(isinstance(each, (str, bytes)) for each in values)
        and (len(values) == 1 or shape["properties"][name]["type"] == "array")
        for name, values in sent.items()
    )


def _bearer(secret: str) -> type:
    """Return how a machine shows its token, so that the checks know which questions are asked without it."""

    class Bearer:
        def get(self, case: Any, context: Any) -> str:
            return secret

        def set(self, case: Any, data: str, context: Any) -> None:
            case.headers["Authorization"] = f"Bearer {data}"

    return Bearer
