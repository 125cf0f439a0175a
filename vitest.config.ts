import { defineConfig } from 'vitest/config';
import { flameGraphClient } from './scripts/bundle-flame-graph.mjs';

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [flameGraphClient()],
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts', 'tests/*.test.ts'],
          // Unit tests mock nothing and share nothing: one module graph for all of them takes 6 s instead of 35.
          pool: 'threads',
          isolate: false,
        },
      },
      {
        plugins: [flameGraphClient()],
        test: {
          name: 'process',
          include: ['tests/{process,native,package}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // Real processes on small machines: one file at a time keeps their timings and ports apart.
          fileParallelism: false,
        },
      },
      {
        plugins: [flameGraphClient()],
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
