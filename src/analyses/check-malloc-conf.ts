import { JemkitError } from '../errors.js';
import { compareJemallocVersions, type JemallocVersion, parseJemallocVersion } from '../model/jemalloc-version.js';
import {
  type MallocConfPair,
  type MallocConfSyntaxProblem,
  parseMallocConf,
  renderMallocConf,
} from '../model/malloc-conf.js';
import { findOption, type OptionRow } from '../model/malloc-conf-options.js';
import type { MallocConfFinding } from '../model/malloc-conf-report.js';
import { checkOptionValue, suggestValue } from './check-option-value.js';
import { findMallocConfConflicts } from './malloc-conf-conflicts.js';
import { keyOf, wholePair } from './malloc-conf-parts.js';
import { namesFor, optionIn } from './malloc-conf-versions.js';
import { nearestName } from './nearest-name.js';

/** What a check may know of the place where the string will be used. */
export interface CheckMallocConfOptions {
  /** The jemalloc that will read it: `5.3.0`, or what jemalloc says of itself. Without it only what holds for all of 5.x is judged. */
  readonly version?: string | undefined;
  /** Default: the platform of this process is not considered. */
  readonly platform?: NodeJS.Platform | undefined;
}

// jemalloc compares these by the length of what was given, so that `d` is `dss`.
const MATCHED_BY_PREFIX = ['metadata_thp', 'dss', 'percpu_arena', 'purge', 'hpa_hugify_style'];
// Builds of the distributions have none of these.
const RARE_BUILDS: Readonly<Record<string, string>> = {
  utrace: '--enable-utrace',
  xmalloc: '--enable-xmalloc',
  log: '--enable-log',
  'uaf-detection': '--enable-uaf-detection',
};

function checkSyntax(
  text: string,
  problem: MallocConfSyntaxProblem,
  pairs: readonly MallocConfPair[],
): MallocConfFinding {
  const repaired = renderMallocConf(pairs.map(({ key, value }) => ({ key, value: value.trim() })));
  const remedy = repaired === '' ? {} : { remedy: repaired };
  switch (problem.kind) {
    case 'malformed-key': {
      const { ignoredFrom, offset, character } = problem;
      const part = { offset: ignoredFrom, length: text.length - ignoredFrom };
      const what =
        character === ','
          ? 'a comma'
          : character === ' '
            ? 'a space'
            : character === '='
              ? "'='"
              : JSON.stringify(character);
      const all = ignoredFrom === 0 ? 'the whole string' : `'${text.slice(ignoredFrom)}'`;
      return {
        id: 'malformed-pair',
        severity: 'problem',
        title: `${what} at position ${offset + 1} makes jemalloc ignore ${all}`,
        cause: 'a pair is KEY:VALUE; between pairs stands one comma and nothing else',
        ...remedy,
        ...part,
      };
    }
    case 'no-value':
      return {
        id: 'no-value',
        severity: 'problem',
        title: `'${problem.key}' has no value`,
        cause: 'jemalloc says “Conf string ends with key” and ignores it',
        offset: problem.offset,
        length: problem.key.length,
        key: problem.key,
      };
    case 'trailing-comma':
      return {
        id: 'trailing-comma',
        severity: 'problem',
        title: 'a comma at the end',
        cause: 'jemalloc reads the pairs, but says “Conf string ends with comma” on stderr of every process',
        ...remedy,
        offset: problem.offset,
        length: 1,
      };
  }
}

function unknownOption(pair: MallocConfPair, version: JemallocVersion | undefined): MallocConfFinding {
  const names = namesFor(version);
  const meant =
    pair.key === '' ? undefined : MATCHED_BY_PREFIX.find((name) => name.startsWith(pair.key) && names.includes(name));
  if (meant) {
    return {
      id: 'abbreviated-option',
      severity: 'warning',
      title: `jemalloc takes '${pair.key}' for ${meant}`,
      cause: 'it compares this name only as far as it is written',
      remedy: `${meant}:${pair.value}`,
      ...keyOf(pair),
    };
  }
  const guess = nearestName(pair.key, names);
  const experimental = pair.key.startsWith('experimental_')
    ? '; as its name begins with experimental_, not even abort_conf:true treats it as an error'
    : '';
  return {
    id: 'unknown-option',
    severity: 'problem',
    title:
      pair.key === '' ? 'an option without a name' : `jemalloc ${version ?? '4.0 to 5.4'} has no option '${pair.key}'`,
    cause: `it warns on stderr and ignores the pair${experimental}`,
    ...(guess ? { remedy: `${guess}:${suggestValue(findOption(guess)!, pair.value) ?? pair.value}` } : {}),
    ...keyOf(pair),
  };
}

function checkAvailability(
  pair: MallocConfPair,
  row: OptionRow,
  version: JemallocVersion | undefined,
): MallocConfFinding[] {
  const remedy = row.replacement ? { remedy: row.replacement } : {};
  const removed = (): MallocConfFinding => ({
    id: 'removed-option',
    severity: 'problem',
    title: `${pair.key} is gone since jemalloc ${row.removedIn}`,
    cause: version ? `jemalloc ${version} ignores the pair` : 'every jemalloc since then ignores the pair',
    ...remedy,
    ...keyOf(pair),
  });
  if (!version) {
    if (row.removedIn === '5.0.0') return [removed()];
    if (!row.removedIn && compareJemallocVersions(row.since, '5.0.0') <= 0) return [];
    const range = row.removedIn ? `from ${row.since} until before ${row.removedIn}` : `from ${row.since} on`;
    return [{ id: 'version-dependent', severity: 'info', title: `${pair.key} exists ${range}`, ...keyOf(pair) }];
  }
  const { kind } = optionIn(row, version);
  if (kind === 'removed') return [removed()];
  if (kind === 'here') return [];
  return [
    {
      id: 'option-too-new',
      severity: 'problem',
      title: `${pair.key} exists since jemalloc ${row.since}`,
      cause: `jemalloc ${version} warns on stderr and ignores the pair`,
      ...remedy,
      ...keyOf(pair),
    },
  ];
}

function checkPair(pair: MallocConfPair, version: JemallocVersion | undefined): MallocConfFinding[] {
  const row = findOption(pair.key);
  if (!row) return [unknownOption(pair, version)];
  const availability = checkAvailability(pair, row, version);
  if (availability.some(({ severity }) => severity === 'problem')) return availability;
  const here = version ? optionIn(row, version) : undefined;
  const switchName = RARE_BUILDS[row.build ?? ''];
  const rare: MallocConfFinding[] = switchName
    ? [
        {
          id: 'rare-build',
          severity: 'warning',
          title: `${pair.key} exists only in a jemalloc configured with ${switchName}`,
          cause: 'the distributions’ packages are not: they warn and ignore the pair',
          ...keyOf(pair),
        },
      ]
    : [];
  return [...availability, ...rare, ...checkOptionValue(pair, here?.kind === 'here' ? here.row : row)];
}

function checkDuplicates(pairs: readonly MallocConfPair[]): MallocConfFinding[] {
  const first = new Map<string, MallocConfPair>();
  const findings: MallocConfFinding[] = [];
  for (const pair of pairs) {
    const before = first.get(pair.key);
    if (before) {
      findings.push({
        id: 'duplicate-option',
        severity: 'warning',
        title: `${pair.key} is given twice: '${before.value}', then '${pair.value}'`,
        cause: 'jemalloc takes the last',
        remedy: `${pair.key}:${pair.value}`,
        ...wholePair(pair),
      });
    }
    first.set(pair.key, pair);
  }
  return findings;
}

/**
 * Checks a MALLOC_CONF string without running anything: syntax, unknown, removed and later options, types, ranges, duplicates,
 * spaces and options that cancel each other, by jemalloc's own rules (its sources, 4.0 to 5.4). Severity `problem` means that
 * jemalloc ignores something or reads it as something else; `warning` that it works, but hardly as meant.
 *
 * @returns the findings in the order of their place in the string; empty for a string nothing is to be said about.
 * @throws JemkitError ERR_JEM_USAGE for a version that is none.
 *
 * @example
 * checkMallocConf('dirty_decay:5000', { version: '5.3.0' })[0]?.remedy; // 'dirty_decay_ms:5000'
 */
export function checkMallocConf(text: string, options: CheckMallocConfOptions = {}): MallocConfFinding[] {
  const version = options.version === undefined ? undefined : parseJemallocVersion(options.version);
  if (options.version !== undefined && !version) {
    throw new JemkitError(
      'ERR_JEM_USAGE',
      `'${options.version}' is no jemalloc version (expected, for example, 5.3.0)`,
    );
  }
  const { pairs, problems } = parseMallocConf(text);
  const findings = [
    ...problems.map((problem) => checkSyntax(text, problem, pairs)),
    ...pairs.flatMap((pair) => checkPair(pair, version)),
    ...checkDuplicates(pairs),
    ...findMallocConfConflicts(pairs, options.platform),
  ];
  return findings.sort((a, b) => a.offset - b.offset);
}
