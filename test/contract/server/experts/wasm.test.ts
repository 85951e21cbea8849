import { describeSacUpdate } from './suite.ts';

describeSacUpdate({ backend: 'wasm' }, {});
