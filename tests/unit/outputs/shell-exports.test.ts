import { describe, expect, test } from 'vitest';
import {
  renderGuardedExports,
  renderShellExports,
  SHELLS,
  type ShellExports,
} from '../../../src/outputs/shell-exports.js';

const exports: ShellExports = {
  preloadVariable: 'LD_PRELOAD',
  libraryPath: "/opt/it's/libjemalloc.so.2",
  conf: { value: 'narenas:2', replaces: true },
};

describe('renderShellExports', () => {
  test('quotes for POSIX shells', () => {
    expect(renderShellExports(exports, 'sh')).toMatchInlineSnapshot(`
      "case ":\${LD_PRELOAD-}:" in
        *[\\ :]'/opt/it'\\''s/libjemalloc.so.2'[\\ :]*) ;;
        *) LD_PRELOAD='/opt/it'\\''s/libjemalloc.so.2'\${LD_PRELOAD:+":$LD_PRELOAD"} ;;
      esac
      export LD_PRELOAD
      export MALLOC_CONF='narenas:2'"
    `);
  });

  test('quotes for fish, and ends every statement', () => {
    const script = renderShellExports({ ...exports, libraryPath: "/o\\p/it's" }, 'fish');
    expect(script).toContain("'/o\\\\p/it\\'s'");
    for (const line of script.split('\n')) expect(line).toMatch(/;$/);
  });

  test('leaves a MALLOC_CONF that is there unless it is to be replaced', () => {
    const kept = { ...exports, conf: { value: 'narenas:2', replaces: false } };
    expect(renderShellExports(kept, 'bash')).toContain('if [ -z "$' + '{MALLOC_CONF-}" ]; then');
    expect(renderShellExports(kept, 'fish')).toContain('if test -z "$MALLOC_CONF";');
    const { conf: _conf, ...without } = exports;
    for (const shell of SHELLS) expect(renderShellExports(without, shell)).not.toContain('MALLOC_CONF');
  });

  test('exports nothing at login once the library is gone', () => {
    expect(renderGuardedExports(exports, 'zsh').split('\n')[0]).toBe(
      "if [ -r '/opt/it'\\''s/libjemalloc.so.2' ]; then",
    );
    expect(renderGuardedExports(exports, 'fish').split('\n')[0]).toBe("if test -r '/opt/it\\'s/libjemalloc.so.2';");
  });

  test('puts the agent behind the library, leaves a JEMKIT_AGENT that is there, and needs both files at login', () => {
    const agentPath = '/opt/libjemkit.so';
    for (const shell of SHELLS) {
      const script = renderShellExports({ ...exports, agentPath }, shell);
      // Each goes in front of what is there: what is to stand first comes last.
      expect(script.indexOf(agentPath)).toBeLessThan(script.indexOf('libjemalloc'));
      expect(script).toContain('JEMKIT_AGENT');
      expect(renderGuardedExports({ ...exports, agentPath }, shell).split('\n')[0]).toContain(agentPath);
      expect(renderShellExports(exports, shell)).not.toContain('JEMKIT_AGENT');
    }
  });
});
