import type { LearnerReply, LearnerReport, LearnerRequest } from './learner-messages.ts';
import { QuestionProcess } from './question-process.ts';

type Answer<Type extends LearnerReply['type']> = Extract<LearnerReply, { type: Type }>;
type Asked<Type extends LearnerRequest['type']> = Omit<Extract<LearnerRequest, { type: Type }>, 'type'>;

/** The learner's process as seen from the server. */
export class LearnerHost {
  readonly #process: QuestionProcess<LearnerRequest, LearnerReply, LearnerReport>;

  /** @param logFile where the tensor library's own output goes */
  constructor(logFile: string, onReport: (report: LearnerReport) => void) {
    this.#process = new QuestionProcess({
      ...{ entry: new URL('./learner-process.ts', import.meta.url), name: 'the learner', logFile, onReport },
      advice: 'then go on with --resume',
    });
  }

  get processId(): number | undefined {
    return this.#process.processId;
  }

  /** @throws L2mError of the learner, or L2M_AGENT_LOST if it died */
  begin(request: Asked<'begin'>): Promise<Answer<'begun'>> {
    return this.#process.ask({ type: 'begin', ...request }, 'begun');
  }

  async put(request: Asked<'put'>): Promise<void> {
    await this.#process.ask({ type: 'put', ...request }, 'done');
  }

  /** @param observations [E, W] @param rewards [E] @returns [E, A]; the updates follow after the answer */
  async decide(observations: Float32Array, rewards: Float32Array): Promise<Float32Array> {
    return (await this.#process.ask({ type: 'decide', observations, rewards }, 'actions')).actions;
  }

  /** @param observations [n, W], n <= E @returns [n, A] without chance */
  async choose(observations: Float32Array): Promise<Float32Array> {
    return (await this.#process.ask({ type: 'choose', observations }, 'actions')).actions;
  }

  /** The actor's vector as it stands. */
  async actor(): Promise<Float32Array> {
    return (await this.#process.ask({ type: 'actor' }, 'actor')).actor;
  }

  /** Saves when everything asked before is done, updates included. */
  save(): Promise<Answer<'saved'>> {
    return this.#process.ask({ type: 'save' }, 'saved');
  }

  close(): Promise<void> {
    return this.#process.close();
  }
}
