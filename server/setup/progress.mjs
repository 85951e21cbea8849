/** Progress for people: one line per event with the time since the start, and a sign of life for what takes long. */
export class Progress {
  #started = Date.now();
  #running = new Map();
  #timer;

  constructor(signOfLifeMs = 15_000) {
    this.#timer = setInterval(() => {
      const names = [...this.#running].map(([name, since]) => `${name} (${seconds(Date.now() - since)})`);
      if (names.length > 0) this.say(`still working: ${names.join(', ')}`);
    }, signOfLifeMs);
    this.#timer.unref();
  }

  say(line) {
    console.log(`[${seconds(Date.now() - this.#started).padStart(8)}] ${line}`);
  }

  begin(name) {
    this.#running.set(name, Date.now());
  }

  end(name, ending) {
    const since = this.#running.get(name) ?? Date.now();
    this.#running.delete(name);
    this.say(`${name}: ${ending} (${seconds(Date.now() - since)})`);
  }

  close() {
    clearInterval(this.#timer);
  }
}

export function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
}
