// The rollout that is looked at: how it does, color by color, and how near it is to its limits.

import { byId, h, setText, whenChanged } from "./dom.js";
import { count, duration, ms, number, percent, weight } from "./format.js";

export const LEVELS = {
  "rolled back": "error", paused: "warning", waiting: "warning", "too few requests": "quiet", ramping: "info", healthy: "ok",
};

/** Shows a rollout as one Envoy has it. */
export function showRollout(view, envoy) {
  setText(byId("name"), view.name);
  setText(byId("status"), `${view.symbol} ${view.status}${view.cause ? `: ${view.cause}` : ""}`);
  byId("status").className = `badge ${LEVELS[view.status] ?? "info"}`;
  setText(byId("facts"), facts(view, envoy).join(" · "));
  for (const color of ["blue", "green"]) whenChanged(byId(color), [view.colors[color], view.stable, color], showColor);
  const figures = view.colors[view.canary];
  whenChanged(byId("limits"), [view.guard, view.quality, view.canary, figures], showLimits);
}

function facts(view, envoy) {
  const all = [`${view.stable} is stable`];
  if (view.steps) all.push(view.step == null ? `${view.steps} steps to come` : `step ${view.step + 1} of ${view.steps}`);
  if (view.waits_for.length) all.push(`waits for ${view.waits_for.join(", ")}`);
  if (view.next) all.push(next(view.next));
  if (envoy.version) all.push(`version ${envoy.version}`);
  all.push(`fingerprint ${envoy.fingerprint}`);
  return all;
}

function next(step) {
  const parts = [`next ${weight(step.weight_percent)}`];
  if (step.earliest_in_ms > 0) parts.push(`in ${duration(step.earliest_in_ms)}`);
  if (step.min_requests) parts.push(`after ${count(step.requests_seen)} of ${count(step.min_requests)} requests`);
  return parts.join(" ");
}

function showColor(element, [color, stable, name]) {
  const role = name === stable ? "stable" : "canary";
  const release = color.release ? `, release ${color.release}` : "";
  const figure = (label, id, value) => [h("dt", {}, label), h("dd", { "data-figure": id }, value)];
  const interval = (it) => (it ? `${number(it.percent)} % (${number(it.low_percent)} to ${number(it.high_percent)})` : "–");
  element.replaceChildren(
    h("h2", { id: `${name}-name` }, name, h("small", {}, ` ${role}${release}`)),
    h("p", { class: "weight", "data-figure": "weight" }, weight(color.weight_percent)),
    h("dl", {},
      figure("actual share", "share", percent(color.share_percent)),
      figure("requests a second", "rate", number(color.requests_per_second)),
      figure("errors", "errors", percent(color.error_percent)),
      figure("response start, median", "p50", ms(color.p50_ms)),
      figure("response start, p99", "p99", ms(color.p99_ms)),
      figure("in flight", "in-flight", count(color.in_flight)),
      color.first_chunk_p50_ms == null ? [] : [
        ...figure("first token, median", "first-token-p50", ms(color.first_chunk_p50_ms)),
        ...figure("first token, p95", "first-token-p95", ms(color.first_chunk_p95_ms)),
      ],
      color.chunks_per_second == null ? [] : figure("tokens a second", "tokens", number(color.chunks_per_second)),
      color.f1 || color.samples ? [
        ...figure("F1", "f1", interval(color.f1)),
        ...figure("samples", "samples", count(color.samples)),
      ] : [],
      ...Object.entries(color.scores).map(([name, it]) => figure(`${name}, of ${count(it.samples)}`, `score-${name}`,
        `${number(it.mean)} (${number(it.low)} to ${number(it.high)})`))));
}

function showLimits(element, [guard, quality, canary, figures]) {
  const causes = (guard?.causes ?? []).map((cause) => {
    const unit = { percent: " %", points: " points", evidence: " %" }[cause.unit];
    const value = cause.value == null ? "–" : number(cause.value) + unit;
    return row(cause.cause, value, `at most ${number(cause.limit)}${unit}`, (cause.value ?? 0) / cause.limit,
      cause.is_enough ? "" : "too few requests");
  });
  const gate = (quality?.limits ?? []).map((limit) =>
    row(limit.limit, percent(figures[limit.figure]?.percent),
      limit.floor_percent == null ? "no figure yet" : `at least ${percent(limit.floor_percent)}`, null, limit.verdict));
  const scores = (quality?.scores ?? []).map((limit) =>
    row(`${limit.score} ${limit.limit}`, number(figures.scores[limit.score]?.mean),
      limit.bound == null ? "no figure yet" : `${limit.side} ${number(limit.bound)}`, null, limit.verdict));
  const table = (id, title, rows) => rows.length ? [
    h("section", { "aria-labelledby": id },
      h("h2", { id }, title),
      h("div", { class: "scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, ...["limit", `of ${canary}`, "allowed", ""].map((text) => h("th", { scope: "col" }, text)))),
        h("tbody", {}, ...rows)))),
  ] : [];
  element.replaceChildren(
    ...table("guard-title", `Guard: ${guard?.state}`, causes),
    ...table("quality-title", "Quality gate", [...gate, ...scores]));
}

/** A limit: how much of it is used up as a bar, where that can be said. */
function row(name, value, allowed, used, note) {
  const meter = used == null ? null : h("meter", {
    min: "0", max: "1", low: "0.5", high: "0.8", optimum: "0", value: Math.min(Math.max(used, 0), 1).toFixed(3), "aria-label": `${name}: share of the limit`,
  });
  return h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value), h("td", {}, allowed),
    h("td", {}, ...(meter ? [meter] : []), note ? h("small", {}, ` ${note}`) : null));
}
