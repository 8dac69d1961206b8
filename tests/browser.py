"""Chromium without a network, for tests that open a page as a reader would."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser():
    """Chromium: the installed one, or the one that the variable CHROMIUM names."""
    sync_api = pytest.importorskip("playwright.sync_api")
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        pytest.skip("no Chromium here: install one, or name it in the variable CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        program = playwright.chromium.launch(executable_path=program, args=arguments)
        yield program
        program.close()


def new_page(browser, *allowed: str):
    """A page, 1280 pixels wide, that refuses all but local files and addresses that begin with one
    of `allowed`; ``asked`` and ``wrong`` keep what it was refused and what went wrong.
    """
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.asked, page.wrong = [], []

    def gate(route):
        if route.request.url.startswith(("file:", "data:", "blob:", *allowed)):
            route.continue_()
        else:
            page.asked.append(route.request.url)
            route.abort()

    def keep(message):
        if message.type == "error":
            page.wrong.append(message.text)

    page.context.route("**/*", gate)
    page.on("console", keep)
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    return page


@pytest.fixture
def page(browser):
    """A page for one test."""
    page = new_page(browser)
    yield page
    page.context.close()
