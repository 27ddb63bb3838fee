// What the page asks the program. The token comes with the address, leaves it at once, and is kept for this tab alone.

const KEPT = "bluegreen-token";

export class Failed extends Error {
  constructor(message, status, answer = {}) {
    super(message);
    this.status = status;
    this.isStale = answer.stale === true;
  }
}

/** The token of the address or of this tab; null where there is none. */
export function takeToken() {
  const given = /^#token=([0-9A-Za-z]+)$/.exec(location.hash);
  if (given) {
    sessionStorage.setItem(KEPT, given[1]);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEPT);
}

export const keepToken = (token) => sessionStorage.setItem(KEPT, token);

export const forgetToken = () => sessionStorage.removeItem(KEPT);

export const get = (path) => ask(path, {});

export const post = (path, body) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

async function ask(path, options) {
  const headers = { ...options.headers, authorization: `Bearer ${sessionStorage.getItem(KEPT) ?? ""}` };
  let response;
  try {
    const patience = AbortSignal.timeout(options.method ? 60_000 : 10_000);
    response = await fetch(path, { ...options, headers, credentials: "omit", signal: patience });
  } catch {
    throw new Failed("the dashboard does not answer: has it been ended?", 0);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Failed(answer.error ?? `${response.status} ${response.statusText}`, response.status, answer);
  return answer;
}
