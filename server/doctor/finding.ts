/**
 * One thing the doctor looked at. `missing`: l2m cannot do its main job without it. `warning`: it works, though slower or
 * with a part left out; `fix` says what to do in one line.
 */
export type Finding =
  | { readonly state: 'good'; readonly name: string; readonly detail: string }
  | { readonly state: 'warning' | 'missing'; readonly name: string; readonly detail: string; readonly fix: string };

export function good(name: string, detail: string): Finding {
  return { state: 'good', name, detail };
}

export function warning(name: string, detail: string, fix: string): Finding {
  return { state: 'warning', name, detail, fix };
}

export function missing(name: string, detail: string, fix: string): Finding {
  return { state: 'missing', name, detail, fix };
}
