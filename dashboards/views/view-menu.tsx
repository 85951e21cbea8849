import type { RefObject } from 'preact';
import { useSignal, type Signal } from '@preact/signals';
import type { Tile } from '../scene/tile.ts';
import { GROUP_COUNT, type ShownGroups, type ViewChoices, type ViewSettings } from '../scene/view-settings.ts';
import { CameraIcon } from './icons.tsx';

const stop = (event: Event): void => event.stopPropagation();

interface MenuProps {
  readonly tile: RefObject<Tile | null>;
  /** Whether contacts are shown; left out where there are none to be had. */
  readonly contacts?: Signal<boolean>;
}

/** How a picture is looked at: camera, followed body, groups. The tile itself remembers; this shows and changes it. */
export function ViewMenu({ tile, contacts }: MenuProps) {
  const seen = useSignal<{ readonly choices: ViewChoices; readonly settings: ViewSettings } | null>(null);
  const look = (open: boolean): void => {
    const [choices, settings] = [tile.current?.choices() ?? null, tile.current?.settings()];
    seen.value = open && choices !== null && settings !== undefined ? { choices, settings } : null;
  };
  const change = (settings: Partial<ViewSettings>): void => {
    tile.current?.change(settings);
    look(true);
  };
  return (
    <details
      class="view-menu"
      onToggle={(event) => look(event.currentTarget.open)}
      onPointerDown={stop}
      onPointerMove={stop}
      onKeyDown={(event) => {
        if (event.key === 'Escape') event.currentTarget.open = false;
        stop(event);
      }}
    >
      <summary aria-label="View" title="Camera and groups">
        <CameraIcon />
      </summary>
      {seen.value !== null && <Panel {...seen.value} change={change} contacts={contacts} />}
    </details>
  );
}

interface PanelProps {
  readonly choices: ViewChoices;
  readonly settings: ViewSettings;
  readonly change: (settings: Partial<ViewSettings>) => void;
  readonly contacts: Signal<boolean> | undefined;
}

function Panel({ choices, settings, change, contacts }: PanelProps) {
  const { camera, follow, groups } = settings;
  return (
    <div class="view-panel">
      <label>
        Camera
        <select
          aria-label="Camera"
          value={camera ?? ''}
          onChange={({ currentTarget: { value } }) => change({ camera: value === '' ? null : Number(value) })}
        >
          <option value="">free</option>
          {choices.cameras.map((name, index) => (
            <option key={index} value={index}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Follow
        <select
          aria-label="Follow"
          value={follow}
          onChange={({ currentTarget }) => change({ follow: Number(currentTarget.value) })}
        >
          <option value={0}>nothing</option>
          {choices.bodies.map(({ frame, name }) => (
            <option key={frame} value={frame}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <Groups title="Geoms" kind="geoms" groups={groups} change={change} />
      <Groups title="Sites" kind="sites" groups={groups} change={change} />
      {contacts !== undefined && (
        <label title="Where bodies touch, and with which force; in all pictures of this page">
          Contacts and forces
          <input
            type="checkbox"
            checked={contacts.value}
            onChange={() => {
              contacts.value = !contacts.value;
              change({});
            }}
          />
        </label>
      )}
    </div>
  );
}

interface GroupsProps {
  readonly title: string;
  readonly kind: keyof ShownGroups;
  readonly groups: ShownGroups;
  readonly change: (settings: Partial<ViewSettings>) => void;
}

function Groups({ title, kind, groups, change }: GroupsProps) {
  return (
    <fieldset>
      <legend>{title}</legend>
      {Array.from({ length: GROUP_COUNT }, (_, group) => (
        <label key={group} title={`${title} of group ${group}`}>
          <input
            type="checkbox"
            aria-label={`${title} of group ${group}`}
            checked={((groups[kind] >> group) & 1) === 1}
            onChange={() => change({ groups: { ...groups, [kind]: groups[kind] ^ (1 << group) } })}
          />
          {group}
        </label>
      ))}
    </fieldset>
  );
}
