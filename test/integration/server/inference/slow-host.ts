/** A child in the agent host's place that takes 8 s to load, and says so every 0.4 s, or, told to, falls silent. */
const STEPS = 20;

process.send?.({ type: 'ready', backend: { name: 'slow', version: '0', captured: false, detail: 'slow' } });
process.on('message', ({ type, request, model }: { type: string; request: number; model: string }) => {
  if (type !== 'load') return;
  let finished = 0;
  const timer = setInterval(() => {
    finished += 1;
    if (finished <= STEPS) {
      if (model !== 'silent') process.send?.({ type: 'progress', text: `step ${finished}` });
      return;
    }
    clearInterval(timer);
    const view = { model, parameters: 1, modulation: 'none', poolSize: 0, version: 1 };
    process.send?.({ type: 'loaded', request, view });
  }, 400);
});
process.on('disconnect', () => process.exit(0));
