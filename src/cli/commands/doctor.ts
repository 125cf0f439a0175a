import type { Command } from 'commander';
import { doctorFindings } from '../../analyses/doctor-findings.js';
import { openImageFactsCache } from '../../control/cache/image-facts-cache.js';
import { examineCommand } from '../../control/doctor/examine-command.js';
import { examineMachine } from '../../control/doctor/examine-machine.js';
import { examineProcess } from '../../control/doctor/examine-process.js';
import { JemkitError } from '../../errors.js';
import type { DoctorFacts } from '../../model/doctor-facts.js';
import { renderDoctorPage } from '../../outputs/text/doctor-page.js';
import { libraryCacheFolders } from '../../sources/process/jemkit-folders.js';
import { openImageReader } from '../../sources/process/mapped-images.js';
import { addExamples, type CommandContext, type ConfigureCommand } from '../command.js';
import { isCommand } from '../is-command.js';

/** Larger than any pid of Linux (PID_MAX_LIMIT). */
const MAX_PID = 4_194_304;

function parsePid(text: string): number {
  const pid = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (pid < 1 || pid > MAX_PID) {
    throw new JemkitError('ERR_JEM_USAGE', `'${text}' is no pid (expected a number from 1 to ${MAX_PID})`, {
      hint: /^[a-z]/i.test(text) ? `for a command write: jem doctor -- ${text}` : 'jem ps lists the processes',
    });
  }
  return pid;
}

function examine(words: readonly string[], asCommand: boolean): DoctorFacts {
  const [first] = words;
  if (asCommand) {
    if (first === undefined)
      throw new JemkitError('ERR_JEM_USAGE', 'there is no command after --', { hint: 'jem doctor -- node server.js' });
    return examineCommand(words, process.env);
  }
  if (words.length > 1) {
    throw new JemkitError(
      'ERR_JEM_USAGE',
      `doctor takes one pid, or a command after --; received ${words.length} words`,
      {
        hint: `jem doctor -- ${words.join(' ')}`,
      },
    );
  }
  const pid = first === undefined ? undefined : parsePid(first);
  if (pid !== undefined && process.platform !== 'linux') {
    throw new JemkitError(
      'ERR_JEM_UNSUPPORTED_PLATFORM',
      `a running process is examined through /proc, which ${process.platform} does not have`,
      {
        hint: 'jem doctor, and jem doctor -- COMMAND, work here',
      },
    );
  }
  const cache = openImageFactsCache(libraryCacheFolders(process.env, process.geteuid?.())[0]);
  const reader = openImageReader(cache);
  const facts = pid === undefined ? examineMachine(process.env, reader) : examineProcess(pid, process.env, reader);
  cache.save();
  return facts;
}

function doctor(
  words: readonly string[],
  options: { readonly json?: true },
  command: Command,
  context: CommandContext,
): void {
  const { terminal } = context;
  const facts = examine(words, isCommand(command, words));
  const findings = doctorFindings(facts);
  terminal.print(
    options.json
      ? JSON.stringify({ facts, findings }, undefined, 2)
      : renderDoctorPage(facts, findings, (style, text) => terminal.style(style, text)),
  );
  if (findings.some(({ severity }) => severity === 'problem')) context.exitCode = 1;
}

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Will jemalloc work, and does it? Without arguments: this machine and shell. With a pid: that process, which allocator ' +
        'serves it and why. With a command after --: how jem run would start it, tried by a real start of its interpreter that ' +
        'is stopped before its main(), so nothing of the program runs. Changes nothing. Exit code 1 where there is a problem.',
    )
    .usage('[options] [pid | -- command...]')
    .argument('[words...]')
    .option('--json', 'print all facts and findings as JSON')
    .action((words: string[], options: { json?: true }) => doctor(words, options, command, context));
  addExamples(command, [
    ['jem doctor', 'this machine and shell'],
    ['jem doctor 4711', 'why does (or does not) this process use jemalloc?'],
    ['jem doctor -- node server.js', 'would this work? for CI'],
  ]);
};
