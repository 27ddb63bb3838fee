// What concerns more than one rollout: the list of rollouts, events, and Envoys.

import { h } from "./dom.js";
import { clock, weight } from "./format.js";
import { LEVELS } from "./rollout.js";

export function showNames(element, { rollouts, chosen }) {
  element.hidden = rollouts.length < 2;
  const focused = document.activeElement?.closest?.("#rollouts a")?.dataset.name;
  element.replaceChildren(h("ul", {}, ...rollouts.map(({ name, status, symbol, green_percent: green }) =>
    h("li", {}, h("a", { href: `#rollout=${name}`, "data-name": name, "aria-current": name === chosen ? "page" : false },
      h("span", { class: `symbol ${LEVELS[status]}`, "aria-hidden": "true" }, symbol),
      h("span", { class: "name" }, name),
      h("small", {}, `${status}, green ${weight(green)}`))))));
  if (focused) element.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
}

export function showEvents(element, { events, many }) {
  if (!events.length) {
    element.replaceChildren(h("li", { class: "quiet" }, "Nothing has happened since the dashboard was started."));
    return;
  }
  element.replaceChildren(...[...events].reverse().map((event) =>
    h("li", { class: event.severity },
      h("time", { datetime: new Date(event.at_ms).toISOString() }, clock(event.at_ms)),
      h("span", {}, event.rollout ? `${event.rollout}: ${event.text}` : event.text,
        many ? h("small", {}, ` ${event.envoys.join(", ")}`) : null))));
}

export function showEnvoys(element, { envoys, views }) {
  const titles = ["Envoy", "state", "configuration", "rejected", "status", "green", "step"];
  element.replaceChildren(
    h("thead", {}, h("tr", {}, ...titles.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, ...envoys.map((envoy, index) => {
      const view = views[index];
      const link = { up: "✔ answers", lost: `✖ ${envoy.why}`, unknown: "not asked yet" }[envoy.link];
      const config = envoy.fingerprint == null
        ? (envoy.link === "up" ? "✖ without the filter" : "–")
        : `${envoy.differs ? "✖ differs: " : ""}${envoy.version ? `version ${envoy.version}, ` : ""}${envoy.fingerprint}`;
      return h("tr", { class: envoy.link === "lost" ? "lost" : "" },
        h("th", { scope: "row" }, envoy.admin),
        h("td", { class: envoy.link === "lost" ? "error" : "" }, link),
        h("td", { class: envoy.differs ? "error" : "" }, config),
        h("td", {}, String(envoy.rejected)),
        h("td", {}, view ? `${view.symbol} ${view.status}` : "–"),
        h("td", {}, view ? weight(view.colors.green.weight_percent) : "–"),
        h("td", {}, view?.steps ? `${view.step == null ? 0 : view.step + 1} of ${view.steps}` : "–"));
    })));
}
