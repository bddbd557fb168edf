"""Chromium on a made-up edition that is served on loopback."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import made_up
import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from publish import serve
from publish.edition import Editions

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the browser's path, or skip."""
    path = os.environ.get("PERINATAL_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    return path


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the made-up edition; give its address."""
    home = tmp_path_factory.mktemp("e2e")
    made_up.edition_folder(home)
    server = serve.PortalServer(Editions(home), 0)
    thread = threading.Thread(target=server.serve_until_stopped, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Start Playwright once."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    """Start a browser with a user-data folder of its own."""
    started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
    yield started
    started.close()


@pytest.fixture
def context(browser: Browser, tmp_path: Path) -> Iterator[BrowserContext]:
    """Give a fresh context that accepts downloads."""
    made = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    made.set_default_timeout(20_000)
    yield made
    made.close()
