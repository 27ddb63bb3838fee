// The operator's moves: a button each, and a dialog that shows what a move will change before it is confirmed.

import { post } from "./api.js";
import { byId, h } from "./dom.js";
import { percent, weight } from "./format.js";

const MOVES = [
  { move: "shift", name: "Shift", what: "Sets the weight of green." },
  { move: "promote", name: "Promote", what: "Leaves the step at which the ramp waits." },
  { move: "promote_full", name: "Promote fully", what: "Gives the canary everything, and takes the ramp out." },
  { move: "pause", name: "Pause", what: "Keeps the weight in force until it is resumed." },
  { move: "resume", name: "Resume", what: "Lets a paused ramp go on." },
  { move: "swap", name: "Swap", what: "Makes the canary the stable color. Nobody moves." },
  { move: "undo", name: "Undo", what: "Goes back to the version of the file before the last move." },
  { move: "rollback", name: "Roll back", what: "Gives the stable color everything, and takes the ramp out.", isGrave: true },
];

/** The buttons; `current` gives the rollout that is looked at, `say` tells how it went. */
export function showMoves(element, { current, say }) {
  element.replaceChildren(...MOVES.map((made) =>
    h("button", {
      type: "button", id: `move-${made.move}`, class: made.isGrave ? "grave" : false, title: made.what,
      click: () => new Confirmation(made, current(), say).open(),
    }, made.name)));
}

class Confirmation {
  constructor(made, view, say) {
    Object.assign(this, { made, view, say, asked: 0 });
    this.dialog = byId("dialog");
    this.outcome = h("div", { class: "outcome", "aria-live": "polite" }, h("p", {}, "Looking what it changes …"));
    this.error = h("p", { class: "error", role: "alert" });
    this.confirm = h("button", { type: "submit", class: `confirm${made.isGrave ? " grave" : ""}`, disabled: true }, made.name);
    this.cancel = h("button", { type: "button", class: "cancel", click: () => this.dialog.close() }, "Cancel");
    const where = made.move === "undo" ? "" : `: ${view.name}`;
    this.dialog.replaceChildren(h("form", { method: "dialog", submit: (event) => this.#submit(event) },
      h("h2", { id: "dialog-title" }, `${made.name}${where}`),
      h("p", { class: "what" }, made.what),
      ...this.#inputs(), this.outcome, this.error,
      h("div", { class: "buttons" }, this.cancel, this.confirm)));
  }

  open() {
    this.dialog.showModal();
    (this.green ?? this.cancel).focus();
    this.green?.select();
    this.#preview();
  }

  #inputs() {
    if (this.made.move !== "shift") return [];
    const green = String(this.view.colors.green.weight_percent);
    const changed = () => {
      this.confirm.disabled = true;
      clearTimeout(this.soon);
      this.soon = setTimeout(() => this.#preview(), 150);
    };
    this.slider = h("input", {
      type: "range", min: "0", max: "100", step: "1", value: green, "aria-label": "Percent of green, whole numbers",
      input: () => { this.green.value = this.slider.value; changed(); },
    });
    this.green = h("input", {
      id: "green-percent", type: "text", inputmode: "decimal", autocomplete: "off", value: green, required: true,
      input: () => { this.slider.value = this.green.value; changed(); },
    });
    const parts = [h("div", { class: "field" },
      h("label", { for: "green-percent" }, "Percent of green"), this.green, this.slider)];
    if (this.view.steps) {
      this.endRamp = h("input", { id: "end-ramp", type: "checkbox", change: changed });
      parts.push(h("div", { class: "field" }, this.endRamp,
        h("label", { for: "end-ramp" }, "Take the ramp out, which decides the weight")));
    }
    return parts;
  }

  #wanted() {
    const wanted = { move: this.made.move };
    if (this.made.move !== "undo") wanted.rollout = this.view.name;
    if (this.green) Object.assign(wanted, { green: this.green.value.trim(), end_ramp: this.endRamp?.checked ?? false });
    return wanted;
  }

  /** Shows what the move would change. Of several previews under way the last asked for counts. */
  async #preview(message = "") {
    const asked = ++this.asked;
    this.confirm.disabled = true;
    this.shown = null;
    try {
      const preview = await post("/api/preview", this.#wanted());
      if (asked !== this.asked) return;
      this.error.textContent = message;
      this.outcome.replaceChildren(...outcome(preview));
      this.shown = { ...this.#wanted(), digest: preview.digest };
      this.confirm.disabled = !preview.changed;
    } catch (failed) {
      if (asked !== this.asked) return;
      this.outcome.replaceChildren();
      this.error.textContent = failed.message;
    }
  }

  async #submit(event) {
    event.preventDefault();
    if (this.confirm.disabled) return;
    this.confirm.disabled = true;
    this.error.textContent = "";
    this.confirm.textContent = "Writing …";
    try {
      const made = await post("/api/move", this.shown);
      this.dialog.close();
      this.say(told(made), made.envoys.some((envoy) => envoy.why != null) ? "warning" : "ok");
    } catch (failed) {
      this.confirm.textContent = this.made.name;
      if (failed.isStale) await this.#preview(failed.message);
      else this.error.textContent = failed.message;
    }
  }
}

/** How a move went. */
function told(made) {
  const taken = made.envoys.filter((envoy) => envoy.why == null).length;
  const parts = [`${made.text.trim()}.`];
  if (made.envoys.length) parts.push(`In force in ${taken} of ${made.envoys.length} Envoys.`);
  else parts.push("Written; no Envoy answers that could take it up.");
  return [...parts, ...made.envoys.flatMap((envoy) => envoy.why ?? [])].join(" ");
}

/** What a move changes: in a sentence, by users, and in the file. */
function outcome(preview) {
  const parts = [h("p", { class: "summary", "data-preview": "summary" }, preview.text.trim())];
  if (preview.before && preview.after) {
    parts.push(h("table", { class: "moved" }, h("tbody", {},
      ...["blue", "green"].map((color) => h("tr", {},
        h("th", { scope: "row", class: color }, color),
        h("td", {}, `${weight(preview.before[color])} → ${weight(preview.after[color])}`))),
      h("tr", {}, h("th", { scope: "row" }, "users that move"), h("td", { "data-preview": "moved" }, moved(preview))))));
  }
  if (preview.diff) parts.push(diff(preview.diff));
  return parts;
}

function moved({ blue_to_green_percent: toGreen, green_to_blue_percent: toBlue }) {
  const parts = [];
  if (toGreen > 0) parts.push(`${percent(toGreen)} from blue to green`);
  if (toBlue > 0) parts.push(`${percent(toBlue)} from green to blue`);
  return parts.join(", ") || "none";
}

/** A unified diff, its lines marked by sign and color. */
function diff(text) {
  const kind = (line) => /^(---|\+\+\+|@@)/.test(line) ? "where" : { "+": "added", "-": "removed" }[line[0]];
  return h("pre", { class: "diff", tabindex: "0", "aria-label": "Changes of the file" },
    ...text.replace(/\n$/, "").split("\n").map((line) => h("span", { class: kind(line) ?? false }, `${line}\n`)));
}
