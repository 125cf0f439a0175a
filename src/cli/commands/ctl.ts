import { isatty } from 'node:tty';
import { JemkitError } from '../../errors.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { isCtlAction, parseCtlWords } from '../ctl/ctl-words.js';
import { getKeys } from '../ctl/get-keys.js';
import { listKeys } from '../ctl/list-keys.js';
import { setKey } from '../ctl/set-key.js';
import { readWatchInterval, type WatchValue } from '../watch-interval.js';

interface CtlOptions {
  readonly json?: true;
  readonly watch?: WatchValue;
  readonly dryRun?: true;
}

async function ctl(typed: readonly string[], options: CtlOptions, context: CommandContext): Promise<void> {
  const asked = { verb: 'ctl', shortestMs: 100, mayBeWord: isCtlAction(typed[0]) };
  const { intervalMs, word } = readWatchInterval(options.watch, asked);
  const { target, action, rest } = parseCtlWords(word === undefined ? typed : [word, ...typed]);
  if (options.watch !== undefined && action !== 'get')
    throw new JemkitError('ERR_JEM_USAGE', `--watch is for jem ctl get, received jem ctl ${action}`);
  if (options.dryRun && action !== 'set')
    throw new JemkitError('ERR_JEM_USAGE', `--dry-run is for jem ctl set, received jem ctl ${action}`);
  const json = options.json === true;
  switch (action) {
    case 'get':
      return getKeys(target, rest, { json, intervalMs }, context);
    case 'set':
      return setKey(target, rest, { json, dryRun: options.dryRun === true }, context);
    case 'list':
      return listKeys(rest[0], { json, cut: isatty(1) }, context);
  }
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Read and set the mallctl keys of the jemalloc in a running process, by pid or name; without either, in the only process with an ' +
        'agent. Values come with their unit, and are taken with one (5s, 64KiB). `all` in place of an arena’s index is all of them. ' +
        'set says what a value was and how to set it back; what could take the process down is refused.',
    )
    .usage(
      '[options] [target] get <key...>\n       jem ctl [options] [target] set <key> [value]\n       jem ctl [options] list [pattern]',
    )
    .argument('[words...]', 'pid or name, then get, set or list, then keys')
    .option('--json', 'print JSON')
    .option('-w, --watch [interval]', 'get: read again every 2 seconds (or so many, or 500ms, 1m) until interrupted')
    .option('--dry-run', 'set: only say what would change')
    .action((words: string[], options: CtlOptions) => ctl(words, options, context));
  addExamples(command, [
    ['jem ctl 4711 get stats.allocated stats.active', 'what the program holds, and the pages that takes'],
    ['jem ctl redis-server get stats.arenas.all.pdirty --watch', 'unused pages, every two seconds'],
    ['jem ctl 4711 set background_thread true', 'purge from threads of jemalloc’s own'],
    ["jem ctl list '*decay*'", 'which keys are there?'],
  ]);
};
