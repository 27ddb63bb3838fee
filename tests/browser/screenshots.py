"""Pictures of the dashboard for the documentation, of a release that goes wrong: screenshots.py DIRECTORY.

The same traffic as in the tests: green gets more, begins to fail a little more often than blue, and is rolled back.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "deploy"))

from stage import Dashboard, Stage, chromium, eventually  # noqa: E402

DESKTOP = {"viewport": {"width": 1180, "height": 860}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "is_mobile": True, "has_touch": True}
PATIENCE = 120_000


def take(directory: Path):
    expect.set_options(timeout=PATIENCE)
    with tempfile.TemporaryDirectory() as place, Stage(Path(place)) as stage, \
            Dashboard(stage, "--file", "bluegreen.yaml") as dashboard, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        stage.upstreams.behavior["blue"].errors = 0.01
        stage.upstreams.behavior["green"].errors = 0.01
        stage.upstreams.behavior["green"].accuracy = 0.92
        page = opened(browser, dashboard, DESKTOP)
        eventually("enough outcomes", lambda: stage.stats("bluegreen_quality_samples", color="green") > 600, 120)

        page.get_by_role("button", name="Shift", exact=True).click()
        page.get_by_label("Percent of green", exact=True).fill("25")
        expect(page.locator("[data-preview=moved]")).to_have_text("15 % from blue to green")
        expect(page.locator("#dialog .confirm")).to_be_enabled()
        page.screenshot(path=directory / "dashboard-shift.png")
        page.locator("#dialog .confirm").click()
        expect(page.locator("#said")).to_contain_text("In force in 1 of 1 Envoys")
        eventually("the share of users", lambda: "25" in page.locator("#green [data-figure=share]").inner_text(), 60)
        page.evaluate("document.getElementById('said').textContent = ''")
        page.screenshot(path=directory / "dashboard-light.png", full_page=True)

        stage.upstreams.behavior["green"].errors = 0.06
        expect(page.locator("#status")).to_contain_text("rolled back")
        eventually("the end", lambda: page.locator("#green [data-figure=share]").inner_text() in ("0 %", "–"), 60)
        page.screenshot(path=directory / "dashboard-rollback.png", full_page=True)
        (directory / "dashboard-rollback.txt").write_text(page.locator("#main").inner_text() + "\n")
        phone = opened(browser, dashboard, PHONE)
        phone.screenshot(path=directory / "dashboard-phone-dark.png", full_page=True)
        browser.close()


def opened(browser, dashboard, options):
    page = browser.new_context(**options).new_page()
    page.goto(dashboard.url)
    expect(page.locator("#chart-f1 .line").first).to_be_visible()
    return page


if __name__ == "__main__":
    take(Path(sys.argv[1]).resolve())
