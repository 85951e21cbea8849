export interface Front {
  url: string;
  notice(level: string, text: string): void;
  scene(task: string, scene: unknown): void;
  workersChanged(): void;
  modelChanged(view: unknown): void;
  episodeStarted(view: unknown): void;
  stepped(...parts: unknown[]): void;
  runUpdated(summary: unknown): void;
  episodeEnded(...parts: unknown[]): void;
  close(): Promise<void>;
}
export function openFront(_: unknown): Promise<Front> {
  throw new Error('not yet');
}
