import type { JemallocMessage } from '../model/jemalloc-message.js';
import { type MallocConfPair, parseMallocConf } from '../model/malloc-conf.js';
import { findOption, type OptionRow } from '../model/malloc-conf-options.js';
import type { MallocConfFinding } from '../model/malloc-conf-report.js';
import { readOptionValue } from '../model/malloc-conf-value.js';

/** What a start of a real jemalloc with the string showed. */
export interface ObservedMallocConf {
  readonly messages: readonly JemallocMessage[];
  /** `opt.*` read back, by option. */
  readonly effective: Readonly<Record<string, string>>;
  readonly profilingCompiledIn: boolean | undefined;
}

function refusal(
  pair: MallocConfPair,
  reason: string,
  row: OptionRow | undefined,
  observed: ObservedMallocConf,
): MallocConfFinding {
  const noProfiling = row?.build === 'prof' && observed.profilingCompiledIn === false;
  return {
    id: 'library-refuses',
    severity: 'problem',
    title: `this jemalloc refuses ${pair.key}:${pair.value} (“${reason}”)`,
    ...(noProfiling
      ? { cause: 'it was built without profiling (config.prof is false)', remedy: 'jem install --force' }
      : {}),
    offset: pair.offset,
    length: pair.end - pair.offset,
    key: pair.key,
  };
}

function differs(row: OptionRow, value: string, effective: string): boolean {
  const read = readOptionValue(row, value);
  // Words such as `default` become numbers, and clipped values are reported from the string alone.
  if (read.kind !== 'fine' || row.words?.includes(value)) return false;
  return typeof read.value === 'number' ? read.value !== Number(effective) : String(read.value) !== effective;
}

/**
 * What a real start showed that the string alone did not: refused pairs, options whose effective value is another, and whatever
 * else jemalloc said.
 *
 * @param known findings from the string alone; what they say of a pair is not repeated.
 */
export function checkPreflight(
  text: string,
  observed: ObservedMallocConf,
  known: readonly MallocConfFinding[],
): MallocConfFinding[] {
  const { pairs, problems } = parseMallocConf(text);
  const last = new Map(pairs.filter((pair) => pair.reached).map((pair) => [pair.key, pair]));
  const blamed = new Set(known.filter(({ severity }) => severity !== 'info').map(({ key }) => key));
  const whole = { offset: 0, length: text.length };
  const findings: MallocConfFinding[] = [];
  for (const message of observed.messages) {
    if (message.kind === 'refused') {
      const pair = pairs.find(({ key, value }) => key === message.key && value === message.value);
      if (!pair || blamed.has(pair.key)) continue;
      blamed.add(pair.key);
      findings.push(refusal(pair, message.reason, findOption(pair.key), observed));
    } else if (message.kind === 'syntax' && problems.length === 0) {
      findings.push({ id: 'library-refuses', severity: 'problem', title: `jemalloc says: ${message.text}`, ...whole });
    } else if (message.kind === 'other') {
      findings.push({ id: 'library-says', severity: 'warning', title: `jemalloc says: ${message.text}`, ...whole });
    }
  }
  for (const [key, pair] of last) {
    const row = findOption(key);
    const effective = observed.effective[key];
    if (!row || effective === undefined || blamed.has(key) || !differs(row, pair.value, effective)) continue;
    findings.push({
      id: 'effective-differs',
      severity: 'warning',
      title: `${key} is ${effective === '' ? 'empty' : effective} after the start, not ${pair.value}`,
      cause: overriddenBy(key, observed.messages) ?? 'this jemalloc, or this machine, does not take the value',
      offset: pair.offset,
      length: pair.end - pair.offset,
      key,
    });
  }
  return findings;
}

function overriddenBy(key: string, messages: readonly JemallocMessage[]): string | undefined {
  const environment = messages.findIndex((message) => message.kind === 'source' && message.source === 'environment');
  const later = messages
    .slice(environment + 1)
    .find(
      (message) => message.kind === 'source' && parseMallocConf(message.conf).pairs.some((pair) => pair.key === key),
    );
  return environment !== -1 && later?.kind === 'source'
    ? `a later source sets it too: ${later.source} “${later.conf}”`
    : undefined;
}
