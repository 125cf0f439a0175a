import { explainAllocator } from '../../analyses/explain-allocator.js';
import { JemkitError } from '../../errors.js';
import type { SetOption } from '../../model/allocator-environment.js';
import type { IdentifiedAllocator } from '../../model/allocator-identity.js';
import type { AvailableAllocator, ConfInfo, Reason } from '../../model/allocator-info.js';
import type { ProcessFacts } from '../../model/doctor-facts.js';
import { OPT_KEYS } from '../../model/mallctl-keys/option-keys.js';
import type { ReadableName } from '../../model/mallctl-keys.js';
import { readInProcessJemalloc } from '../../native.js';
import { readMallctl } from '../../sources/mallctl/read-mallctl.js';
import { libraryCacheFolders } from '../../sources/process/jemkit-folders.js';
import { openImageReader } from '../../sources/process/mapped-images.js';
import { openImageFactsCache } from '../cache/image-facts-cache.js';
import { examineProcess } from '../doctor/examine-process.js';
import { availableAllocators } from './available-allocators.js';

/** What does not change while a process lives: its allocator, how that got there, and what it was configured with. */
export interface AllocatorFacts {
  readonly identity: IdentifiedAllocator | undefined;
  /** As jemalloc itself says, where it serves. */
  readonly version: string | undefined;
  readonly serves: boolean;
  readonly whyNot: Reason | undefined;
  readonly conf: ConfInfo | undefined;
  readonly available: readonly AvailableAllocator[];
}

function examineSelf(environment: NodeJS.ProcessEnv): ProcessFacts | Reason {
  if (process.platform !== 'linux')
    return { cause: `${process.platform} does not show which allocator a process has`, remedy: 'jem doctor' };
  const cache = openImageFactsCache(libraryCacheFolders(environment, process.geteuid?.())[0]);
  try {
    // What this program has since put into its own LD_PRELOAD is not what a shell would hand on.
    return examineProcess(process.pid, { ...environment, LD_PRELOAD: undefined }, openImageReader(cache));
  } catch (error) {
    if (error instanceof JemkitError) return { cause: error.message, remedy: error.hint ?? 'jem doctor' };
    throw error;
  } finally {
    cache.save();
  }
}

function readOptions(): Record<string, boolean | number | string> {
  const options: Record<string, boolean | number | string> = {};
  for (const name of Object.keys(OPT_KEYS)) {
    const read = readMallctl(name as ReadableName);
    if (read.kind === 'inexact') options[name.slice('opt.'.length)] = Number(read.exact);
    if (read.kind !== 'value' || typeof read.value === 'object') continue;
    options[name.slice('opt.'.length)] = typeof read.value === 'bigint' ? Number(read.value) : read.value;
  }
  return options;
}

function confInfo(facts: ProcessFacts | undefined): ConfInfo {
  const options = readOptions();
  const said = ({ key, value, origin }: SetOption) => ({
    key,
    value: String(options[key] ?? value),
    from: origin.name,
  });
  const set = (facts?.conf.effective ?? []).map(said);
  return {
    text: set.length === 0 ? undefined : set.map(({ key, value }) => `${key}:${value}`).join(','),
    set,
    ignored: (facts?.conf.ignored ?? []).map(({ key, value, origin }) => ({ key, value, from: origin.name })),
    options,
  };
}

function explain(facts: ProcessFacts): Reason {
  const findings = explainAllocator(facts);
  const found = findings.find(({ severity }) => severity === 'problem') ?? findings[0];
  const again = `start it with: jem run -- ${facts.command} …`;
  return { cause: found?.cause ?? 'why is not known', remedy: found?.remedy ?? again };
}

/** Looks at this process as `jem doctor PID` does: 30 to 300 ms the first time. Nothing of it changes, and nothing is started. */
export function readAllocatorFacts(environment: NodeJS.ProcessEnv): AllocatorFacts {
  const inside = readInProcessJemalloc();
  const serves = inside?.serves === true;
  const examined = examineSelf(environment);
  const facts = 'kind' in examined ? examined : undefined;
  const identity = facts?.identity.kind === 'identified' ? facts.identity : undefined;
  return {
    identity,
    version: serves ? inside.version : identity?.version,
    serves,
    whyNot: serves ? undefined : 'kind' in examined ? explain(examined) : examined,
    conf: serves ? confInfo(facts) : undefined,
    available: availableAllocators(environment),
  };
}
