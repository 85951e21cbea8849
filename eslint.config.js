import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * The rules that matter to an asynchronous server need types (floating promises, exhaustive switches, unsafe any).
 * Non-null assertions are allowed only in numeric loops, where `noUncheckedIndexedAccess` would otherwise force a branch
 * on every typed-array read.
 */
export default tseslint.config(
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
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Name every export; no default exports.' },
      ],
    },
  },
  {
    files: ['agent/**/*.ts', 'dashboards/scene/**/*.ts', 'server/tensors/**/*.ts', 'test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: { 'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ['**/*.mjs', '**/*.config.ts', '**/*.config.js', 'eslint.config.js'],
    ...tseslint.configs.disableTypeChecked,
  },
  {
    files: ['**/*.mjs', '**/*.config.ts', '**/*.config.js', 'eslint.config.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', setTimeout: 'readonly', URL: 'readonly' } },
    rules: { 'no-restricted-syntax': 'off', '@typescript-eslint/explicit-function-return-type': 'off' },
  },
);
