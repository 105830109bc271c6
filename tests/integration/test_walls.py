"""What is missing around hostile files is named, and in production refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from signer import sandbox, settings, wiring
from signer.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

    from world import World

STANDING = dict.fromkeys(("seccomp", "no-new-process", "landlock", "no-writing", "no-signals"), True)


def load(folder: Path, mode: str) -> settings.Settings:
    given = {"SIGNER_MODE": mode, "SIGNER_DATA_DIR": str(folder), "SIGNER_BASE_URL": "https://confirm.example.org"}
    return settings.load(given)


def test_production_does_not_start_without_seccomp_and_test_mode_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiring.refuse_without_walls(load(tmp_path, "production"))
    monkeypatch.setattr(sandbox, "standing_walls", lambda: STANDING | {"seccomp": False})
    wiring.refuse_without_walls(load(tmp_path, "test"))
    with pytest.raises(Misconfigured, match="seccomp"):
        wiring.refuse_without_walls(load(tmp_path, "production"))


def test_the_doctor_names_a_missing_wall(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> tuple[str, str]:
        (found,) = (one for one in world.services.doctor.examine() if one.part == "sandbox")
        return found.health, found.detail

    assert told()[0] == "ok"
    monkeypatch.setattr(sandbox, "standing_walls", lambda: STANDING | {"landlock": False})
    assert told() == ("warning", "landlock: this kernel lacks them around hostile files")
