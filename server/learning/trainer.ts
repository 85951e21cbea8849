/** Entry of the trainer process of a pre-training. */
import { serveTrainer } from './serve-trainer.ts';
import { runPretraining } from './training-run.ts';

serveTrainer(runPretraining);
