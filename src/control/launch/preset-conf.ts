import { JemkitError } from '../../errors.js';
import { DEFAULT_PRESET, type MallocConfPresetName, PRESETS } from '../../model/malloc-conf-presets.js';

/** jemalloc is built without these on macOS, and with `background_thread:true` its start-up fails there, and so does every malloc. */
const NOT_ON_MACOS = /^(background_thread|max_background_threads|metadata_thp|thp):/;

/**
 * The MALLOC_CONF string of a preset; of the default one where no name is given, undefined for 'none'.
 *
 * @throws JemkitError ERR_JEM_USAGE for an unknown name.
 */
export function presetConf(name: string | undefined, platform: NodeJS.Platform = process.platform): string | undefined {
  if (name === 'none') return undefined;
  const known = name ?? DEFAULT_PRESET;
  if (!Object.hasOwn(PRESETS, known)) {
    throw new JemkitError(
      'ERR_JEM_USAGE',
      `no preset '${known}' (expected ${Object.keys(PRESETS).join(', ')} or none)`,
      {
        hint: 'jem conf presets',
      },
    );
  }
  const { conf } = PRESETS[known as MallocConfPresetName];
  if (platform !== 'darwin') return conf;
  return conf
    .split(',')
    .filter((pair) => !NOT_ON_MACOS.test(pair))
    .join(',');
}
