"""The page of a batch's states says what the code allows."""

from __future__ import annotations

import re

from world import ROOT

from signer.domain.batch import FOLLOWS


def test_the_page_names_every_state_of_a_batch_and_what_may_follow() -> None:
    page = (ROOT / "docs" / "reference" / "batches.md").read_text(encoding="utf-8")
    table = page.partition("## A batch\n")[2].partition("\n## ")[0]
    told = {}
    for row in table.splitlines():
        if found := re.match(r"\| `(\w+)` \|.*\|([^|]*)\|$", row):
            told[found[1]] = sorted(re.findall(r"`(\w+)`", found[2]))
    assert told == {str(state): sorted(map(str, after)) for state, after in FOLLOWS.items()}
