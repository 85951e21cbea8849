import { describeSacUpdate } from './suite.ts';

describeSacUpdate({ backend: 'tensorflow-cpu', threadCount: 1 }, {});
