import { useEffect, useRef } from 'preact/hooks';
import { actionName } from '../action-names.ts';
import { keyColor } from '../task-color.ts';
import type { Player } from '../replay/player.ts';
import type { RecordedEpisode } from '../replay/recorded-episode.ts';

/** With more, single lanes are too thin to be named. */
const MOST_NAMED = 8;

/** What was done at each step, a lane for each dimension of the actions and one for the chosen keys, on the curve's own axis. */
export function ReplayLanes({ player }: { readonly player: Player }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { episode } = player;
  const { length, actionSize, task } = episode.header;
  const pooled = episode.selections.some((key) => key >= 0);
  const rows = actionSize + (pooled ? 1 : 0);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context && length > 0) context.putImageData(painted(context.createImageData(length, rows), episode), 0, 0);
  }, [episode]);
  if (length === 0 || episode.executed.length === 0) return null;
  // What was decided here: it lies to the right of the line.
  const row = Math.min(player.step, length - 1);
  const lanes = Array.from(
    { length: actionSize },
    (_, part) => `${actionName(task, part)} ${(episode.executed[row * actionSize + part] ?? 0).toFixed(2)}`,
  );
  if (pooled) lanes.push(`key ${episode.selections[row] ?? '–'}`);
  return (
    <div class="lanes" style={{ height: `${Math.min(rows, MOST_NAMED) * 16}px` }}>
      <canvas
        ref={canvas}
        width={length}
        height={rows}
        role="img"
        aria-label={`Actions${pooled ? ' and keys' : ''} by step; at this one ${lanes.join(', ')}`}
      />
      {rows <= MOST_NAMED && (
        <ul aria-hidden="true">
          {lanes.map((lane) => (
            <li key={lane.split(' ', 1)[0]}>
              <span>{lane}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Blue below nothing, orange above it, nothing where nothing is asked; keys in colours of their own. */
function painted(image: ImageData, { executed, selections, header }: RecordedEpisode): ImageData {
  const { length, actionSize } = header;
  for (let step = 0; step < length; step++) {
    for (let part = 0; part < actionSize; part++) {
      const value = executed[step * actionSize + part] ?? 0;
      const colour = value < 0 ? [0, 114, 178] : [213, 94, 0];
      image.data.set([...colour, 255 * Math.min(1, Math.abs(value))], (part * length + step) * 4);
    }
    const key = selections[step] ?? -1;
    if (key >= 0 && image.height > actionSize) {
      image.data.set([...keyColor(key), 255], (actionSize * length + step) * 4);
    }
  }
  return image;
}
