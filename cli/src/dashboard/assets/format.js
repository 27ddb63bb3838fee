// Figures as people read them.

const trimmed = (number, digits) => String(Number(number.toFixed(digits)));

/** A number to about three digits that count. */
export function number(value) {
  if (value == null) return "–";
  const size = Math.abs(value);
  return trimmed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** A weight, exact to its thousandth. */
export const weight = (value) => (value == null ? "–" : `${trimmed(value, 3)} %`);

export const percent = (value) => (value == null ? "–" : `${number(value)} %`);

export const ms = (value) => (value == null ? "–" : value >= 10_000 ? `${number(value / 1000)} s` : `${number(value)} ms`);

export const count = (value) => (value == null ? "–" : value.toLocaleString("en"));

/** The time of day. */
export function clock(atMs, withSeconds = true) {
  const time = new Date(atMs);
  const two = (part) => String(part).padStart(2, "0");
  const minutes = `${two(time.getHours())}:${two(time.getMinutes())}`;
  return withSeconds ? `${minutes}:${two(time.getSeconds())}` : minutes;
}

/** A duration by its two largest units. */
export function duration(inMs) {
  let seconds = Math.round(inMs / 1000);
  const parts = [];
  for (const [unit, size] of [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]]) {
    if (seconds >= size && parts.length < 2) {
      parts.push(`${Math.floor(seconds / size)} ${unit}`);
      seconds %= size;
    }
  }
  return parts.join(" ") || "0 s";
}
