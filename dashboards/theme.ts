import { signal } from '@preact/signals';

export type Theme = 'light' | 'dark';

const KEY = 'l2m-theme';
const systemDark = matchMedia('(prefers-color-scheme: dark)');

/** The theme in force: what was chosen on this page, else what the system prefers. */
export const theme = signal<Theme>(chosen() ?? preferred());

export function startTheme(): void {
  apply(theme.value);
  systemDark.addEventListener('change', () => {
    if (chosen() === null) apply(preferred());
  });
}

export function toggleTheme(): void {
  const next = theme.value === 'dark' ? 'light' : 'dark';
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
  apply(next);
}

function apply(next: Theme): void {
  document.documentElement.dataset['theme'] = next;
  theme.value = next;
}

function chosen(): Theme | null {
  const asked = new URLSearchParams(location.search).get('theme') ?? stored();
  return asked === 'light' || asked === 'dark' ? asked : null;
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function preferred(): Theme {
  return systemDark.matches ? 'dark' : 'light';
}
