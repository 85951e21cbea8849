import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const nodeGlobals = Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, 'readonly']));

/**
 * The rules that matter to an asynchronous server need types (floating promises, exhaustive switches, unsafe any).
 * Non-null assertions are allowed only in numeric loops, where `noUncheckedIndexedAccess` would otherwise force a branch
 * on every typed-array read.
 */
export default defineConfig(
  { ignores: ['node_modules/**', '.l2m/**', 'data/**', 'dashboards/dist/**', 'coverage/**', 'sim-bridge/**'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'max-params': ['error', 3],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // What a caller is given is said even where an implementation has no use for it.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Name every export; no default exports.' },
      ],
    },
  },
  {
    files: ['agent/**/*.ts', 'dashboards/**/*.{ts,tsx}', 'server/tensors/**/*.ts', 'test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: { 'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }], 'no-console': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.config.ts', '**/*.config.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: nodeGlobals },
    rules: { 'no-restricted-syntax': 'off', 'no-console': 'off' },
  },
);
