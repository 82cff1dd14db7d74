import { availableParallelism } from 'node:os';
import './plain-environment.mjs';

/** Types are checked by `npm run check`; here ts-jest only strips them. */
export default {
  rootDir: '../..',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // ts-jest writes `.js` where the source says `.ts`.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      {
        useESM: true,
        tsconfig: '<rootDir>/tsconfig.json',
        diagnostics: { ignoreCodes: [151002] },
      },
    ],
  },
  reporters: ['default', '<rootDir>/config/dev/tally-reporter.mjs'],
  // For a test that hangs: whoever waits for processes must not fail for a machine that is slow.
  testTimeout: 240_000,
  // Many tests wait for processes of their own; jest would keep to one core of two.
  maxWorkers: Math.max(2, Math.ceil(availableParallelism() / 2)),
};
