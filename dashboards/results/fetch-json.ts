import { fetchWithToken } from '../session-token.ts';

/** What the server sent. @throws Error with the server's own words if it refused */
export async function answered(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetchWithToken(path, init);
  if (response.ok) return response;
  const problem = (await response.json().catch(() => null)) as { message?: string } | null;
  throw new Error(problem?.message ?? `the server answered ${response.status}`);
}

/** A reply of the HTTP API. @throws Error with the server's own words */
export async function fetchJson<Reply>(path: string, init?: RequestInit): Promise<Reply> {
  return (await (await answered(path, init)).json()) as Reply;
}
