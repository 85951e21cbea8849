/**
 * Entry of the learner's process: answers one request after the other and learns in between. It ends without saving when its parent is
 * gone: what an unsaved stretch gave is made again from the state before.
 */
import { setImmediate } from 'node:timers/promises';
import { L2mError } from '../errors.ts';
import { describeBackend, startBackend } from '../tensors/backend.ts';
import { expertFingerprint, type ExpertSettings } from './expert-options.ts';
import { Learner } from './learner.ts';
import type { LearnerReply, LearnerReport, LearnerRequest } from './learner-messages.ts';
import { loadLearnerState, saveLearnerState } from './learner-state.ts';
import { sendToParent, serveQuestions } from './serve-questions.ts';

const REPORT_EVERY_MS = 1000;

interface Started {
  readonly learner: Learner;
  readonly settings: ExpertSettings;
  readonly folder: string;
}

let started: Started | undefined;
let learning = { sinceMs: performance.now(), busyMs: 0, updates: 0 };

serveQuestions(answer);

async function answer(request: LearnerRequest): Promise<void> {
  if (request.type === 'begin') {
    send(await begin(request));
    return;
  }
  if (started === undefined) throw new RangeError(`${request.type} before begin`);
  const { learner, settings, folder } = started;
  switch (request.type) {
    case 'put':
      learner.put(request.number, request.episode);
      send({ type: 'done' });
      return;
    case 'decide':
      send({
        type: 'actions',
        actions: learner.decide(request.observations, request.rewards),
      });
      // The answer is on its way before the updates block this thread.
      await setImmediate();
      learn(learner);
      return;
    case 'choose':
      send({ type: 'actions', actions: learner.choose(request.observations) });
      return;
    case 'actor':
      send({ type: 'actor', actor: learner.actor() });
      return;
    case 'save':
      await saveLearnerState(folder, learner.state(), expertFingerprint(settings));
      send({ type: 'saved', position: learner.position });
      return;
  }
}

async function begin(request: Extract<LearnerRequest, { type: 'begin' }>): Promise<LearnerReply> {
  const { settings, shape, folder, resume, actor } = request;
  const state = await loadLearnerState(folder);
  if (resume && state === undefined) {
    throw new L2mError('L2M_RUN_MISMATCH', `there is no saved training in ${folder}`, {
      hint: 'Start it without --resume.',
    });
  }
  if (!resume && state !== undefined) {
    throw new L2mError('L2M_RUN_MISMATCH', `a training is saved in ${folder}`, {
      hint: 'Add --resume or --overwrite.',
    });
  }
  if (state !== undefined && state.fingerprint !== expertFingerprint(settings)) {
    throw new L2mError('L2M_RUN_MISMATCH', `the training in ${folder} has other settings`, {
      hint: 'Resume with the settings it was started with, or add --overwrite.',
    });
  }
  const backend = await startBackend(request.backend);
  const learner = new Learner(settings, shape, {
    xla: backend.xla,
    ...(state === undefined ? {} : { state }),
    ...(actor === undefined ? {} : { actor }),
  });
  started = { learner, settings, folder };
  const { position } = learner;
  const history = (state?.unfinished ?? []).map(({ actions }) =>
    actions.slice(0, position.decisions * shape.actionSize),
  );
  return { type: 'begun', position, history, backend: describeBackend(backend) };
}

function learn(learner: Learner): void {
  const startMs = performance.now();
  const due = learner.due;
  for (let update = 0; update < due; update++) learner.update();
  const nowMs = performance.now();
  learning.busyMs += nowMs - startMs;
  learning.updates += Math.max(0, due);
  if (nowMs - learning.sinceMs < REPORT_EVERY_MS || learner.figures === undefined) return;
  const updatesPerSecond = learning.busyMs > 0 ? (1000 * learning.updates) / learning.busyMs : 0;
  send({
    type: 'report',
    position: learner.position,
    figures: learner.figures,
    updatesPerSecond,
  });
  learning = { sinceMs: nowMs, busyMs: 0, updates: 0 };
}

function send(message: LearnerReply | LearnerReport): void {
  sendToParent(message);
}
