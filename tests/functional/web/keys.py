"""A person without a mouse: Tab, Enter, Space and arrows, with a focus that must be seen at every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOST_TABS = 400
"""How often Tab is pressed on the way to one place before it counts as out of reach."""
_SHOWN = """
() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const style = getComputedStyle(at), box = at.getBoundingClientRect();
  const outline = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const points = [[.5, .5], [.1, .5], [.9, .5], [.5, .1], [.5, .9]].map(
    ([x, y]) => document.elementFromPoint(box.left + box.width * x, box.top + box.height * y));
  const labels = at.labels ? [...at.labels] : [];
  window.places ??= new Map();
  if (!window.places.has(at)) window.places.set(at, window.places.size);
  return {
    name: `${at.tagName.toLowerCase()}#${at.id} ${(at.textContent || at.value || "").trim().slice(0, 40)}`,
    place: window.places.get(at),
    isMarked: outline || style.boxShadow !== "none",
    isThere: box.width > 0 && box.height > 0,
    isUncovered: points.some((point) => point && (at.contains(point) || point.contains(at) || labels.includes(point))),
  };
}
"""


@dataclass
class Keys:
    """
    One person's keyboard at a page. `unseen` is every place where the focus was, and could not be seen.

    `presses` counts keys that are no text, `typed` characters.
    """

    page: Page
    presses: int = 0
    typed: int = 0

    def press(self, key: str) -> None:
        self.presses += 1
        self.page.keyboard.press(key)

    def tab(self, *, back: bool = False) -> Any:
        """Go one place on; return what is there. A focus that cannot be seen, or does not move, fails the test."""
        before = self.page.evaluate(_SHOWN)
        self.press("Shift+Tab" if back else "Tab")
        now = self.page.evaluate(_SHOWN)
        if now is None:
            return None
        assert before is None or now["place"] != before["place"], f"a trap: Tab does not leave {now['name']}"
        assert now["isThere"], f"the focus is on something without size: {now['name']}"
        assert now["isMarked"], f"nothing marks the focus on {now['name']}"
        assert now["isUncovered"], f"something covers the focus on {now['name']}"
        return now

    def to(self, what: str) -> None:
        """Press Tab until the focus is on the first thing that a selector finds."""
        for _ in range(MOST_TABS):
            if self.is_on(what):
                return
            self.tab()
        raise AssertionError(f"{what} cannot be reached by Tab on {self.page.url}")

    def is_on(self, what: str) -> bool:
        found = self.page.locator(what)
        return bool(found.count()) and bool(found.first.evaluate("one => one === document.activeElement"))

    def type(self, what: str, text: str) -> None:
        """Go to a field and put a text in place of what it holds."""
        self.to(what)
        self.press("ControlOrMeta+a")
        self.typed += len(text)
        self.page.keyboard.insert_text(text)

    def go(self, what: str, key: str = "Enter") -> None:
        """Go to what leads to another page, press it, and wait for that page."""
        self.to(what)
        with self.page.expect_navigation():
            self.press(key)
