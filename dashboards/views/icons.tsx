import type { ComponentChildren } from 'preact';

function Icon({ children }: { readonly children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const PauseIcon = () => (
  <Icon>
    <path d="M4.5 3h2.2v10H4.5zM9.3 3h2.2v10H9.3z" fill="currentColor" />
  </Icon>
);

export const PlayIcon = () => (
  <Icon>
    <path d="M4.8 3v10l8-5z" fill="currentColor" />
  </Icon>
);

export const StopIcon = () => (
  <Icon>
    <rect x="4" y="4" width="8" height="8" rx="1" fill="currentColor" />
  </Icon>
);

export const StepBackIcon = () => (
  <Icon>
    <path d="M11.5 3.5v9L5.8 8zM3.6 3.5h1.8v9H3.6z" fill="currentColor" />
  </Icon>
);

export const StepForwardIcon = () => (
  <Icon>
    <path d="M4.5 3.5v9L10.2 8zM10.6 3.5h1.8v9h-1.8z" fill="currentColor" />
  </Icon>
);

export const LoopIcon = () => (
  <Icon>
    <path
      d="M3 8a4.6 4.6 0 0 1 8-3M13 8a4.6 4.6 0 0 1-8 3M11.2 2.2V5H8.4M4.8 13.8V11h2.8"
      fill="none"
      stroke="currentColor"
      stroke-width="1.4"
    />
  </Icon>
);

export const SunIcon = () => (
  <Icon>
    <g fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round">
      <circle cx="8" cy="8" r="2.8" />
      <path d="M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9" />
    </g>
  </Icon>
);

export const MoonIcon = () => (
  <Icon>
    <path d="M13 9.7A5.4 5.4 0 0 1 6.3 3 5.4 5.4 0 1 0 13 9.7z" fill="currentColor" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="M3.2 8.6l3 3 6.6-7" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
  </Icon>
);

export const CrossIcon = () => (
  <Icon>
    <path d="M4 4l8 8M12 4l-8 8" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
  </Icon>
);

export const WarningIcon = () => (
  <Icon>
    <path d="M8 2.2l6.3 11.3H1.7z" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round" />
    <path d="M8 6.4v3.3M8 11.4v.4" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" />
  </Icon>
);

/** Three keys in a pool, one of them chosen. */
export const Mark = () => (
  <svg class="mark" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
    <rect width="20" height="20" rx="5" fill="var(--accent)" />
    <circle cx="6" cy="13.8" r="2" fill="#fff" opacity=".55" />
    <circle cx="10" cy="6.2" r="2.4" fill="#fff" />
    <circle cx="14" cy="13.8" r="2" fill="#fff" opacity=".55" />
    <path d="M9 8.4l-2.2 3.6M11 8.4l2.2 3.6" stroke="#fff" stroke-width="1.1" opacity=".7" />
  </svg>
);

export const CameraIcon = () => (
  <Icon>
    <path
      d="M2 5.2h2.6L5.8 3.6h4.4l1.2 1.6H14v7.2H2z"
      fill="none"
      stroke="currentColor"
      stroke-width="1.4"
      stroke-linejoin="round"
    />
    <circle cx="8" cy="8.6" r="2.1" fill="none" stroke="currentColor" stroke-width="1.4" />
  </Icon>
);
