const KEY = 'l2m-token';

/**
 * The token of this page, if it has one. It may be given once as `#token=...`: what stands behind `#` never reaches a
 * server's log; it is taken out of the address at once and kept for as long as the tab lives.
 */
export function sessionToken(): string | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given !== null) {
    keepToken(given);
    history.replaceState(null, '', location.pathname + location.search);
    return given;
  }
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

export function keepToken(token: string): void {
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // Storage may be forbidden; the token then has to be given again after a reload.
  }
}

/** `fetch` relative to the page, with its token. */
export function fetchWithToken(path: string, init: RequestInit = {}): Promise<Response> {
  const token = sessionToken();
  return fetch(path, token === undefined ? init : { ...init, headers: { authorization: `Bearer ${token}` } });
}
