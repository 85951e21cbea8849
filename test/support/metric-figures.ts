/** Figures of `GET /metrics` that have no labels, by name. */
export async function metricFigures(url: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = [...text.matchAll(/^(\w+) ([\d.eE+-]+)$/gm)];
  return new Map(lines.map(([, name = '', value]) => [name, Number(value)]));
}
