"""A real Chromium for tests of pages: the one that the system has."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PHONE, DESK = (360, 740), (1280, 900)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium, or skip the test where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium is installed here (Debian and Ubuntu: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def page(
    browser: Browser,
    address: str,
    size: tuple[int, int] = DESK,
    theme: Literal["light", "dark"] = "light",
    levels: tuple[str, ...] = ("error", "warning"),
) -> Iterator[Page]:
    """Open a page with no network, and fail where it complains: an error in its console, a file that is not there.

    `levels` are those of the console that count.
    """
    complaints: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type in levels:
            complaints.append(f"{message.type}: {message.text}")

    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme, offline=True)
    opened = context.new_page()
    opened.on("console", said)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("requestfailed", lambda request: complaints.append(f"not loaded: {request.url}"))
    opened.goto(address)
    yield opened
    context.close()
    assert not complaints, complaints


def barriers(page: Page) -> list[str]:
    """Return what axe-core finds that keeps people out, one line a rule, with the first places."""
    found = Axe().run(page, options={"preload": False}).response["violations"]  # of files, a browser reads no others
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: "
        + "; ".join(str(node["target"][0]) for node in rule["nodes"][:4])
        for rule in found
    ]
