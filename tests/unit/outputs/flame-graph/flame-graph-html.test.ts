import { createHash } from 'node:crypto';
import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { HeapProfile } from '../../../../src/model/heap-profile.js';
import { renderFlameGraphHtml } from '../../../../src/outputs/flame-graph/flame-graph-html.js';
import { earlierShopProfile, profileOf, shopProfile } from '../../../support/flame-graph-profiles.js';

const hash = (text: string) => createHash('sha256').update(text, 'utf8').digest('base64');
const bodiesOf = (page: string, element: string) =>
  [...page.matchAll(new RegExp(`<${element}[^>]*>([\\s\\S]*?)</${element}>`, 'g'))].map((match) => match[1] ?? '');

describe('renderFlameGraphHtml', () => {
  const page = renderFlameGraphHtml(shopProfile(), { title: 'shop', base: earlierShopProfile() });

  it('allows its own style and script and nothing else', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
    const [style = ''] = bodiesOf(page, 'style');
    const [data = '', script = ''] = bodiesOf(page, 'script');
    expect(policy).toBe(
      `default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-${hash(style)}'; script-src 'sha256-${hash(script)}'`,
    );
    expect(bodiesOf(page, 'style')).toHaveLength(1);
    expect(bodiesOf(page, 'script')).toHaveLength(2);
    expect(style).not.toMatch(/@import|url\(/);
    expect(script).not.toMatch(/\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|innerHTML|eval)\b/);
    expect(page.replace(script, '').replace(data, '')).not.toMatch(/\sstyle="|\son\w+="|src="|href="|https?:/);
    new Script(script);
  });

  it('shows what is not known as such, and every note', () => {
    const capture: HeapProfile['capture'] = {
      ...profileOf([]).capture,
      takenAtMs: undefined,
      pid: undefined,
      sampleBytes: undefined,
      notes: ['One & only.', 'Second <b>note</b>.'],
    };
    const unknown = renderFlameGraphHtml({ ...profileOf([]), capture }, { title: 'x' });
    expect(unknown).toContain('<dt>pid</dt><dd>-</dd>');
    expect(unknown).toContain('<dt>taken</dt><dd>-</dd>');
    expect(unknown).toContain('<dt>a sample every</dt><dd>-</dd>');
    expect(unknown).toContain('<li>One &amp; only.</li><li>Second &lt;b&gt;note&lt;/b&gt;.</li>');
  });

  it('takes texts as text, whatever they are', () => {
    const evil = '</script><script>window.pwned=1</script><!--<img src=x onerror=pwn()>\u2028';
    const hostile = profileOf([{ stack: 'javascript:x', liveBytes: 1 }], { notes: [evil], program: evil });
    const named = { ...hostile, strings: hostile.strings.map((text) => (text === 'x' ? evil : text)) };
    const shown = renderFlameGraphHtml(named, { title: evil });
    expect(bodiesOf(shown, 'script')).toHaveLength(2);
    expect(shown).not.toContain('<script>window');
    expect(shown).not.toContain('<!--');
    expect(shown).not.toContain('<img');
    expect(shown).not.toContain('\u2028');
    expect((JSON.parse(bodiesOf(shown, 'script')[0] ?? '') as { strings: string[] }).strings).toContain(
      evil.replace('\u2028', '\ufffd'),
    );
  });
});
