"""`signer batch` at a terminal: handed in, refused by row and column, approved by somebody else, sealed, fetched."""

from __future__ import annotations

import json
import re
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import many_vehicles
import pytest
import terminal
import world as worlds
from world import PEOPLE, YUNZHOU, World

from signer.domain.batch import Failure
from signer.domain.values import beijing_day

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

PREPARER, APPROVER = PEOPLE[YUNZHOU]


@pytest.fixture(scope="module")
def shop(live_template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A deployment by the machine's clock, in which every test has vehicles of its own."""
    made = World(worlds.copy(live_template_folder, tmp_path_factory.mktemp("shop") / "data"), at=datetime.now(UTC))
    promise = made.folder / "promise.json"
    promise.write_text(json.dumps({"schema": "signer.draft/1", "commitment": many_vehicles.COMMITMENT}))
    yield made
    made.services.database.close()


def run(shop: World, *words: str | Path) -> subprocess.CompletedProcess[str]:
    told = {"SIGNER_MODE": "test", "SIGNER_DATA_DIR": str(shop.folder), "LC_ALL": "C.UTF-8"}
    return terminal.run(*words, told=told)


def cars(shop: World, count: int, *, start: int, **changes: Any) -> list[dict[str, Any]]:
    today = beijing_day(shop.at)
    dated = {"registered_on": f"{today}", "application_planned_on": f"{today}", **changes}
    return [many_vehicles.vehicle(serial, **dated) for serial in range(start, start + count)]


def handed_in(
    shop: World, data: bytes, *words: str | Path, name: str = "cars.jsonl"
) -> subprocess.CompletedProcess[str]:
    (shop.folder / name).write_bytes(data)
    given = ("--as", YUNZHOU, "--preparer", PREPARER, "--commitment", shop.folder / "promise.json")
    return run(shop, "batch", shop.folder / name, *given, *words)


def reference(told: subprocess.CompletedProcess[str]) -> str:
    found = re.search(r"batch ([0-9a-f]{16})", told.stdout)
    assert found, told.stdout + told.stderr
    return found[1]


def test_a_file_is_sealed_by_one_word_of_somebody_else_and_again_is_the_same(shop: World) -> None:
    data = many_vehicles.as_csv([*cars(shop, 3, start=0), *cars(shop, 1, start=3, country="AE")])
    out = shop.folder / "papers.zip"
    words = ("--per", "2", "--approver", APPROVER, "--yes", "--out", out)
    told = handed_in(shop, data, *words, name="cars.csv")
    assert (told.returncode, "4 vehicles, 3 confirmations" in told.stdout) == (0, True), told.stderr
    assert "3 sealed, 0 failed of 3" in told.stdout
    again = handed_in(shop, data, *words, name="cars.csv")
    assert (again.returncode, "(again)" in again.stdout) == (0, True)
    assert reference(again) == reference(told)
    assert shop.rows("SELECT count(*) FROM confirmations") == [(3,)]
    with zipfile.ZipFile(out) as whole:
        numbers = {f"{number}.pdf" for (number,) in shop.rows("SELECT number FROM confirmations")}
        assert set(whole.namelist()) == numbers | {"manifest.csv", "manifest.json"}
        assert json.loads(whole.read("manifest.json"))["is_finished"]


def test_a_faulty_file_is_told_by_row_and_column_in_either_language_and_nothing_is_made(shop: World) -> None:
    made = cars(shop, 4, start=100)
    made[1]["vin"] = made[0]["vin"]
    made[2]["certificate_manufacturer"] = "陌生样例汽车有限公司"
    told = handed_in(shop, many_vehicles.as_csv(made, encoding="gb18030"), "--lang", "zh", name="bad.csv")
    assert told.returncode == 1
    assert re.search(
        r"^  A3 \(车辆识别代号\) “\S+”: 与第 2 行的车辆识别代号相同.*\[vin.twice\]$", told.stderr, re.MULTILINE
    )
    assert re.search(r"^  E4 \(制造厂名称\) .*\[issuer.name\]$", told.stderr, re.MULTILINE)
    shown = run(shop, "batches", "show", reference(told), "--as", YUNZHOU, "--lang", "en")
    assert "violation: A3" in shown.stdout


def test_a_broken_line_and_a_wrong_header_are_refused_as_whole_files(shop: World) -> None:
    good = many_vehicles.as_lines(cars(shop, 2, start=200))
    for data, rule, words in (
        (good + b'{"vin": \n', "sheet.line", "Line 3 is no JSON object"),
        (b"a,b\n1,2\n", "sheet.no-header", "No header was found"),
    ):
        told = handed_in(shop, data, name=f"{rule}.txt")
        assert (told.returncode, words in told.stderr, f"[{rule}]" in told.stderr) == (1, True, True), told.stderr


def test_the_same_command_goes_on_with_a_batch_that_stood_still_and_tells_why_it_did(shop: World) -> None:
    data = many_vehicles.as_lines(cars(shop, 1, start=400))
    ref = reference(handed_in(shop, data))
    run(shop, "batches", "approve", ref, "--as", YUNZHOU, "--by", APPROVER, "--yes")
    why = Failure(code="key-unavailable", zh="印章密钥当前不可用", en="the token is locked").model_dump_json()
    shop.change(f"UPDATE batches SET state = 'halted', halted = '{why}' WHERE ref = '{ref}'")
    shown = run(shop, "batches", "show", ref, "--as", YUNZHOU, "--lang", "en").stdout
    assert "the token is locked [key-unavailable]" in shown
    told = handed_in(shop, data)
    assert (told.returncode, "1 sealed, 0 failed of 1" in told.stdout) == (0, True), told.stdout + told.stderr


def test_a_batch_waits_for_a_second_person_is_paused_goes_on_and_is_cancelled(shop: World) -> None:
    told = handed_in(shop, b"\xef\xbb\xbf" + many_vehicles.as_lines(cars(shop, 2, start=300)))
    ref = reference(told)
    assert (told.returncode, "waits for an approver" in told.stdout) == (0, True)
    own = ("--as", YUNZHOU, "--by")
    refused = run(shop, "batches", "approve", ref, *own, PREPARER, "--yes")
    assert (refused.returncode, "[not-permitted]" in refused.stderr) == (1, True)
    assert run(shop, "batches", "approve", ref, *own, APPROVER, "--yes").stdout == f"batch {ref}: approved\n"
    assert run(shop, "batches", "pause", ref, *own, PREPARER).stdout == f"batch {ref}: paused\n"
    listed = run(shop, "batches", "list", "--as", YUNZHOU, "--json").stdout.splitlines()
    assert json.loads(listed[0]) | {"root": ""} == {
        "batch": ref,
        "file": "cars.jsonl",
        "state": "paused",
        "vehicles": 2,
        "items": 2,
        "done": 0,
        "failed": 0,
        "root": "",
        "per_minute": None,
    }
    assert run(shop, "batches", "go-on", ref, *own, PREPARER).stdout == f"batch {ref}: running\n"
    assert run(shop, "batches", "cancel", ref, *own, APPROVER).stdout == f"batch {ref}: cancelled, 0 sealed\n"
    assert run(shop, "batches", "go-on", ref, *own, PREPARER).returncode == 1
