// The page: takes the token, asks once a second how the rollouts do, and shows it.

import { forgetToken, get, keepToken, takeToken } from "./api.js";
import { Charts } from "./charts.js";
import { byId, setText, whenChanged } from "./dom.js";
import { clock } from "./format.js";
import { showEnvoys, showEvents, showNames } from "./lists.js";
import { showMoves } from "./moves.js";
import { showRollout } from "./rollout.js";

const EVERY_MS = 1_000;
const MOST_MS = 30 * 60_000;
const SAID_MS = 20_000;

const page = { chosen: null, envoy: "all", points: [], last: null, charts: null, timer: null, round: 0 };

function start() {
  const token = takeToken();
  byId("token-form").hidden = false;
  byId("gate").hidden = token != null;
  byId("app").hidden = token == null;
  page.chosen = /^#rollout=([a-z0-9_-]+)$/.exec(location.hash)?.[1] ?? page.chosen;
  restart();
}

/** Begins anew: another rollout, or another Envoy. */
function restart() {
  page.points = [];
  tick();
}

async function tick() {
  const round = ++page.round;
  clearTimeout(page.timer);
  if (byId("app").hidden) return;
  const query = new URLSearchParams({ envoy: page.envoy, since: page.points.at(-1)?.at_ms ?? 0 });
  if (page.chosen) query.set("rollout", page.chosen);
  try {
    const answer = await get(`/api/live?${query}`);
    if (round !== page.round) return;
    page.last = answer;
    show(answer);
    connected(true, `updated ${clock(answer.at_ms)}`);
  } catch (failed) {
    if (round !== page.round) return;
    if (failed.status === 401) return lock();
    connected(false, failed.message);
  }
  page.timer = setTimeout(tick, EVERY_MS);
}

/** The token is not that of this dashboard, which makes a new one at each start. */
function lock() {
  forgetToken();
  byId("gate").hidden = false;
  byId("app").hidden = true;
  byId("gate-error").textContent = "This is not the token of this dashboard. Each start of it makes a new one.";
}

function connected(isUp, text) {
  setText(byId("link"), isUp ? `● ${text}` : `✖ ${text}`);
  byId("link").className = isUp ? "link ok" : "link error";
  byId("app").classList.toggle("stale", !isUp);
}

function show(answer) {
  page.chosen = answer.rollout;
  const views = answer.views;
  const index = page.envoy === "all" ? views.findIndex((view) => view != null) : Number(page.envoy);
  const view = views[index];
  page.points.push(...answer.points);
  page.points = page.points.filter((point) => point.at_ms >= answer.at_ms - MOST_MS);

  const events = answer.events.filter((event) => event.rollout == null || event.rollout === answer.rollout);
  whenChanged(byId("rollouts"), { rollouts: answer.rollouts, chosen: answer.rollout }, showNames);
  whenChanged(byId("events"), { events, many: answer.envoys.length > 1 }, showEvents);
  whenChanged(byId("envoys"), { envoys: answer.envoys, views: views.map(brief) }, showEnvoys);
  whenChanged(byId("envoy-choice"), answer.envoys.map((envoy) => envoy.admin), showChoice);
  banner(answer);

  byId("rollout").hidden = view == null;
  byId("none").hidden = view != null;
  setText(byId("none"), answer.envoys.some((envoy) => envoy.link === "up")
    ? "No rollout is in force here." : "No Envoy answers yet.");
  document.title = view ? `${view.symbol} ${view.name}: ${view.status} – bluegreen` : "bluegreen";
  if (view == null) return;
  showRollout(view, answer.envoys[index]);
  byId("moves").hidden = answer.file == null;
  // The first minutes fill the width.
  const first = Math.min(page.points[0]?.at_ms ?? answer.at_ms, answer.at_ms - 60_000);
  const from = Math.max(answer.at_ms - Number(byId("window").value) * 60_000, first);
  page.charts.draw({ view, points: page.points, events, from, to: answer.at_ms });
}

/** What the table of Envoys shows of a rollout. */
const brief = (view) => view && {
  symbol: view.symbol, status: view.status, step: view.step, steps: view.steps,
  colors: { green: { weight_percent: view.colors.green.weight_percent } },
};

function showChoice(element, admins) {
  element.hidden = admins.length < 2;
  const option = (value, text) => Object.assign(document.createElement("option"), { value, textContent: text });
  byId("envoy").replaceChildren(option("all", "all"), ...admins.map((admin, index) => option(String(index), admin)));
  byId("envoy").value = page.envoy;
}

function banner({ envoys, differ }) {
  const lost = envoys.filter((envoy) => envoy.link === "lost").map((envoy) => `✖ ${envoy.admin}: ${envoy.why}.`);
  if (differ) lost.push("✖ The Envoys have different configurations in force.");
  byId("banner").hidden = lost.length === 0;
  setText(byId("banner"), lost.join(" "));
}

function say(text, level) {
  byId("said").className = `said ${level}`;
  setText(byId("said"), text);
  clearTimeout(page.silence);
  page.silence = setTimeout(() => setText(byId("said"), ""), SAID_MS);
  tick();
}

page.charts = new Charts(byId("charts"));
showMoves(byId("moves"), { current: () => page.last.views.find((view) => view != null), say });
byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(byId("token").value.trim());
  byId("token").value = "";
  byId("gate-error").textContent = "";
  start();
});
byId("envoy").addEventListener("change", (event) => {
  page.envoy = event.target.value;
  restart();
});
byId("window").addEventListener("change", () => page.last && show({ ...page.last, points: [] }));
addEventListener("resize", () => page.last && show({ ...page.last, points: [] }));
addEventListener("hashchange", start);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(page.timer);
  else tick();
});
start();
