"""Every code, reason and check has its words, in Chinese and English, and no word stands for nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import signer
from signer.domain.verdict import Code
from signer.register.endings import REASONS as END_REASONS
from signer.seal.findings import QUESTIONS as SEAL_QUESTIONS
from signer.verification import wording

SOURCE = Path(signer.__file__).parent
_ROOMS = [*sorted((SOURCE / "verification").glob("*.py")), *sorted((SOURCE / "seal").glob("*.py"))]
JUDGING = [*_ROOMS, *(SOURCE / "sandbox").glob("*.py")]
CHECKS = tuple(SOURCE / "verification" / name for name in ("checks.py", "paper_checks.py"))


def reasons_in_code() -> set[str]:
    """Return every reason that the code may give: literals, and the ids of findings in capitals."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in JUDGING)
    said = set(re.findall(r'reason="([A-Z_]{3,})"', text))
    said |= set(re.findall(r'open_\("[a-z-]+", Part\.[A-Z]+, "([A-Z_]+)"', text))
    said |= set(re.findall(r'noted\("[a-z-]+", Part\.[A-Z]+, "([A-Z_]+)"', text))
    said |= set(re.findall(r'Refusal\("([A-Z_]+)"', text)) | set(re.findall(r'ChildFailed\(\s*"([A-Z_]+)"', text))
    said |= {str(which).replace("-", "_").upper() for which in SEAL_QUESTIONS}
    return said | {reason.replace("-", "_").upper() for reason in END_REASONS}


def test_every_reason_that_the_code_gives_has_words() -> None:
    assert sorted(reasons_in_code() - set(wording.REASONS)) == []


def test_every_check_asks_a_question() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in CHECKS)
    ids = set(re.findall(r'"([a-z][a-z-]+)", Part\.', text))
    assert sorted(ids - set(wording.QUESTIONS)) == []
    assert not set(wording.QUESTIONS) & {str(which) for which in SEAL_QUESTIONS}


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_banner_of_few_words_and_a_sentence(code: Code) -> None:
    for language in ("zh", "en"):
        assert 0 < len(wording.banner(code, language).split()) <= 8  # type: ignore[arg-type]
    zh, en = wording.SENTENCES[code]
    assert set(re.findall(r"{(\w+)}", zh)) == set(re.findall(r"{(\w+)}", en))
    assert re.search(r"[\u4e00-\u9fff]", zh)
    assert not re.search(r"[\u4e00-\u9fff]", en)


def test_words_never_promise_what_only_an_authority_decides() -> None:
    everything = " ".join(text for pair in wording.SENTENCES.values() for text in pair)
    for word in ("approved", "accepted by", "legally", "批准", "法律效力等同"):
        assert word not in everything
