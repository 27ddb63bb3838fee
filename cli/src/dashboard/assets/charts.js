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
    limits: (view) => view.guard?.slow_after_ms ? [constant("slow after", view.guard.slow_after_ms)] : [],
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
    lines: COLORS.map((color) => ({
      id: `f1-${color}`, name: color, color,
      value: (point) => point.colors[color].f1?.[0],
      band: (point) => point.colors[color].f1?.slice(1) ?? [],
    })),
    limits: f1Limits,
    isThere: (view) => view.quality != null || COLORS.some((color) => view.colors[color].f1 != null),
  },
  {
    id: "rate", title: "Requests a second", show: number, lines: perColor("rate"),
  },
];

/** All charts of a rollout, in an element. */
export class Charts {
  constructor(element) {
    this.all = CHARTS.map((made) => ({ ...made, chart: new Chart(made) }));
    element.replaceChildren(...this.all.map(({ chart }) => chart.element));
  }

  draw({ view, points, events, from, to }) {
    const visible = points.filter((point) => point.at_ms >= from);
    for (const { chart, isThere, limits } of this.all) {
      chart.element.hidden = isThere ? !isThere(view) : false;
      if (!chart.element.hidden) chart.draw({ points: visible, limits: limits?.(view), events, from, to });
    }
  }
}
