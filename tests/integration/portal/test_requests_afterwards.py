"""The pages of a request say what became of its confirmation, for each vehicle, to either side in its language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import approvals
import exporting
from objects import OWN
from world import KAZAKHSTAN, PEOPLE, TIANSHAN, YUNZHOU, fresh

from signer.domain.number import Number
from signer.domain.parties import Uscc
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from portal import Portal

CHEN, LIN = PEOPLE[YUNZHOU]


def test_a_partly_withdrawn_confirmation_is_called_so_in_the_list_on_the_page_and_at_each_vehicle(
    portal: Portal,
) -> None:
    world, plain = portal.world, fresh(KAZAKHSTAN, 1)
    plain["vehicles"][0]["transfer_pending_on"] = "2026-11-01"
    exporting.accept(world, TIANSHAN, YUNZHOU, person="a.sample")
    (ref,) = exporting.send(world, TIANSHAN, "a.sample", plain)
    draft = world.services.request_inbox.draft(Uscc(OWN), ref, by=CHEN)
    left_out = {**plain, "exporter": TIANSHAN, "vehicles": plain["vehicles"][:2]}
    approvals.edit(world, draft, left_out)
    number = approvals.approve(world, world.services.approving.send(draft, maker=Uscc(OWN), by=CHEN)).number
    first, second, third = (row["vin"] for row in plain["vehicles"])
    wanted = Withdrawal(number=Number(number), manufacturer=OWN, by=CHEN, second=LIN, reason="error", vins=(first,))
    world.services.ending.withdraw(wanted)
    visitor, chen = portal.visitor("a.sample"), portal.visitor(CHEN)
    for who, home in ((visitor, f"/exporter/{TIANSHAN}/requests"), (chen, f"/portal/{OWN}/requests")):
        assert ">partly withdrawn<" in who.get(home, lang="en").text
        assert "确认书部分撤回" in who.get(f"{home}?lang=zh").text
        page = who.get(f"{home}/{ref}?lang=en").text
        assert "The manufacturer withdrew it for some vehicles" in page
        rows = _rows(page)
        assert [">withdrawn<" in rows[first], ">in force<" in rows[second], ">not named in it<" in rows[third]] == [
            True
        ] * 3
        assert "2026-11-01" in rows[first]
        assert "Not needed from" in rows[second] or "not needed from" in rows[second]


def _rows(page: str) -> dict[str, str]:
    """Return the rows of a page's vehicles by VIN; a VIN is written in groups."""
    rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
    return {
        re.sub(r"<[^>]+>", "", found[1]): row
        for row in rows
        if (found := re.search(r"<code class=.vin.*?>(.*?)</code>", row))
    }
