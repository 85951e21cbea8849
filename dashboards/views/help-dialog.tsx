import { useEffect, useRef } from 'preact/hooks';

const KEYS = [
  ['Space', 'Pause or resume the run'],
  ['Shift + D', 'Light or dark'],
  ['?', 'This help'],
  [', and .', 'Replay: one step back, one forward; Space plays'],
  ['Esc', 'Close; back from a replay to live'],
  ['T', 'In control: steer the environment that was last touched'],
  ['Ctrl + drag', 'In control: pull at a body'],
  ['Click, Enter', 'Show an environment large; Esc: all again'],
  ['Drag', 'Turn the camera of an environment'],
  ['Ctrl + wheel', 'Come closer, go further away'],
  ['Double click', 'Camera back to its place'],
  ['Arrows, + and −, 0', 'The same for the focused environment'],
] as const;

export function HelpDialog({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-labelledby="help-title"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <h2 id="help-title">Help</h2>
      <p>
        Each tile is a simulated robot, drawn from the poses that its simulator sends. Success is counted at any time of
        an episode and at its last step; bars show the share with its 95 % Wilson interval.
      </p>
      <dl class="keys">
        {KEYS.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit" class="button">
          Close
        </button>
      </form>
    </dialog>
  );
}
