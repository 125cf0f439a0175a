import { Option } from 'commander';
import { DEFAULT_PRESET, PRESETS } from '../../model/malloc-conf-presets.js';
import { addExamples, type ConfigureCommand } from '../command.js';
import { ALLOCATORS, FALLBACKS, type ProgramOptions } from '../run-line.js';
import { startProgram } from '../start-program.js';

export const configure: ConfigureCommand = (command, context) => {
  command
    .description(
      'Start a program under jemalloc: find the library, try it once on the program’s real interpreter, put it in front of LD_PRELOAD, ' +
        'and become the program (same pid, streams, terminal and exit code). Where it cannot be used, the program starts with the ' +
        'system allocator and one line says why.',
    )
    .argument('<command...>', 'the program and its arguments')
    .passThroughOptions()
    .addOption(new Option('--allocator <name>', 'the allocator').choices(ALLOCATORS).default('jemalloc'))
    .option('--library <path>', 'this library file and no other')
    .option(
      '--conf <pairs>',
      'MALLOC_CONF options, KEY:VALUE,…; they count before those of the environment and the preset',
    )
    .option(
      '--preset <name>',
      `a named set of options: ${Object.keys(PRESETS).join(', ')}, none (default: ${DEFAULT_PRESET})`,
    )
    .addOption(
      new Option('--fallback <how>', 'without a usable library: start anyway with a line, in silence, or not at all')
        .choices(FALLBACKS)
        .default('warn'),
    )
    .option('--no-children', 'take the variables out of what the program itself starts')
    .option('--agent', 'let jem stats, top, ctl and the like into every program started (JEMKIT_AGENT=1)')
    .option('--no-agent', 'let them into none; without either into those it was proven on (JEMKIT_AGENT=auto)')
    .option(
      '--no-profiling',
      'leave prof:true,prof_active:false out of MALLOC_CONF, with which jem profile can look later at what runs',
    )
    .option('--print', 'show the command line and the environment; run nothing')
    .option('--json', 'with --print: the whole plan as JSON')
    .action((words: string[], options: ProgramOptions) => startProgram(words, options, context));
  addExamples(command, [
    ['jem run -- node server.js', 'a Node server'],
    ['jem run -- npm start', 'an npm script and all it starts'],
    ['jem run --preset low-memory -- bundle exec puma', 'Ruby, trading some speed for memory'],
    ['jem run --conf narenas:2,dirty_decay_ms:500 -- python3 app.py', 'your own options'],
    ['jem run --no-children -- node crawler.js', 'not the browsers that it starts'],
    ['jem run --agent -- ./server', 'to be observed while it runs, whatever program it is'],
    ['jem run --print -- redis-server', 'what would be run'],
  ]);
};
