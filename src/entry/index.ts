export {
  ensureJemalloc,
  type EnsureJemallocOptions,
  type EnsureJemallocResult,
} from '../control/launch/ensure-jemalloc.js';
export { JemkitError, type JemkitErrorCode } from '../errors.js';
