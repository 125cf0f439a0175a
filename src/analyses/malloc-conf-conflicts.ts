import type { MallocConfPair } from '../model/malloc-conf.js';
import { findOption } from '../model/malloc-conf-options.js';
import type { MallocConfFinding } from '../model/malloc-conf-report.js';

type Values = ReadonlyMap<string, MallocConfPair>;

function finding(
  pair: MallocConfPair,
  id: string,
  severity: MallocConfFinding['severity'],
  title: string,
  more: Pick<MallocConfFinding, 'cause' | 'remedy'> = {},
): MallocConfFinding {
  return { id, severity, title, ...more, offset: pair.offset, length: pair.end - pair.offset, key: pair.key };
}

/** Options that do nothing because of what another is, or is not. */
function missingRequirements(values: Values): MallocConfFinding[] {
  return [...values.values()].flatMap((pair) => {
    const row = findOption(pair.key);
    if (!row?.requires || pair.value === row.default) return [];
    const [key = '', wanted] = row.requires.split(':');
    const actual = values.get(key)?.value ?? findOption(key)?.default;
    const met = wanted === undefined ? actual !== findOption(key)?.default : actual === wanted;
    if (met) return [];
    return [
      finding(pair, 'needs-option', 'warning', `${pair.key} does nothing without ${row.requires}`, {
        ...(wanted === undefined ? {} : { remedy: `${row.requires},${pair.key}:${pair.value}` }),
      }),
    ];
  });
}

const PROFILE_AT_EXIT =
  'Node frees its Buffers before this last profile is written, and every helper process with the variable writes one too';

function singleOptions(values: Values): MallocConfFinding[] {
  const findings: MallocConfFinding[] = [];
  const is = (key: string, value: string) => (values.get(key)?.value === value ? values.get(key) : undefined);
  const abort = is('abort_conf', 'true');
  if (abort) {
    findings.push(
      finding(
        abort,
        'abort-conf',
        'warning',
        'any process that inherits this dies (exit code 134) where its jemalloc refuses one pair',
        {
          cause: 'another version of jemalloc in a child process is enough',
          remedy: 'leave it out in production, and check instead: jem conf check',
        },
      ),
    );
  }
  const final = is('prof_final', 'true');
  if (final) {
    findings.push(
      finding(final, 'prof-final', 'warning', 'prof_final shows little in a Node process', {
        cause: PROFILE_AT_EXIT,
        remedy: 'lg_prof_interval:32',
      }),
    );
  }
  const confirm = is('confirm_conf', 'true');
  if (confirm) {
    findings.push(
      finding(confirm, 'confirm-conf', 'info', 'confirm_conf prints on stderr of every process that inherits it', {
        cause: 'programs that parse a child’s stderr may stumble over it',
      }),
    );
  }
  const immediate = is('dirty_decay_ms', '0');
  if (immediate) {
    findings.push(
      finding(
        immediate,
        'immediate-decay',
        'info',
        'dirty_decay_ms:0 gives every freed page back at once: 40 to 70 % more CPU was measured',
        {
          remedy: 'dirty_decay_ms:1000',
        },
      ),
    );
  }
  return findings;
}

function combinations(values: Values): MallocConfFinding[] {
  const findings: MallocConfFinding[] = [];
  const [narenas, ratio, percpu] = ['narenas', 'narenas_ratio', 'percpu_arena'].map((key) => values.get(key));
  if (percpu && percpu.value !== 'disabled') {
    const other = narenas ?? ratio;
    if (other) {
      findings.push(
        finding(
          other,
          'arena-count-conflict',
          'warning',
          `${other.key} and ${percpu.key} both decide the number of arenas`,
          {
            cause: 'jemalloc takes the greater number, and threads use one arena per CPU',
            remedy: `leave one of them out: ${percpu.key}:${percpu.value} or ${other.key}:${other.value}`,
          },
        ),
      );
    }
  } else if (narenas && ratio) {
    findings.push(
      finding(ratio, 'arena-count-conflict', 'warning', 'narenas_ratio does nothing beside narenas', {
        remedy: `narenas:${narenas.value}`,
      }),
    );
  }
  const [dirty, muzzy, background] = ['dirty_decay_ms', 'muzzy_decay_ms', 'background_thread'].map((key) =>
    values.get(key),
  );
  if (dirty?.value === '-1' && muzzy && muzzy.value !== '-1') {
    findings.push(
      finding(muzzy, 'muzzy-without-dirty', 'warning', 'muzzy_decay_ms does nothing with dirty_decay_ms:-1', {
        cause: 'pages become muzzy only when they stop being dirty, which is never',
      }),
    );
  }
  const decay = [dirty, muzzy].find((pair) => pair && Number(pair.value) > 0);
  if (decay && background?.value !== 'true') {
    findings.push(
      finding(decay, 'no-background-thread', 'info', `at rest nothing is given back, whatever ${decay.key} says`, {
        cause: 'without background_thread:true jemalloc looks at the clock only when the program allocates or frees',
        remedy: `background_thread:true,${decay.key}:${decay.value}`,
      }),
    );
  }
  return findings;
}

const LINUX_ONLY = ['background_thread', 'max_background_threads', 'thp', 'metadata_thp'];

function platformLimits(values: Values, platform: NodeJS.Platform | undefined): MallocConfFinding[] {
  if (platform !== 'darwin') return [];
  return LINUX_ONLY.flatMap((key) => {
    const pair = values.get(key);
    if (!pair || pair.value === findOption(key)?.default) return [];
    if (key === 'background_thread') {
      return [
        finding(
          pair,
          'not-on-platform',
          'problem',
          'jemalloc does not start with background_thread:true on macOS, and every malloc fails',
        ),
      ];
    }
    return [finding(pair, 'not-on-platform', 'warning', `${key} does nothing on macOS`)];
  });
}

/** What the pairs of a string do to each other; of an option given twice the last counts. */
export function findMallocConfConflicts(
  pairs: readonly MallocConfPair[],
  platform: NodeJS.Platform | undefined,
): MallocConfFinding[] {
  const values = new Map(pairs.map((pair) => [pair.key, pair]));
  return [
    ...missingRequirements(values),
    ...singleOptions(values),
    ...combinations(values),
    ...platformLimits(values, platform),
  ];
}
