"""Tabs of one browser, with scripts on or off, and what axe-core finds in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Request

PATIENCE_MS = 120_000
"""How long anything may take before it counts as broken: long, for the machine may be busy with other tests."""
_STANDARD: Any = {
    "resultTypes": ["violations"],
    "rules": {
        "color-contrast": {"enabled": True},
        "color-contrast-enhanced": {"enabled": True},
        "target-size": {"enabled": True},
    },
}
"""Both rules on contrast: the enhanced one (7:1) leaves what is below 4.5:1 to the plain one."""
_CONTRAST: Any = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "color-contrast-enhanced"]}
"""What a theme can break: of a page whose rest was looked at in the other one."""
_SEEN = "[document.title, document.activeElement.id, document.documentElement.outerHTML, document.body.innerText]"


class Tabs:
    """
    Opens pages and remembers what went wrong in them: a broken wall, an error in a script, a script that should not be.

    Scripts are turned off by the switch of the developer tools, which Playwright's `java_script_enabled` turns as well;
    only with a session of our own can it be turned back. axe-core needs timers: without scripts it never ends. So they
    are lent to it when the page stands as it was read, drawn and filled in without them, and taken away again.
    """

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self._address = address
        self._contexts: list[BrowserContext] = []
        self._switches: dict[Page, CDPSession] = {}
        self._complaints: list[str] = []

    def open(self, *, width: int = 1200, scripts: bool = True, dark: bool = False, at: str | None = None) -> Page:
        """Open an empty page in a context of its own, for the server `at` an address."""
        context = self._browser.new_context(
            base_url=at or self._address,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
        )
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        page.on("console", lambda told: self._complaints.append(told.text) if told.type == "error" else None)
        if not scripts:
            page.on("request", self._refuse_script)
            self._switches[page] = context.new_cdp_session(page)
            _turn(self._switches[page], scripts=False)
        return page

    def faults(self, page: Page) -> list[str]:
        """Return what axe-core finds: nothing is allowed, contrast of 7:1 included."""
        if page not in self._switches:
            return _audit(page)
        assert page.locator("noscript").count() == 0, "axe-core passes over noscript: give the part the class no-js"
        seen = _settled(page)
        _turn(self._switches[page], scripts=True)
        try:
            page.evaluate("setTimeout(() => { window.lent = true })")
            page.wait_for_function("window.lent")
            found = _audit(page)
            after = page.evaluate(_SEEN)
            assert after == seen, f"lending scripts to axe-core changed the page: {_difference(seen, after)}"
        finally:
            _turn(self._switches[page], scripts=False)
        return found

    def contrast(self, page: Page) -> list[str]:
        """Return what axe-core finds of contrast alone: for a page with scripts that is shown in its other theme."""
        return _audit(page, _CONTRAST)

    def close(self) -> list[str]:
        """Close everything and return the complaints, save those about answers of 400 to 499."""
        for context in self._contexts:
            context.close()
        return [told for told in self._complaints if "status of 4" not in told]

    def _refuse_script(self, request: Request) -> None:
        if request.resource_type == "script":
            self._complaints.append(f"a script was asked for: {request.url}")


def _settled(page: Page) -> list[str]:
    """Return what is seen once it stands still: the focus is set when the page is first drawn, not when it was read."""
    seen = page.evaluate(_SEEN)
    for _ in range(100):
        page.wait_for_timeout(60)
        before, seen = seen, page.evaluate(_SEEN)
        if before == seen:
            break
    return list(seen)


def _difference(seen: list[str], after: list[str]) -> str:
    names = ("title", "focus", "markup", "text")
    told = zip(names, seen, after, strict=True)
    return "; ".join(f"{name}: {one[:300]!r}, then {two[:300]!r}" for name, one, two in told if one != two)


def _turn(switch: CDPSession, *, scripts: bool) -> None:
    switch.send("Emulation.setScriptExecutionDisabled", {"value": not scripts})


def _audit(page: Page, options: Any = _STANDARD) -> list[str]:
    found: Any = Axe().run(page, options=options).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for fault in found
        for node in fault["nodes"]
    ]
