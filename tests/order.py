"""
In which order tests begin where several processes run them: what takes long first, and in each process some of it.

xdist (`worksteal`) gives every process an equal count of tests, one after the other as they were collected; who is done
takes from the end of another's. By name the browsers stood behind thousands of short tests, and the last ten minutes of
a run were one process's. Here each share begins with long modules, spread by what they take, and ends with short ones.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pytest

_Test = TypeVar("_Test")

ROOT: Final = Path(__file__).parents[1]
SECONDS: Final[Mapping[str, int]] = {
    "tests/attacks/test_attacks.py": 61,
    "tests/attacks/test_two_paths.py": 40,
    "tests/functional/test_batch_cli.py": 30,
    "tests/functional/test_cli.py": 24,
    "tests/functional/test_clients.py": 30,
    "tests/functional/test_how_tos.py": 25,
    "tests/functional/test_log_cli.py": 25,
    "tests/functional/test_offline_install.py": 20,
    "tests/functional/test_practising.py": 20,
    "tests/functional/test_remote_cli.py": 15,
    "tests/functional/test_serving.py": 27,
    "tests/functional/test_shares.py": 20,
    "tests/functional/test_slow_clients.py": 40,
    "tests/functional/test_tutorial.py": 60,
    "tests/functional/test_two_machines.py": 25,
    "tests/functional/test_wheel.py": 40,
    "tests/functional/web/test_drafts_in_a_browser.py": 27,
    "tests/functional/web/test_exporters_story.py": 41,
    "tests/functional/web/test_first_time.py": 45,
    "tests/functional/web/test_from_sign_in_to_seal.py": 17,
    "tests/functional/web/test_guide_in_a_browser.py": 25,
    "tests/functional/web/test_keyboard_only.py": 31,
    "tests/functional/web/test_offices.py": 50,
    "tests/functional/web/test_offline.py": 107,
    "tests/functional/web/test_pages_in_a_browser.py": 160,
    "tests/functional/web/test_paper_page_in_a_browser.py": 90,
    "tests/functional/web/test_passkeys_in_a_browser.py": 18,
    "tests/functional/web/test_portal_in_a_browser.py": 119,
    "tests/functional/web/test_sharing_in_a_browser.py": 14,
    "tests/functional/web/test_tongues_in_a_browser.py": 36,
    "tests/integration/faults/test_account_races.py": 20,
    "tests/integration/faults/test_batches.py": 80,
    "tests/integration/faults/test_crashes.py": 111,
    "tests/integration/faults/test_killed_sequencers.py": 25,
    "tests/integration/faults/test_races.py": 135,
    "tests/integration/machines/test_contract.py": 40,
    "tests/integration/portal/test_account.py": 15,
    "tests/integration/portal/test_batches.py": 25,
    "tests/integration/portal/test_car.py": 17,
    "tests/integration/portal/test_desk.py": 18,
    "tests/integration/portal/test_drafts.py": 44,
    "tests/integration/portal/test_elsewhere.py": 57,
    "tests/integration/portal/test_exporters.py": 33,
    "tests/integration/portal/test_facts.py": 17,
    "tests/integration/portal/test_importing.py": 30,
    "tests/integration/portal/test_matrix.py": 105,
    "tests/integration/portal/test_office.py": 31,
    "tests/integration/portal/test_onboarding.py": 19,
    "tests/integration/portal/test_outlets.py": 30,
    "tests/integration/portal/test_passkeys.py": 14,
    "tests/integration/portal/test_people.py": 17,
    "tests/integration/portal/test_seals.py": 30,
    "tests/integration/portal/test_signing_in.py": 14,
    "tests/integration/test_alarms.py": 34,
    "tests/integration/test_approving.py": 48,
    "tests/integration/test_batch_files.py": 20,
    "tests/integration/test_batches.py": 40,
    "tests/integration/test_believing_bundles.py": 22,
    "tests/integration/test_bundles.py": 57,
    "tests/integration/test_confirming.py": 19,
    "tests/integration/test_doctor.py": 39,
    "tests/integration/test_issuing.py": 17,
    "tests/integration/test_jobs.py": 25,
    "tests/integration/test_journal.py": 20,
    "tests/integration/test_keeping.py": 75,
    "tests/integration/test_keeping_alive.py": 47,
    "tests/integration/test_life.py": 36,
    "tests/integration/test_logbook.py": 25,
    "tests/integration/test_official_copies.py": 31,
    "tests/integration/test_on_paper.py": 25,
    "tests/integration/test_register.py": 70,
    "tests/integration/test_remote_keys.py": 22,
    "tests/integration/test_requests.py": 43,
    "tests/integration/test_revocation.py": 38,
    "tests/integration/test_room.py": 15,
    "tests/integration/test_scope.py": 39,
    "tests/integration/test_seal_keeping.py": 15,
    "tests/integration/test_sequencing.py": 25,
    "tests/integration/test_softhsm.py": 25,
    "tests/integration/test_webhooks.py": 30,
    "tests/unit/sheets/test_long_files.py": 15,
}
"""Seconds that whole modules take beside others, set-up and servers included: of those above ten, a rough figure."""
TOGETHER: Final[Mapping[str, str]] = {
    "tests/functional/web/test_pages_in_a_browser.py": "papers",
    "tests/functional/web/test_paper_page_in_a_browser.py": "papers",
    "tests/functional/web/test_tongues_in_a_browser.py": "papers",
    "tests/functional/web/test_offline.py": "papers",
    "tests/functional/web/test_guide_in_a_browser.py": "papers",
    "tests/functional/web/test_sharing_in_a_browser.py": "papers",
    "tests/functional/web/test_passkeys_in_a_browser.py": "papers",
    "tests/functional/web/test_exporters_story.py": "house",
    "tests/functional/web/test_first_time.py": "house",
    "tests/functional/web/test_from_sign_in_to_seal.py": "house",
    "tests/functional/web/test_keyboard_only.py": "house",
    "tests/functional/web/test_offices.py": "house",
    "tests/functional/web/test_drafts_in_a_browser.py": "house",
    "tests/functional/web/test_portal_in_a_browser.py": "house",
}
"""Modules that share what is costly to make: the same process begins with them."""


def spread(
    tests: Sequence[_Test],
    processes: int,
    *,
    module: Callable[[_Test], str],
    seconds: Mapping[str, int] = SECONDS,
    together: Mapping[str, str] = TOGETHER,
) -> list[_Test]:
    """
    Return the tests in as many equal shares as there are processes, one after the other.

    Every process comes to the same order: nothing but the tests and their modules' names decides.
    """
    long = [test for test in tests if module(test) in seconds]
    short = [test for test in tests if module(test) not in seconds]
    bundles: dict[str, dict[str, list[_Test]]] = {}
    for name, found in groupby(sorted(long, key=module), module):  # sorted() keeps the order within a module
        bundles.setdefault(together.get(name, name), {})[name] = list(found)
    weights = {bundle: sum(seconds[name] for name in modules) for bundle, modules in bundles.items()}
    shares: list[list[str]] = [[] for _ in range(processes)]
    for bundle in sorted(bundles, key=lambda bundle: (-weights[bundle], bundle)):
        min(shares, key=lambda share: sum(weights[one] for one in share)).append(bundle)
    begun = [[test for one in share for name in bundles[one] for test in bundles[one][name]] for share in shares]
    return list(_filled(begun, short))


def _filled(begun: Iterable[list[_Test]], short: list[_Test]) -> Iterable[_Test]:
    """Fill every share up with short tests to what xdist will cut off for a process: an equal part of what is left."""
    shares, at = list(begun), 0
    left = sum(map(len, shares)) + len(short)
    for place, share in enumerate(shares):
        whole = left // (len(shares) - place)
        more = max(0, whole - len(share))
        yield from share
        yield from short[at : at + more]
        at, left = at + more, left - len(share) - len(short[at : at + more])
    yield from short[at:]


def module_of(item: pytest.Item) -> str:
    """Return the path of a test's module, from the root."""
    return item.path.relative_to(ROOT).as_posix()
