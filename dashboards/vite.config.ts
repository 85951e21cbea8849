import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { leanThree } from './lean-three.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** `vite build dashboards`. Addresses in the page are relative, so that it also works behind a path prefix. */
export default defineConfig({
  root: here('.'),
  base: './',
  plugins: [leanThree()],
  resolve: {
    alias: [
      // The page checks messages without generating code and without TypeBox: 24 kB less, and no `unsafe-eval` in its
      // content policy. Unit tests hold both stand-ins against the original.
      { find: /^typebox\/compile$/, replacement: here('./interpreted-compile.ts') },
      { find: /^typebox$/, replacement: here('./schema-builder.ts') },
    ],
  },
  build: {
    outDir: here('./dist'),
    emptyOutDir: true,
    target: 'es2022',
    // Schemas of messages that the page never reads go: making one does nothing else.
    rolldownOptions: { treeshake: { manualPureFunctions: ['Type'] } },
    modulePreload: { polyfill: false },
    // three alone is half a megabyte before compression; test/unit/dashboards/page-weight.test.ts keeps the budget.
    chunkSizeWarningLimit: 700,
  },
});
