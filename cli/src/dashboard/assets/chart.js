// One chart: lines over time in SVG, with limits as dashed lines and events as marks. A pointer or the arrow keys read
// the values of a moment.

import { h, svg } from "./dom.js";
import { clock } from "./format.js";

const HEIGHT = 170;
const LEFT = 44;
const RIGHT = 10;
const TOP = 14;
const BOTTOM = 20;
// Longer without a point is a gap.
const GAP_MS = 5_000;

export class Chart {
  /**
   * `show` writes a value; `lines` are { id, name, color, value(point), band(point), style }. A limit more than `reach` times
   * as high as all lines is named at the upper edge, and does not flatten them.
   */
  constructor({ id, title, show, lines, floor = 0, least = 1, ceiling = Infinity, reach = Infinity }) {
    Object.assign(this, { id, title, show, lines, floor, least, ceiling, reach });
    this.cursor = null;
    this.caption = h("p", { class: "values" });
    this.plot = svg("svg", { class: "plot", height: HEIGHT, role: "img", tabindex: "0" });
    this.plot.addEventListener("pointermove", (event) => this.#point(event.offsetX));
    this.plot.addEventListener("pointerleave", () => this.#read(null));
    this.plot.addEventListener("blur", () => this.#read(null));
    this.plot.addEventListener("keydown", (event) => this.#key(event));
    const titleId = `chart-${id}-title`;
    this.element = h(
      "figure", { class: "chart", id: `chart-${id}`, "aria-labelledby": titleId },
      h("figcaption", {}, h("h3", { id: titleId }, title), this.caption), this.plot);
  }

  /** Draws anew: points, { name, value(point) } of limits, and events, of the time from `from` to `to`. */
  draw({ points, limits = [], events = [], from, to }) {
    Object.assign(this, { points, limits, events, from, to });
    this.width = Math.max(this.plot.clientWidth, 200);
    this.#scale();
    this.plot.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    this.cursorMark = svg("g", { class: "cursor" });
    this.plot.replaceChildren(
      ...this.#grid(), ...this.#marks(), ...this.lines.map((line) => this.#band(line)),
      ...limits.map((limit) => this.#limit(limit)), ...this.lines.map((line) => this.#line(line)), this.cursorMark);
    this.#caption();
  }

  #scale() {
    const values = [];
    for (const point of this.points) {
      for (const line of this.lines) values.push(line.value(point), ...(line.band?.(point) ?? []));
    }
    const most = Math.max(this.least, ...values.filter((value) => value != null)) * this.reach;
    for (const point of this.points) {
      values.push(...this.limits.map((limit) => limit.value(point)).filter((value) => value <= most));
    }
    const known = values.filter((value) => value != null);
    const low = this.floor ?? Math.min(...known.length ? known : [0]);
    const high = Math.max(this.least, ...known);
    const room = (high - low || 1) * 0.08;
    this.low = this.floor ?? Math.max(0, low - room);
    this.high = Math.min(this.ceiling, high + room);
  }

  #x(atMs) {
    return LEFT + ((atMs - this.from) / (this.to - this.from)) * (this.width - LEFT - RIGHT);
  }

  #y(value) {
    const part = (value - this.low) / (this.high - this.low || 1);
    return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM);
  }

  #grid() {
    const parts = [];
    for (const value of ticks(this.low, this.high)) {
      const y = this.#y(value);
      parts.push(
        svg("line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }),
        svg("text", { class: "tick", x: LEFT - 6, y: y + 3.5, "text-anchor": "end" }, this.show(value)));
    }
    const steps = this.width < 480 ? 2 : 4;
    for (let i = 0; i <= steps; i++) {
      const at = this.from + ((this.to - this.from) * i) / steps;
      const anchor = i === 0 ? "start" : i === steps ? "end" : "middle";
      parts.push(svg("text", { class: "tick", x: this.#x(at), y: HEIGHT - 5, "text-anchor": anchor },
        clock(at, this.to - this.from < 600_000)));
    }
    return parts;
  }

  #marks() {
    return this.events.filter((event) => event.at_ms >= this.from).map((event) => {
      const x = this.#x(event.at_ms);
      return svg("g", { class: `mark ${event.severity}` },
        svg("title", {}, `${clock(event.at_ms)} ${event.text}`),
        svg("line", { x1: x, x2: x, y1: TOP - 4, y2: HEIGHT - BOTTOM }),
        svg("path", { d: `M${x - 4} ${TOP - 10}h8l-4 7z` }));
    });
  }

  #segments(value) {
    const segments = [];
    let last = null;
    for (const point of this.points) {
      if (value(point) == null) {
        last = null;
        continue;
      }
      if (last == null || point.at_ms - last > GAP_MS) segments.push([]);
      segments.at(-1).push(point);
      last = point.at_ms;
    }
    return segments;
  }

  #path(points, value) {
    return points.map((point) => `${this.#x(point.at_ms).toFixed(1)} ${this.#y(value(point)).toFixed(1)}`).join("L");
  }

  #line({ id, color, value, style = "" }) {
    const d = this.#segments(value).map((points) => `M${this.#path(points, value)}h0.01`).join("");
    return svg("path", { class: `line ${color} ${style}`, "data-line": id, d });
  }

  #band({ color, value, band }) {
    if (!band) return svg("g");
    const d = this.#segments(value).map((points) => {
      const upper = this.#path(points, (point) => band(point)[1]);
      const lower = this.#path([...points].reverse(), (point) => band(point)[0]);
      return `M${upper}L${lower}Z`;
    }).join("");
    return svg("path", { class: `band ${color}`, d });
  }

  #limit({ name, value }) {
    const last = this.points.findLast((point) => value(point) != null);
    if (!last) return svg("g");
    const isBeyond = value(last) > this.high;
    const y = isBeyond ? TOP : this.#y(value(last));
    const d = isBeyond ? "" : this.#segments(value).map((points) => `M${this.#path(points, value)}h0.01`).join("");
    const label = `${name} ${this.show(value(last))}${isBeyond ? " ↑" : ""}`;
    return svg("g", { class: "limit" }, svg("title", {}, label), svg("path", { d }),
      svg("text", { class: "limit-name", x: LEFT + 4, y: y < TOP + 14 ? y + 12 : y - 4 }, label));
  }

  #point(x) {
    if (!this.points?.length) return;
    const at = this.from + ((x - LEFT) / (this.width - LEFT - RIGHT)) * (this.to - this.from);
    const distance = (point) => Math.abs(point.at_ms - at);
    this.#read(this.points.reduce((best, point) => (distance(point) < distance(best) ? point : best)).at_ms);
  }

  #key(event) {
    if (!this.points?.length) return;
    const last = this.points.length - 1;
    const present = this.cursor == null ? -1 : this.points.findIndex((point) => point.at_ms >= this.cursor);
    const from = present < 0 ? last : present;
    const step = event.shiftKey ? 10 : 1;
    const to = { ArrowLeft: from - step, ArrowRight: from + step, Home: 0, End: last }[event.key];
    if (event.key === "Escape") this.#read(null);
    if (to == null) return;
    event.preventDefault();
    this.#read(this.points[Math.min(Math.max(to, 0), last)].at_ms);
  }

  #read(atMs) {
    this.cursor = atMs;
    if (this.points) this.#caption();
  }

  /** The values of the cursor's moment, or the last ones: to see and to hear. */
  #caption() {
    const chosen = this.cursor == null ? undefined : this.points.find((point) => point.at_ms >= this.cursor);
    const point = chosen ?? this.points.at(-1);
    const values = this.lines.map((line) => ({ ...line, text: this.show(point && line.value(point)) }));
    const when = chosen ? `${clock(chosen.at_ms)}: ` : "";
    this.caption.replaceChildren(
      ...(chosen ? [h("span", { class: "when" }, clock(chosen.at_ms))] : []),
      ...values.map(({ id, name, color, style, text }) =>
        h("span", { class: `value ${color} ${style ?? ""}`, "data-value": id }, `${name} `, h("b", {}, text))));
    const limits = point ? this.limits.filter((limit) => limit.value(point) != null) : [];
    const told = [...values.map(({ name, text }) => `${name} ${text}`),
      ...limits.map((limit) => `limit ${limit.name} ${this.show(limit.value(point))}`)];
    this.plot.setAttribute("aria-label", `${this.title}. ${when}${told.join(", ")}. Arrow keys read earlier values.`);
    this.cursorMark.replaceChildren();
    if (!chosen) return;
    const x = this.#x(chosen.at_ms);
    this.cursorMark.append(svg("line", { x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }));
    for (const { color, value } of this.lines) {
      if (value(chosen) != null) {
        this.cursorMark.append(svg("circle", { class: color, cx: x, cy: this.#y(value(chosen)), r: 3.5 }));
      }
    }
  }
}

/** Three to six round values between two. */
export function ticks(low, high) {
  const raw = (high - low) / 4;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = size * ([1, 2, 5, 10].find((factor) => factor * size >= raw) ?? 10);
  const values = [];
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9; i++) values.push(Number((i * step).toPrecision(12)));
  return values;
}
