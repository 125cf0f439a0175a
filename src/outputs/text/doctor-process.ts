import type { AllocatorBeside, IdentifiedAllocator } from '../../model/allocator-identity.js';
import type { ProcessFacts } from '../../model/doctor-facts.js';
import { allocatorName } from './allocator-words.js';
import { formatBytes } from './bytes.js';
import { confLines, type PageGroup, type PageLine } from './doctor-lines.js';
import { entryLines, hostLines, settingLines } from './doctor-machine.js';

const EVIDENCE: Readonly<Record<IdentifiedAllocator['evidence'], string>> = {
  got: "malloc's slot (GOT), read from its memory",
  maps: 'the names of its mapped files',
  symbols: "the executable's symbols",
  strings: 'texts inside the executable',
  'thread-name': 'a thread named jemalloc_bg_thd',
};

const ARRIVAL: Readonly<Record<IdentifiedAllocator['arrival'], string>> = {
  preload: 'preloaded',
  linked: 'linked to the program or one of its libraries',
  static: 'built into the executable',
  system: 'the C library itself',
  dlopen: 'loaded by the program after its start',
  unknown: 'how is not known: its environment cannot be read',
};

const STANDING: Readonly<Record<AllocatorBeside['standing'], string>> = {
  'serving-some': 'serves malloc of',
  'not-serving': 'mapped, not serving',
  unmeasured: 'mapped; whether it serves was not measured',
  private: 'serves its own program under names of its own',
};

function evidenceText(identity: IdentifiedAllocator): string {
  const nothingFound = identity.standing === 'built-in' && identity.allocator === 'system';
  return nothingFound
    ? "no other allocator was found in the executable's symbols and texts"
    : EVIDENCE[identity.evidence];
}

function allocatorLines(identity: ProcessFacts['identity']): PageLine[] {
  if (identity.kind !== 'identified')
    return [{ sign: 'look', label: 'allocator', text: identity.kind === 'unknown' ? identity.reason : identity.kind }];
  const verb =
    identity.standing === 'serving' ? 'serves malloc' : identity.standing === 'built-in' ? 'is built in' : 'is mapped';
  const lines: PageLine[] = [
    {
      sign: identity.allocator === 'jemalloc' ? 'ok' : 'look',
      label: 'allocator',
      text: `${allocatorName(identity)}${identity.version ? ` ${identity.version}` : ''} ${verb}`,
    },
    { sign: 'plain', label: 'told by', text: evidenceText(identity) },
    { sign: 'plain', label: 'came by', text: ARRIVAL[identity.arrival] },
  ];
  if (identity.file) {
    lines.push({
      sign: identity.file.deleted && identity.arrival !== 'static' ? 'look' : 'plain',
      label: 'file',
      text: `${identity.file.path}${identity.file.deleted ? ' (deleted or replaced on disk)' : ''}`,
    });
  }
  for (const other of identity.beside) {
    const served = other.standing === 'serving-some' ? ` ${other.servedFiles.join(', ')}` : '';
    lines.push({
      sign: other.standing === 'private' ? 'plain' : 'look',
      label: 'beside it',
      text: `${allocatorName(other)}${other.version ? ` ${other.version}` : ''}: ${STANDING[other.standing]}${served}${other.file ? ` (${other.file.path})` : ''}`,
    });
  }
  if (identity.note) lines.push({ sign: 'plain', label: 'note', text: identity.note });
  return lines;
}

function processLines(facts: ProcessFacts): PageLine[] {
  const { pid, command, user, residentBytes, startedMs, executable, secure, unit, ancestors, otherFiles } = facts;
  const lines: PageLine[] = [];
  const line = (label: string, text: string | undefined, sign: PageLine['sign'] = 'plain') => {
    if (text !== undefined && text !== '') lines.push({ sign, label, text });
  };
  line('process', `${pid}, ${command}${user === undefined ? '' : `, of ${user}`}`);
  line('RSS', residentBytes === undefined ? undefined : formatBytes(residentBytes));
  line('started', startedMs === undefined ? undefined : `${new Date(startedMs).toISOString().slice(0, 19)}Z`);
  if (executable) {
    const built = executable.isStatic ? 'statically linked' : executable.libc;
    line(
      'executable',
      `${executable.path}${executable.deleted ? ' (deleted)' : ''} (${[executable.architecture, built].filter(Boolean).join(', ')})`,
    );
  }
  if (secure) line('secure mode', 'AT_SECURE: setuid, setgid or file capabilities', 'look');
  if (otherFiles) line('files', 'it sees another file system than this shell (container or chroot)');
  line('unit', unit && `${unit.name}${unit.ofUser ? ' (of the user)' : ''}`);
  line(
    'started by',
    ancestors
      .slice(0, 4)
      .map((a) => `${a.command} (${a.pid})`)
      .join(' ← '),
  );
  return lines;
}

function environmentLines({ variables, entries, unit, settings }: ProcessFacts): PageLine[] {
  if (variables === undefined) return [{ sign: 'look', label: 'environment', text: 'cannot be read by this user' }];
  const preload: PageLine[] = variables['LD_PRELOAD']
    ? []
    : [{ sign: 'plain', label: 'LD_PRELOAD', text: 'was not set at its start' }];
  return [...preload, ...entryLines(entries), ...settingLines(unit?.settings ?? []), ...settingLines(settings)];
}

/** The groups of `jem doctor PID`. */
export function processGroups(facts: ProcessFacts): PageGroup[] {
  const { identity } = facts;
  const hasJemalloc =
    identity.kind === 'identified' &&
    [identity, ...identity.beside].some(
      ({ allocator, standing }) => allocator === 'jemalloc' && standing !== 'not-serving',
    );
  return [
    { heading: 'Process', lines: processLines(facts) },
    { heading: 'Allocator', lines: allocatorLines(identity) },
    { heading: 'Environment', lines: environmentLines(facts) },
    { heading: 'Options', lines: hasJemalloc ? confLines(facts.conf) : [] },
    { heading: 'Host', lines: hostLines(facts.host) },
  ];
}
