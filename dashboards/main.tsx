import { render } from 'preact';
import { sessionToken } from './session-token.ts';
import { Store } from './store.ts';
import { startTheme } from './theme.ts';
import { App } from './views/app.tsx';
import './styles/index.css';

startTheme();
const store = new Store();
const address = new URL('live', location.href.replace(/[?#].*$/, ''));
address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
store.connect(address.href, sessionToken());
const root = document.getElementById('app');
if (root !== null) render(<App store={store} />, root);
