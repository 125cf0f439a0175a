import type { EnvironmentSetting, PreloadEntry } from '../../model/allocator-environment.js';
import type { MachineFacts } from '../../model/doctor-facts.js';
import type { HostFacts } from '../../model/host.js';
import { parseJemallocVersion } from '../../model/jemalloc-version.js';
import type { LibraryProbe } from '../../model/probe.js';
import { allocatorName } from './allocator-words.js';
import { formatBytes } from './bytes.js';
import { confLines, type PageGroup, type PageLine } from './doctor-lines.js';

/** What a real start said about the library. */
export function probeLines(
  probe: LibraryProbe | undefined,
  program: string,
  hostPageBytes: number | undefined,
): PageLine[] {
  if (!probe) return [];
  const tried = `a real start of ${program}, stopped before its main()`;
  if (probe.kind === 'untried') return [{ sign: 'look', label: 'real start', text: `not tried: ${probe.reason}` }];
  if (probe.kind === 'fails') return [{ sign: 'bad', label: 'real start', text: `${tried}: fails: ${probe.message}` }];
  const { answers } = probe;
  const lines: PageLine[] = [
    {
      sign: probe.serving === 'jemalloc' ? 'ok' : 'bad',
      label: 'real start',
      text: `${tried}: ${probe.serving} serves malloc${probe.version ? ` (${probe.serving} ${parseJemallocVersion(probe.version) ?? probe.version})` : ''}`,
    },
  ];
  const page = Number(answers['arenas.page']);
  if (Number.isFinite(page)) {
    const fits = hostPageBytes === undefined || page >= hostPageBytes;
    const kernel = hostPageBytes === undefined ? '' : `, the kernel's is ${formatBytes(hostPageBytes)}`;
    lines.push({ sign: fits ? 'ok' : 'bad', label: 'page size', text: `${formatBytes(page)}${kernel}` });
  }
  const prof = answers['config.prof'];
  if (prof !== undefined) {
    const text = prof === 'true' ? 'compiled in (config.prof)' : 'not compiled in (config.prof is false)';
    lines.push({ sign: prof === 'true' ? 'ok' : 'plain', label: 'profiling', text });
  }
  return lines;
}

/** One line for each library to preload. */
export function entryLines(entries: readonly PreloadEntry[]): PageLine[] {
  return entries.map(({ text, place, state, detail, allocator }) => ({
    sign:
      place === '/etc/ld.so.preload'
        ? 'look'
        : state === 'fits'
          ? 'ok'
          : state === 'left-to-the-loader'
            ? 'plain'
            : 'bad',
    label: place,
    text: `${text}: ${state === 'fits' ? (allocator ?? 'fits; no allocator') : (detail ?? 'the loader searches it by itself')}`,
  }));
}

/** Where files set the variables. */
export function settingLines(settings: readonly EnvironmentSetting[]): PageLine[] {
  return settings.map(({ variable, value, path, line }) => ({
    sign: 'plain',
    label: 'set in',
    text: `${path}${line === undefined ? '' : `:${line}`}  ${variable}=${value}`,
  }));
}

/** What of the machine matters. */
export function hostLines(host: HostFacts): PageLine[] {
  const lines: PageLine[] = [];
  const line = (label: string, text: string | undefined, sign: PageLine['sign'] = 'plain') => {
    if (text !== undefined) lines.push({ sign, label, text });
  };
  line(
    'system',
    [host.distribution, host.kernelRelease && `kernel ${host.kernelRelease}`].filter(Boolean).join(', ') || undefined,
  );
  line('container', host.container);
  const { memoryLimit, memoryBytes } = host;
  line('memory', memoryBytes === undefined ? undefined : formatBytes(memoryBytes));
  if (memoryLimit) {
    const used = memoryLimit.usedBytes === undefined ? '' : `, ${formatBytes(memoryLimit.usedBytes)} in use`;
    const full = memoryLimit.usedBytes !== undefined && memoryLimit.usedBytes > memoryLimit.bytes * 0.9;
    line(
      'memory limit',
      `${formatBytes(memoryLimit.bytes)}${used} (cgroup v${memoryLimit.version} ${memoryLimit.group})`,
      full ? 'look' : 'plain',
    );
  } else {
    line('memory limit', 'none found in the control groups');
  }
  const overcommit = { 0: '0, heuristic', 1: '1, always', 2: '2, never: address space counts' };
  line(
    'overcommit',
    host.overcommit === undefined ? undefined : overcommit[host.overcommit],
    host.overcommit === 2 ? 'look' : 'plain',
  );
  line('huge pages', host.transparentHugePages && `transparent: ${host.transparentHugePages}`);
  return lines;
}

function libraryLines({ search, probe, node, host }: MachineFacts): PageLine[] {
  const rejected = search.rejected.map(
    ({ path, detail, source }): PageLine => ({
      sign: 'look',
      label: 'passed over',
      text: `${path} (${source}): ${detail}`,
    }),
  );
  if (search.kind === 'none') return [{ sign: 'bad', label: 'library', text: 'none found' }, ...rejected];
  const { library, source } = search;
  return [
    { sign: 'ok', label: 'library', text: `${library.path} (found by: ${source})` },
    {
      sign: 'ok',
      label: 'built for',
      text: [library.architecture, library.libc].filter(Boolean).join(', ') || 'unknown',
    },
    ...probeLines(probe, node.path, host.pageBytes),
    ...rejected,
  ];
}

function shellLines({ shell, settings }: MachineFacts): PageLine[] {
  const { identity, entries, variables } = shell;
  const lines: PageLine[] = [];
  if (identity.kind === 'identified') {
    const jemalloc = identity.allocator === 'jemalloc';
    const text = `${allocatorName(identity)}${identity.version ? ` ${identity.version}` : ''} serves this very process${jemalloc ? '' : '; jem run starts programs under jemalloc all the same'}`;
    lines.push({ sign: jemalloc ? 'ok' : 'plain', label: 'now', text });
  }
  if (entries.length === 0) lines.push({ sign: 'plain', label: 'LD_PRELOAD', text: 'not set in this shell' });
  const own = Object.entries(variables).filter(([name]) => name.startsWith('JEMKIT_'));
  return [
    ...lines,
    ...entryLines(entries),
    ...own.map(([label, text]): PageLine => ({ sign: 'plain', label, text })),
    ...settingLines(settings),
  ];
}

/** The groups of `jem doctor` without arguments. */
export function machineGroups(facts: MachineFacts): PageGroup[] {
  const { native, node, development, host } = facts;
  const found = (label: string, path: string | undefined): PageLine =>
    path
      ? { sign: 'ok', label, text: path }
      : {
          sign: 'plain',
          label,
          text: 'not found (only needed to build against jemalloc or to read profiles: jem install --dev)',
        };
  const target = node.program?.target;
  return [
    {
      heading: 'Program',
      lines: [
        {
          sign: 'ok',
          label: 'node',
          text: `${node.version}, ${node.path}${target ? ` (${target.architecture}, ${target.libc})` : ''}`,
        },
        native.kind === 'loaded'
          ? { sign: 'ok', label: 'native part', text: 'loaded' }
          : { sign: 'look', label: 'native part', text: `missing: ${native.reason}` },
      ],
    },
    { heading: 'jemalloc', lines: libraryLines(facts) },
    {
      heading: 'Development',
      lines: [
        found('headers', development.header),
        found('jeprof', development.jeprof),
        found('jemalloc-config', development.jemallocConfig),
      ],
    },
    { heading: 'Environment', lines: shellLines(facts) },
    { heading: 'Options', lines: confLines(facts.conf) },
    { heading: 'Host', lines: hostLines(host) },
  ];
}
