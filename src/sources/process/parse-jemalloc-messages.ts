import type { ConfSource, JemallocMessage } from '../../model/jemalloc-message.js';

const PREFIX = '<jemalloc>: ';
const SYNTAX = ['Malformed conf string', 'Conf string ends with key', 'Conf string ends with comma'];

// By words of the description, not by number: later releases may add a source in between.
const SOURCES: ReadonlyArray<readonly [words: string, source: ConfSource]> = [
  ['--with-malloc-conf', 'compiled-in'],
  ['malloc_conf_2_conf_harder', 'malloc_conf_2-symbol'],
  ['global variable malloc_conf', 'malloc_conf-symbol'],
  ['symbolic link', 'etc-malloc-conf'],
  ['environment variable', 'environment'],
];

function parseLine(line: string): JemallocMessage {
  if (SYNTAX.includes(line)) return { kind: 'syntax', text: line };
  const source = /^malloc_conf #\d+ \((.*?)\): "(.*)"$/s.exec(line);
  if (source) {
    const known = SOURCES.find(([words]) => source[1]!.includes(words));
    if (known) return { kind: 'source', source: known[1], conf: source[2]! };
  }
  const accepted = /^-- Set conf value: ([A-Za-z0-9_]*):(.*)$/s.exec(line);
  if (accepted) return { kind: 'accepted', key: accepted[1]!, value: accepted[2]! };
  if (line.startsWith('Abort (abort_conf:true)')) return { kind: 'aborted' };
  const refused = /^((?:Invalid|Out-of-range|Error|No) [^:]*): ([A-Za-z0-9_]*):(.*)$/s.exec(line);
  if (refused) return { kind: 'refused', reason: refused[1]!, key: refused[2]!, value: refused[3]! };
  return { kind: 'other', text: line };
}

/**
 * Parses what jemalloc says on stderr at start, with or without `confirm_conf:true`. Lines of others are left out, and of lines
 * that stand twice in a row one: jemalloc reads a string it cannot parse twice.
 */
export function parseJemallocMessages(stderr: string): JemallocMessage[] {
  const lines = stderr
    .split('\n')
    .filter((line) => line.startsWith(PREFIX))
    .map((line) => line.slice(PREFIX.length));
  return lines.filter((line, at) => line !== lines[at - 1]).map(parseLine);
}
