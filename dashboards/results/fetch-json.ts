import { fetchWithToken } from '../session-token.ts';

/** A reply of the HTTP API. @throws Error with the server's own words */
export async function fetchJson<Reply>(path: string): Promise<Reply> {
  const response = await fetchWithToken(path);
  if (response.ok) return (await response.json()) as Reply;
  const problem = (await response.json().catch(() => null)) as { message?: string } | null;
  throw new Error(problem?.message ?? `the server answered ${response.status}`);
}
