export { type CheckMallocConfOptions, checkMallocConf } from '../analyses/check-malloc-conf.js';
export type { LeakEvidence, LeakPart, LeakSuspicion, LeakVerdict } from '../analyses/leak-suspicion.js';
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
export { availableAllocators, jemallocAvailable } from '../control/memory/available-allocators.js';
export { createMemory } from '../control/memory/create-memory.js';
export type { Memory, MemoryEvents, StatsOptions } from '../control/memory/memory.js';
export type { MemoryOptions, TrendOptions } from '../control/memory/memory-options.js';
export type { PressureLadderOptions } from '../control/pressure/pressure-ladder.js';
export type { ProfilerOptions } from '../control/profiler/profiler-options.js';
export type { AutoTunerOptions } from '../control/tuning/auto-tuner.js';
export { JemkitError, type JemkitErrorCode } from '../errors.js';
export type { PprofHandler } from '../integrations/profiler/pprof-handler.js';
export { type Profiler, profiler } from '../integrations/profiler/profiler.js';
export type { SnapshotOptions } from '../integrations/profiler/take-snapshot.js';
export type {
  AllocatorInfo,
  AvailableAllocator,
  ConfInfo,
  ObservableInfo,
  ProfilingInfo,
  Reason,
  RequestedState,
} from '../model/allocator-info.js';
export type {
  CaptureFacts,
  FrameTable,
  HeapProfile,
  ProfileModule,
  ProfileSamples,
  SizeClassUse,
  StackTable,
} from '../model/heap-profile.js';
export type { InstallOutcome, PresentLibrary, UninstallOutcome, UpdateOutcome } from '../model/install-outcome.js';
export { MAIN_COUNTERS, type MainCounter } from '../model/main-counters.js';
export { type MallocConfOptions, mallocConf } from '../model/malloc-conf.js';
export { type MallocConfPreset, type MallocConfPresetName, PRESETS } from '../model/malloc-conf-presets.js';
export type { MallocConfFinding } from '../model/malloc-conf-report.js';
export type {
  PressureEvent,
  PressureLevel,
  PressureLevelEvent,
  PressureRung,
  PressureRungEvent,
  PressureSignal,
  RungOutcome,
} from '../model/memory-pressure.js';
export type { JemallocFigures, MemorySample, ProcessMemory, V8Figures } from '../model/memory-sample.js';
export type {
  JemallocStats,
  MemoryPeaks,
  MemoryRates,
  MemoryStats,
  ProcessStats,
  V8Stats,
} from '../model/memory-stats.js';
export type { LimitOutlook, MemoryTrend, SeriesTrend, TrendVerdict } from '../model/memory-trend.js';
export type { OptimizeOptions, OptimizeOutcome } from '../model/optimize-outcome.js';
export type {
  CaptureOutcome,
  CaptureTrigger,
  ProfilerRefusal,
  ProfilerStart,
  ProfilerStatus,
  ProfileSnapshot,
} from '../model/profiler-outcome.js';
export type { ProfilerState } from '../model/profiler-state.js';
export type { TuningKey, TuningRule, TuningStep } from '../model/tuning.js';
export { type MallctlSampler, openMallctlSampler } from '../sources/mallctl/sampler.js';
