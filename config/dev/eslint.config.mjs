/**
 * Lint with the import licences: which folder may know which. A letter's journey runs
 * composition → desk, api → questions about the past → doors, deliveries, bounce, trace, cli → queue, nodes, aliases
 * → log, spool, control, platform → mail, wire.
 */
import { fileURLToPath } from 'node:url';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Folders of src by tier; a file may import its own tier's ports and events, and everything further down. */
const tiers = [
  ['composition'],
  ['desk', 'api'],
  ['ask', 'past', 'views', 'what-if', 'moving'],
  ['cli', 'ingress', 'delivery', 'bounce', 'lists', 'pop3', 'trace', 'consumers', 'gateway'],
  ['queue', 'aliases', 'nodes'],
  ['log', 'spool', 'control', 'platform'],
  ['wire', 'mail'],
];

/** Within a tier, a station sees of another only what happens there and what it asks for. */
const shared = '(events|ports)';

const pure = [
  'src/**/events.ts',
  'src/**/decider.ts',
  'src/queue/{state,schedule,routing}.ts',
  'src/bounce/report.ts',
  'src/mail/**/*.ts',
  'src/wire/**/*.ts',
  'projections/**/*.ts',
];

/** The command line starts what composition puts together. */
const above = (tier, folder) => (folder === 'cli' ? [] : tiers.slice(0, tier).flat());

function licence(folder, tier) {
  const patterns = [];
  const higher = above(tier, folder);
  if (higher.length > 0) {
    patterns.push({
      // An instant is a noun, whoever keeps the clock.
      regex: `^(\\.\\./)+(src/)?(${higher.join('|')})/(?!clock\\.ts$)`,
      message: `${folder}/ must not know the stations above it`,
    });
  }
  const beside = tiers[tier].filter((name) => name !== folder);
  // The lowest tiers share freely: nouns, settings, clocks.
  if (tier > 0 && tier < 5 && beside.length > 0 && folder !== 'cli') {
    patterns.push({
      regex: `^(\\.\\./)+(src/)?(${beside.join('|')})/(?!${shared}\\.ts$)`,
      message: `${folder}/ may import only events.ts and ports.ts of the stations beside it`,
    });
  }
  return patterns;
}

const licences = tiers.flatMap((folders, tier) =>
  folders.map((folder) => ({
    files: [`src/${folder}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns: licence(folder, tier) }] },
  })),
);

const noInversify = {
  regex: '^inversify$',
  message: 'the container stays in composition/',
};

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'data/', 'coverage/', '**/*.mjs'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: root } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      // Our ports are closures; nothing of them needs a `this`.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' },
      ],
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'settings come as plain values; only cli/ and composition/ read the environment',
        },
      ],
    },
  },
  ...licences,
  {
    files: ['src/**/*.ts'],
    ignores: ['src/composition/**'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [noInversify] }] },
  },
  {
    files: ['src/cli/**', 'src/composition/**', 'test/**'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // Say, conclude, fold, parse: synchronous, total, no I/O, no clock.
    files: pure,
    rules: {
      'no-restricted-globals': ['error', 'setTimeout', 'setInterval', 'setImmediate', 'fetch'],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'time comes in with the command' },
        { object: 'Math', property: 'random', message: 'chance comes in with the command' },
      ],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            noInversify,
            // A checksum of bytes is arithmetic.
            { regex: '^node:(?!zlib$)', message: 'pure code touches nothing outside' },
            { regex: '^rxjs', message: 'pure code does not flow' },
          ],
        },
      ],
    },
  },
  {
    files: ['projections/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^\\.\\./src/(?!mail/|.*/(events|ports)\\.ts$|platform/clock\\.ts$)',
              message: 'a projection knows event types and nothing else',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
