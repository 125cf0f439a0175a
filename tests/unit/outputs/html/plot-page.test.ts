import { createHash } from 'node:crypto';
import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { renderPlotPage } from '../../../../src/outputs/html/plot-page.js';
import { plotOf } from '../../../support/plots.js';

const hash = (text: string) => createHash('sha256').update(text, 'utf8').digest('base64');
const render = (label: string) =>
  renderPlotPage(plotOf([{ label, command: label }]), { width: 1000, plotHeight: 400 }, hash);
const bodiesOf = (page: string, element: string) =>
  [...page.matchAll(new RegExp(`<${element}[^>]*>([\\s\\S]*?)</${element}>`, 'g'))].map((match) => match[1] ?? '');

describe('renderPlotPage', () => {
  const page = render('run.jemrec');

  it('allows its own style and script and nothing else', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
    expect(policy).toContain("default-src 'none'");
    const [style = ''] = bodiesOf(page, 'style');
    const script = bodiesOf(page, 'script').at(-1) ?? '';
    expect(policy).toContain(`style-src 'sha256-${hash(style)}'`);
    expect(policy).toContain(`script-src 'sha256-${hash(script)}'`);
    expect(bodiesOf(page, 'style')).toHaveLength(1);
    expect(bodiesOf(page, 'script')).toHaveLength(2);
    expect(page).not.toMatch(/\sstyle="|\son\w+="|src="|href="|@import|url\(/);
    expect(page.replace('http://www.w3.org/2000/svg', '').replaceAll("'http://www.w3.org/2000/svg'", '')).not.toContain(
      'http://',
    );
    new Script(script);
  });

  it('carries the curves as data that the pointer reads', () => {
    const data = JSON.parse(bodiesOf(page, 'script')[0] ?? '') as {
      x: { to: number };
      curves: { seconds: number[]; bytes: number[] }[];
    };
    expect(data.x.to).toBe(89);
    expect(data.curves[0]?.seconds).toHaveLength(90);
    expect(data.curves[0]?.bytes.at(-1)).toBe(189 * 2 ** 20);
    expect(page.match(/<input type="checkbox" checked data-curve="\d+">/g)).toHaveLength(data.curves.length);
  });

  it('takes names as text, whatever they are', () => {
    const hostile = render('</script><script>window.pwned=1</script><!--" onload="x');
    expect(bodiesOf(hostile, 'script')).toHaveLength(2);
    expect(hostile).not.toContain('<script>window');
    expect(hostile).not.toContain('<!--');
  });
});
