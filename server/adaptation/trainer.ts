/** Entry of the trainer's process for one round of an adaptation. */
import { serveTrainer } from '../learning/serve-trainer.ts';
import { trainRound } from './train-round.ts';

serveTrainer(trainRound);
