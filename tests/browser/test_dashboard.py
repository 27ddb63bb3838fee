"""The dashboard in a real browser, of a real Envoy with real traffic."""

import re

import pytest
from playwright.sync_api import expect
from stage import ROLLOUT, Dashboard, eventually

SHIFTED = "recommender: blue 75 %, green 25 %; 15 % of users move from blue to green"


def figure(page, color, name):
    return page.locator(f"#{color} [data-figure={name}]")


def number(text: str) -> float:
    return float(re.match(r"[\d.,]+", text)[0].replace(",", ""))


def preview(page, move: str):
    """Presses a move's button and waits for what it would change."""
    page.get_by_role("button", name=move, exact=True).click()
    expect(page.locator("[data-preview=summary]")).to_be_visible()


def test_what_it_shows_equals_the_stats_of_envoy(stage, open_page):
    page = open_page()
    for color, weight in (("blue", "90 %"), ("green", "10 %")):
        expect(figure(page, color, "weight")).to_have_text(weight)
    eventually("enough outcomes", lambda: stage.stats("bluegreen_quality_samples", color="green") > 100)
    expect(figure(page, "blue", "rate")).not_to_have_text(re.compile("^[0–]"))
    rates = {color: number(figure(page, color, "rate").inner_text()) for color in ("blue", "green")}
    assert rates["blue"] > 4 * rates["green"] > 0, rates

    stage.be_still()
    for color in ("blue", "green"):
        samples = lambda: f"{stage.stats('bluegreen_quality_samples', color=color):,.0f}"
        eventually("all outcomes", lambda: figure(page, color, "samples").inner_text() == samples())
        expect(figure(page, color, "in-flight")).to_have_text("0")
        f1, low, high = (stage.stats(f"bluegreen_quality_f1{end}_ppm", color=color) / 10_000 for end in ("", "_low", "_high"))
        shown = figure(page, color, "f1").inner_text()
        assert [float(part) for part in re.findall(r"[\d.]+", shown)] == pytest.approx([f1, low, high], abs=0.06), shown
        [value] = page.locator(f"#chart-f1 [data-value=f1-{color}] b").all_inner_texts()
        assert number(value) == pytest.approx(f1, abs=0.06)
        assert page.locator(f"#chart-weight [data-line=weight-{color}]").get_attribute("d")
    fingerprint = f"{stage.stats('bluegreen_config_fingerprint'):.0f}"
    expect(page.locator("#facts")).to_contain_text(fingerprint)
    expect(page.locator("#envoys")).to_contain_text(stage.envoy.admin_address)


def test_the_figures_of_models(stage, open_page):
    stage.write([{
        **ROLLOUT, "stream": {"first_chunk": True}, "shadow": {"percent": 100, "compare": True, "max_disagreement": 90},
        "quality": {"min_samples": 500, "scores": {"rating": {"better": "higher", "max_drop": 1}}},
    }])
    page = open_page()
    for color in ("blue", "green"):
        expect(page.locator(f"#chart-first-token [data-value=first_chunk_p95-{color}] b")).to_have_text(re.compile(r"^[\d.]+ m?s"))
        expect(page.locator(f"#chart-tokens [data-value=chunks-{color}] b")).to_have_text(re.compile(r"^[\d.]+$"))
        expect(page.locator(f"#chart-score-rating [data-line=score-rating-{color}]")).to_have_attribute("d", re.compile("^M"))
    expect(page.locator("#chart-copies [data-value=copies] b")).not_to_have_text(re.compile("^[0–]"))
    expect(page.locator("#chart-disagreement .limit")).to_have_count(1)
    expect(page.locator("#limits")).to_contain_text(re.compile("rating max_drop.*at least "))

    stage.be_still()
    disagreement = lambda: stage.stats("bluegreen_shadow_disagreement_ppm") / 10_000
    shown = page.locator("#chart-disagreement [data-value=disagreement] b")
    eventually("the disagreement", lambda: number(shown.inner_text()) == pytest.approx(disagreement(), abs=0.06))
    for color in ("blue", "green"):
        mean = lambda: stage.stats("bluegreen_score_mean_micro", color=color) / 1e6
        rating = lambda: number(figure(page, color, "score-rating").inner_text())
        eventually("the rating", lambda: rating() == pytest.approx(mean(), abs=0.006))
        assert 3 < rating() < 5
    least = lambda: number(re.search(r"at least ([\d.,]+)", page.locator("#limits tr", has_text="max_drop").inner_text())[1])
    blue = stage.stats("bluegreen_score_mean_micro", color="blue") / 1e6
    eventually("the limit", lambda: least() == pytest.approx(blue - 1, abs=0.006))


def test_errors_of_the_canary_roll_it_back_before_the_eyes(stage, open_page):
    page = open_page()
    expect(page.locator("#status")).to_contain_text("healthy")
    stage.upstreams.behavior["green"].errors = 0.7
    expect(page.locator("#status")).to_contain_text("rolled back: errors_sequential")
    expect(figure(page, "green", "errors")).to_have_text(re.compile("[1-9].* %"))
    expect(page.locator("#events li.error").first).to_contain_text("recommender: rolled back: errors_sequential")
    expect(figure(page, "green", "weight")).to_have_text("0 %")
    expect(page.locator("#chart-errors .mark.error")).not_to_have_count(0)
    expect(page.locator("#chart-evidence .limit")).to_have_count(1)
    evidence = lambda: stage.stats("bluegreen_guard_evidence_percent", cause="errors_sequential")
    shown = page.locator("[data-value=errors-evidence] b")
    eventually("the evidence", lambda: number(shown.inner_text()) == evidence() > 50)
    assert stage.stats("bluegreen_failures_total", color="green") > 0


def test_a_press_shifts_the_weight(stage, open_page):
    page = open_page()
    # The rollback of another test is over.
    expect(figure(page, "green", "weight")).to_have_text("10 %")
    before = stage.file.read_text()
    preview(page, "Shift")
    dialog = page.get_by_role("dialog", name="Shift: recommender")
    dialog.get_by_label("Percent of green", exact=True).fill("25")
    expect(dialog.locator("[data-preview=summary]")).to_have_text(SHIFTED)
    expect(dialog.locator("[data-preview=moved]")).to_have_text("15 % from blue to green")
    expect(dialog.locator(".diff .removed")).to_contain_text('"weights": {"blue": 90, "green": 10}')
    expect(dialog.locator(".diff .added")).to_contain_text('"weights": {"blue": 75, "green": 25}')
    assert stage.file.read_text() == before
    dialog.get_by_role("button", name="Shift").click()
    expect(page.locator("#said")).to_contain_text("In force in 1 of 1 Envoys")
    expect(dialog).to_be_hidden()
    assert stage.weight() == 25
    assert stage.file.read_text() == before.replace('{"blue": 90, "green": 10}', '{"blue": 75, "green": 25}')
    expect(figure(page, "green", "weight")).to_have_text("25 %")
    expect(page.locator("#events")).to_contain_text("shift: green 10 % -> 25 %")
    eventually("the share of users", lambda: number(figure(page, "green", "share").inner_text()) > 20)


def test_a_file_that_was_changed_meanwhile_stays_as_it_is(stage, open_page):
    page = open_page()
    preview(page, "Roll back")
    theirs = stage.file.read_text().replace("75", "70")
    stage.file.write_text(theirs)
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Roll back").click()
    expect(dialog.get_by_role("alert")).to_contain_text("something has changed meanwhile, and nothing is written")
    expect(dialog.get_by_role("button", name="Roll back")).to_be_enabled()
    assert stage.file.read_text() == theirs
    dialog.get_by_role("button", name="Cancel").click()
    preview(page, "Shift")
    page.get_by_label("Percent of green", exact=True).fill("101")
    expect(dialog.get_by_role("alert")).to_contain_text("percent of green: ")
    expect(dialog.get_by_role("button", name="Shift")).to_be_disabled()


def test_without_the_token_nothing_is_shown(stage, open_page, dashboard):
    page = open_page(dashboard.root)
    expect(page.get_by_role("heading", name="This dashboard needs its token")).to_be_visible()
    expect(page.locator("#app")).to_be_hidden()
    page.get_by_label("Token", exact=True).fill("0123456789abcdef0123456789abcdef")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("alert").first).to_contain_text("not the token of this dashboard")
    assert "recommender" not in page.content()
    page.get_by_label("Token", exact=True).fill(dashboard.token)
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", name="recommender")).to_be_visible()


def test_the_token_leaves_the_address_and_stays_in_its_tab(stage, open_page, dashboard):
    page = open_page()
    expect(page.get_by_role("heading", name="recommender")).to_be_visible()
    assert dashboard.token not in page.url and dashboard.token not in page.content()
    page.reload()
    expect(page.get_by_role("heading", name="recommender")).to_be_visible()
    assert page.context.cookies() == []
    other = page.context.new_page()
    other.goto(dashboard.root)
    expect(other.get_by_role("heading", name="This dashboard needs its token")).to_be_visible()


def test_no_other_page_reads_or_acts(stage, open_page, dashboard):
    """Another server on the same machine, with a token that has leaked to it."""
    before = stage.file.read_text()
    page = open_page(f"http://127.0.0.1:{stage.upstreams.ports['blue']}/", is_own=False)
    token = f"Bearer {dashboard.token}"
    tried = page.evaluate(
        """async ([root, token]) => {
            const body = JSON.stringify({ move: "rollback", rollout: "recommender" });
            const json = { "content-type": "application/json", authorization: token };
            const tries = {
                read: () => fetch(`${root}/api/live`, { headers: { authorization: token } }),
                act: () => fetch(`${root}/api/move`, { method: "POST", headers: json, body }),
                page: () => fetch(`${root}/`),
                blind: () => fetch(`${root}/api/move`, { method: "POST", mode: "no-cors", body }).then((it) => it.type),
            };
            const seen = {};
            for (const [name, attempt] of Object.entries(tries)) {
                seen[name] = await attempt().then((it) => (it.status ?? it), () => "refused");
            }
            return seen;
        }""", [dashboard.root, token])
    assert tried.pop("blind") in ("opaque", "refused"), tried
    assert tried == {"read": "refused", "act": "refused", "page": "refused"}
    page.set_content(f'<iframe src="{dashboard.url}"></iframe>')
    page.wait_for_timeout(300)
    assert all("recommender" not in frame.content() for frame in page.frames[1:] if not frame.is_detached())
    assert stage.file.read_text() == before


def test_all_is_done_by_keyboard(stage, open_page):
    page = open_page()
    expect(figure(page, "green", "weight")).to_have_text("10 %")
    press = page.keyboard.press
    focused = lambda: page.evaluate("document.activeElement.id || document.activeElement.className.baseVal "
                                    "|| document.activeElement.className")

    def has_focus(what):
        eventually(f"{what} has the focus", lambda: focused() == what)

    def tab_to(what):
        for _ in range(40):
            if focused() == what:
                return
            press("Tab")
        raise AssertionError(f"{what} is not reached")

    press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the rollout"
    press("Enter")
    tab_to("move-rollback")
    press("Enter")
    expect(page.get_by_role("dialog", name="Roll back: recommender")).to_be_visible()
    has_focus("cancel")
    press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    has_focus("move-rollback")
    page.locator("#move-shift").focus()
    press("Enter")
    has_focus("green-percent")
    page.keyboard.type("12.5")
    expect(page.locator("[data-preview=moved]")).to_have_text("2.5 % from blue to green")
    press("Enter")
    eventually("the weight", lambda: stage.weight() == 12.5)
    expect(page.get_by_role("dialog")).to_be_hidden()
    tab_to("plot")
    chart = page.locator("#chart-weight .plot")
    assert "Weight. blue " in chart.get_attribute("aria-label")
    press("Home")
    assert re.search(r"Weight\. \d\d:\d\d:\d\d: blue [\d.]+ %, green [\d.]+ %", chart.get_attribute("aria-label"))
    press("Escape")
    expect(chart).to_have_attribute("aria-label", re.compile(r"Weight\. blue 87\.5 %, green 12\.5 %"))
    unnamed = page.evaluate(
        """[...document.querySelectorAll("button, input, select, [role=img], [tabindex='0']")].filter((it) => it.checkVisibility() && !(
            it.textContent.trim() || it.getAttribute("aria-label") || it.labels?.length)).map((it) => it.outerHTML)""")
    assert unnamed == []


@pytest.mark.parametrize("width", [320, 390])
def test_it_fits_a_phone(stage, open_page, width):
    page = open_page(viewport={"width": width, "height": 740}, has_touch=True, is_mobile=True)
    expect(page.locator("#chart-rate .plot")).to_be_visible()
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wide)
    assert page.locator("#moves button").first.bounding_box()["height"] >= 36
    page.get_by_role("button", name="Roll back").tap()
    expect(page.locator("[data-preview=summary]")).to_be_visible()
    box = page.get_by_role("dialog").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    assert not page.evaluate(wide)


# The contrast of each text with the ground that it stands on, as WCAG 2 counts it.
CONTRASTS = """() => {
    const channel = (it) => (it /= 255) <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const parse = (color) => color.match(/[\\d.]+/g).map(Number);
    const ground = (it) => {
        for (; it; it = it.parentElement) {
            const color = parse(getComputedStyle(it).backgroundColor);
            if (color[3] !== 0) return color;
        }
        return [255, 255, 255];
    };
    const low = [];
    for (const it of document.querySelectorAll("body *")) {
        const own = [...it.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!own || !it.checkVisibility()) continue;
        const style = getComputedStyle(it);
        const [a, b] = [parse(it.closest("svg") ? style.fill : style.color), ground(it)].map(light).sort((x, y) => y - x);
        const contrast = (a + 0.05) / (b + 0.05);
        if (contrast < 4.5) low.push(`${it.textContent.trim().slice(0, 40)}: ${contrast.toFixed(2)}`);
    }
    return { low, ground: light(ground(document.body)) };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_legible(stage, open_page, scheme):
    page = open_page(color_scheme=scheme)
    expect(page.locator("#chart-rate .plot text").first).to_be_visible()
    preview(page, "Roll back")
    seen = page.evaluate(CONTRASTS)
    assert seen["low"] == []
    assert (seen["ground"] > 0.5) == (scheme == "light")


def test_an_envoy_that_is_gone_is_told(stage, open_page):
    gone = f"http://127.0.0.1:{stage.upstreams.ports['green']}"
    with Dashboard(stage, admins=[gone], name="two") as dashboard:
        page = open_page(dashboard.url)
        expect(page.get_by_role("heading", name="recommender")).to_be_visible()
        expect(page.get_by_role("alert").filter(has_text=gone)).to_be_visible()
        expect(page.locator("#envoys tbody tr")).to_have_count(2)
        expect(page.locator("#moves")).to_be_hidden()
        page.get_by_role("combobox", name="Envoy").select_option("0")
        expect(page.locator("#chart-weight [data-value=weight-green] b")).to_have_text("10 %")
        dashboard.end()
        expect(page.locator("#link")).to_contain_text("the dashboard does not answer")
