import type { EnvironmentSetting, PreloadEntry } from '../model/allocator-environment.js';
import type { MachineFacts } from '../model/doctor-facts.js';
import type { Finding } from '../model/finding.js';
import type { HostFacts } from '../model/host.js';
import type { LibraryProbe } from '../model/probe.js';

function libraryFindings({ search, probe, node }: MachineFacts): Finding[] {
  const unpreloadable = node.program?.unpreloadable;
  if (unpreloadable) {
    return [
      {
        id: 'node-unpreloadable',
        severity: 'problem',
        title: `${node.path} takes no preloaded library (${unpreloadable})`,
        cause: 'the loader does not run for such a program, or ignores LD_PRELOAD for it',
        remedy: 'use a dynamically linked node, as the official builds are',
      },
    ];
  }
  if (search.kind === 'none') {
    const [first] = search.rejected;
    return [
      {
        id: first ? 'library-unusable' : 'library-missing',
        severity: 'problem',
        title: first
          ? `${first.path} cannot be used: ${first.detail}`
          : 'no jemalloc library was found on this machine',
        cause: first
          ? `it was looked at because of: ${first.source}`
          : "looked in jemkit's cache, the loader's cache, the system's library folders and Homebrew's",
        remedy:
          first?.source === 'JEMKIT_LIBRARY' ? 'unset JEMKIT_LIBRARY, or set it to a library that fits' : 'jem install',
      },
    ];
  }
  return probeFindings(probe, search.library.path, node.path);
}

/** What a real start with the library showed. */
export function probeFindings(probe: LibraryProbe | undefined, library: string, program: string): Finding[] {
  if (probe?.kind === 'fails') {
    const end = probe.signal ? `signal ${probe.signal}` : `exit code ${probe.exitCode ?? 'unknown'}`;
    const pageSize = /Unsupported system page size/.test(probe.message);
    return [
      {
        id: pageSize ? 'page-size' : 'library-fails',
        severity: 'problem',
        title: `${program} does not start with ${library} (${end})`,
        cause: pageSize
          ? `${probe.message}: the library was built for smaller memory pages than this kernel has`
          : probe.message,
        remedy: pageSize
          ? 'use a jemalloc built for larger pages (configure --with-lg-page=16; since 5.3.1 the default on arm64)'
          : 'jem install --force',
      },
    ];
  }
  if (probe?.kind === 'works' && probe.serving !== 'jemalloc') {
    const loader = probe.messages.find((line) => line.startsWith('ERROR: ld.so'));
    return [
      {
        id: 'library-does-not-serve',
        severity: 'problem',
        title: `${program} starts with ${library}, but malloc stays with ${probe.serving}`,
        cause: loader ?? 'another allocator comes before it in LD_PRELOAD, or the program brings its own malloc',
        remedy: 'name another library: jem run --library PATH',
      },
    ];
  }
  if (probe?.kind === 'works' && probe.answers['config.prof'] === 'false') {
    return [
      {
        id: 'no-profiling',
        severity: 'info',
        title: `${library} was built without profiling (config.prof is false)`,
        cause: 'heap profiles are not possible with it; everything else works',
        remedy: 'a build with --enable-prof; Debian’s package has it',
      },
    ];
  }
  return [];
}

/** What is wrong with the libraries to preload. */
export function entryFindings(entries: readonly PreloadEntry[]): Finding[] {
  const findings: Finding[] = [];
  const fromFile = entries.filter(({ place }) => place === '/etc/ld.so.preload');
  if (fromFile.length > 0) {
    findings.push({
      id: 'ld-so-preload-file',
      severity: 'warning',
      title: `/etc/ld.so.preload loads ${fromFile.map(({ text }) => text).join(', ')} into every program of this machine`,
      cause:
        'where such a library loses one of its dependencies, no command starts any more, not even the one that would repair it',
      remedy: 'set LD_PRELOAD for the services that need it instead, and empty the file',
    });
  }
  for (const entry of entries) {
    if (entry.state === 'fits' || entry.state === 'left-to-the-loader') continue;
    findings.push({
      id: 'preload-unusable',
      severity: entry.allocator ? 'problem' : 'warning',
      title: `${entry.place} names ${entry.text}, which cannot be used: ${entry.detail ?? entry.state}`,
      cause: 'the loader says so on stderr of every program and goes on without it',
      remedy:
        entry.place === 'LD_PRELOAD'
          ? 'unset LD_PRELOAD, or set it by: eval "$(jem env)"'
          : `take the line out of ${entry.place}`,
    });
  }
  const allocators = entries.filter(
    ({ allocator, state }) => allocator && (state === 'fits' || state === 'left-to-the-loader'),
  );
  const names = new Set(allocators.map(({ allocator }) => allocator));
  if (names.size > 1) {
    findings.push({
      id: 'several-allocators-preloaded',
      severity: 'warning',
      title: `several allocators are preloaded: ${allocators.map(({ text }) => text).join(', ')}`,
      cause: 'a function that only one of them has is given blocks of the other, and the program aborts there',
      remedy: `keep one: LD_PRELOAD=${allocators[0]?.text ?? ''}`,
    });
  }
  return findings;
}

function settingFindings(
  settings: readonly EnvironmentSetting[],
  variables: Readonly<Record<string, string>>,
): Finding[] {
  return settings
    .filter(
      ({ variable, value, kind }) =>
        kind !== 'systemd-unit' && variable in variables && variables[variable] !== value && !/[$`]/.test(value),
    )
    .map(({ variable, value, path, line }) => ({
      id: 'setting-differs',
      severity: 'info' as const,
      title: `${path}:${line ?? ''} sets ${variable}=${value}, this shell has ${variables[variable] ?? ''}`,
      cause: 'the file was changed since the shell started, another file sets it later, or it was set by hand',
    }));
}

/** What of the machine makes an allocator behave otherwise than expected. */
export function hostFindings(host: HostFacts): Finding[] {
  const findings: Finding[] = [];
  if (host.overcommit === 2) {
    findings.push({
      id: 'overcommit-never',
      severity: 'warning',
      title: 'vm.overcommit_memory is 2: address space counts as memory',
      cause:
        'jemalloc keeps address space that it does not use (retain:true), and large programs may be refused memory early',
      remedy: 'sysctl vm.overcommit_memory=0, or MALLOC_CONF=retain:false',
    });
  }
  if (host.transparentHugePages === 'always') {
    findings.push({
      id: 'thp-always',
      severity: 'info',
      title: 'transparent huge pages are always on',
      cause: 'freed small pages stay resident as parts of 2 MiB pages, which raises RSS',
      remedy: 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled (as root), or MALLOC_CONF=thp:never',
    });
  }
  const { memoryLimit } = host;
  if (memoryLimit?.usedBytes !== undefined && memoryLimit.usedBytes > memoryLimit.bytes * 0.9) {
    findings.push({
      id: 'near-memory-limit',
      severity: 'warning',
      title: `the control group ${memoryLimit.group} uses ${Math.round((memoryLimit.usedBytes / memoryLimit.bytes) * 100)} % of its memory limit`,
      cause:
        'beyond the limit the kernel kills a process of the group (page cache, which it takes back first, is not counted)',
      remedy: 'raise the limit, or: jem run --preset low-memory -- COMMAND',
    });
  }
  return findings;
}

/** All that is to be said about this machine and shell. */
export function machineFindings(facts: MachineFacts): Finding[] {
  const findings: Finding[] = [];
  if (facts.native.kind === 'missing') {
    findings.push({
      id: 'native-missing',
      severity: 'warning',
      title: `jemkit's native part is not there: ${facts.native.reason}`,
      cause: 'jem run then stays as a parent process, libraries cannot be tried first, and jemkit/auto cannot work',
      remedy: 'install a C compiler (Debian: apt-get install gcc libc6-dev) and run: npm rebuild jemkit',
    });
  }
  return [
    ...findings,
    ...libraryFindings(facts),
    ...entryFindings(facts.shell.entries),
    ...settingFindings(facts.settings, facts.shell.variables),
    ...facts.conf.findings,
    ...hostFindings(facts.host),
  ];
}
