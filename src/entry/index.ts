export { type CheckMallocConfOptions, checkMallocConf } from '../analyses/check-malloc-conf.js';
export { forceInstall, install, softInstall } from '../control/install/install.js';
export type { InstallBaseOptions, InstallOptions, InstallProgress } from '../control/install/install-options.js';
export { uninstall } from '../control/install/uninstall.js';
export { update } from '../control/install/update.js';
export {
  type EnsureJemallocOptions,
  type EnsureJemallocResult,
  ensureJemalloc,
} from '../control/launch/ensure-jemalloc.js';
export { jemalloc } from '../control/mallctl/jemalloc.js';
export { JemkitError, type JemkitErrorCode } from '../errors.js';
export type { InstallOutcome, PresentLibrary, UninstallOutcome, UpdateOutcome } from '../model/install-outcome.js';
export { MAIN_COUNTERS, type MainCounter } from '../model/main-counters.js';
export { type MallocConfOptions, mallocConf } from '../model/malloc-conf.js';
export { type MallocConfPreset, type MallocConfPresetName, PRESETS } from '../model/malloc-conf-presets.js';
export type { MallocConfFinding } from '../model/malloc-conf-report.js';
export { type MallctlSampler, openMallctlSampler } from '../sources/mallctl/sampler.js';
