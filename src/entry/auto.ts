import { ensureJemalloc } from '../control/launch/ensure-jemalloc.js';

/** What importing `jemkit/auto` found; in a process that had to start again nobody sees it until then. */
export const ensured = ensureJemalloc();
