import { JemkitError } from '../../errors.js';
import { DEFAULT_PRESET, type MallocConfPresetName, PRESETS } from '../../model/malloc-conf-presets.js';

/**
 * The MALLOC_CONF string of a preset; of the default one where no name is given, undefined for 'none'.
 *
 * @throws JemkitError ERR_JEM_USAGE for an unknown name.
 */
export function presetConf(name: string | undefined): string | undefined {
  if (name === 'none') return undefined;
  const known = name ?? DEFAULT_PRESET;
  if (!Object.hasOwn(PRESETS, known)) {
    throw new JemkitError('ERR_JEM_USAGE', `no preset '${known}' (expected ${Object.keys(PRESETS).join(', ')} or none)`, {
      hint: 'jem conf presets',
    });
  }
  return PRESETS[known as MallocConfPresetName].conf;
}
