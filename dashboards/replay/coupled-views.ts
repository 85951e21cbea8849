import type { Tile } from '../scene/tile.ts';

/** Whichever of two pictures a person turns, the other turns with it. The first leads where both were moved already. */
export function coupleViews(one: () => Tile | null, other: () => Tile | null): () => void {
  let [seenOne, seenOther] = ['', ''];
  let animation = 0;
  const frame = (): void => {
    animation = requestAnimationFrame(frame);
    const [a, b] = [one(), other()];
    if (a === null || b === null) return;
    if (a.view() !== seenOne) lookAs(b, a.view());
    else if (b.view() !== seenOther) lookAs(a, b.view());
    [seenOne, seenOther] = [a.view(), b.view()];
  };
  frame();
  return () => cancelAnimationFrame(animation);
}

function lookAs(tile: Tile, view: string): void {
  // Also out of a camera of the model, which an orbit leaves chosen.
  tile.resetView();
  tile.lookAs(view);
}
