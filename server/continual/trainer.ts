/** Entry of the trainer process of a continual training. */
import { serveTrainer } from '../learning/serve-trainer.ts';
import { trainContinually } from './train-continually.ts';

serveTrainer(trainContinually);
