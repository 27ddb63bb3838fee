// Which charts there are: what each draws of a rollout, and which limits belong to it.

import { Chart } from "./chart.js";
import { ms, number, percent, weight } from "./format.js";

const COLORS = ["blue", "green"];

/** A line for each color, of one field of its points. */
const perColor = (field, more = {}) => COLORS.map((color) =>
  ({ id: `${field}-${color}`, name: color, color, value: (point) => point.colors[color][field], ...more }));

const constant = (name, value) => ({ name, value: () => value });

const causes = (view, unit, prefix) =>
  (view.guard?.causes ?? []).filter((cause) => cause.unit === unit && cause.cause.startsWith(prefix));

/** Limits of a rate: of the canary alone, and above the stable color at the same moment. */
const rateLimits = (prefix, field) => (view) => [
  ...causes(view, "percent", prefix).map((cause) => constant("limit", cause.limit)),
  ...causes(view, "points", prefix).map((cause) => ({
    name: `limit over ${view.stable}`,
    value: (point) => point.colors[view.stable][field] == null ? null : point.colors[view.stable][field] + cause.limit,
  })),
];

const f1Limits = (view) => (view.quality?.limits ?? [])
  .filter((limit) => limit.figure === "f1" && limit.floor_percent != null)
  .map((limit) => constant(limit.limit, limit.floor_percent));

const isStreamed = (view) => COLORS.some((color) => view.colors[color].chunks_per_second != null);

/** From when on an answer is slow: by its first token, or by its start. */
const slowAfter = (byToken) => (view) =>
  view.guard?.slow_after_ms && isStreamed(view) === byToken ? [constant("slow after", view.guard.slow_after_ms)] : [];

/** A line for each color, with an interval around it. */
const intervals = (id, figure) => COLORS.map((color) => ({
  id: `${id}-${color}`, name: color, color,
  value: (point) => figure(point.colors[color])?.[0],
  band: (point) => figure(point.colors[color])?.slice(1) ?? [],
}));

const CHARTS = [
  {
    id: "weight", title: "Weight", show: weight, least: 100, ceiling: 104, lines: perColor("weight"),
  },
  {
    id: "errors", title: "Errors", show: percent, lines: perColor("errors"), limits: rateLimits("error_rate", "errors"),
  },
  {
    id: "latency", title: "Response start", show: ms, least: 5, reach: 4,
    lines: [
      ...perColor("p99").map((line) => ({ ...line, name: `${line.name} p99` })),
      ...perColor("p50", { style: "thin" }).map((line) => ({ ...line, name: `${line.name} p50` })),
    ],
    limits: slowAfter(false),
  },
  {
    id: "first-token", title: "Time to first token", show: ms, least: 5, reach: 4,
    lines: [
      ...perColor("first_chunk_p95").map((line) => ({ ...line, name: `${line.name} p95` })),
      ...perColor("first_chunk_p50", { style: "thin" }).map((line) => ({ ...line, name: `${line.name} p50` })),
    ],
    limits: slowAfter(true),
    isThere: isStreamed,
  },
  {
    id: "tokens", title: "Tokens a second", show: number, lines: perColor("chunks"), isThere: isStreamed,
  },
  {
    id: "slow", title: "Slow responses", show: percent, lines: perColor("slow"), limits: rateLimits("slow_rate", "slow"),
    isThere: (view) => causes(view, "percent", "slow_").length + causes(view, "points", "slow_").length > 0,
  },
  {
    id: "evidence", title: "Evidence against the canary", show: percent, least: 100, ceiling: 108,
    lines: [
      { id: "errors-evidence", name: "errors", color: "red", value: (point) => point.errors_evidence },
      { id: "slow-evidence", name: "slow", color: "amber", style: "dashed", value: (point) => point.slow_evidence },
    ],
    limits: () => [constant("rolls back at", 100)],
    isThere: (view) => causes(view, "evidence", "").length > 0,
  },
  {
    id: "f1", title: "F1", show: percent, floor: null, ceiling: 100,
    lines: intervals("f1", (color) => color.f1),
    limits: f1Limits,
    isThere: (view) => view.quality?.scores.length === 0 || COLORS.some((color) => view.colors[color].f1 != null),
  },
  {
    id: "copies", title: "Copies a second", show: number,
    lines: [
      { id: "copies", name: "all", color: "amber", value: (point) => point.copies },
      { id: "failed-copies", name: "failed", color: "red", style: "dashed", value: (point) => point.failed_copies },
    ],
    isThere: (view) => view.shadow != null,
  },
  {
    id: "disagreement", title: "Disagreement", show: percent,
    lines: [{
      id: "disagreement", name: "of copied requests", color: "amber",
      value: (point) => point.disagreement?.[0], band: (point) => point.disagreement?.slice(1) ?? [],
    }],
    limits: (view) => view.shadow.max_disagreement_percent == null ? [] : [constant("limit", view.shadow.max_disagreement_percent)],
    isThere: (view) => view.shadow?.disagreement != null,
  },
  {
    id: "rate", title: "Requests a second", show: number, lines: perColor("rate"),
  },
];

/** The chart of a score. */
const score = (name) => ({
  id: `score-${name}`, title: `Score: ${name}`, show: number, floor: null, least: 0,
  lines: intervals(`score-${name}`, (color) => color.scores[name]),
  limits: (view) => (view.quality?.scores ?? []).filter((limit) => limit.score === name && limit.bound != null)
    .map((limit) => constant(limit.limit, limit.bound)),
  isThere: (view) => COLORS.some((color) => view.colors[color].scores[name] != null),
});

/** All charts of a rollout, in an element. */
export class Charts {
  constructor(element) {
    this.element = element;
    this.all = [];
    this.scores = new Set();
    CHARTS.forEach((made) => this.#add(made));
  }

  #add(made) {
    const chart = new Chart(made);
    this.all.push({ ...made, chart });
    this.element.append(chart.element);
  }

  draw({ view, points, events, from, to }) {
    for (const name of COLORS.flatMap((color) => Object.keys(view.colors[color].scores))) {
      if (!this.scores.has(name)) this.#add(score(name));
      this.scores.add(name);
    }
    const visible = points.filter((point) => point.at_ms >= from);
    for (const { chart, isThere, limits } of this.all) {
      chart.element.hidden = isThere ? !isThere(view) : false;
      if (!chart.element.hidden) chart.draw({ points: visible, limits: limits?.(view), events, from, to });
    }
  }
}
