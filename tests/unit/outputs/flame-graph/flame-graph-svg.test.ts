import { describe, expect, it } from 'vitest';
import { renderFlameGraphSvg } from '../../../../src/outputs/flame-graph/flame-graph-svg.js';
import { earlierShopProfile, hugeProfile, profileOf, shopProfile } from '../../../support/flame-graph-profiles.js';
import { parseMarkup } from '../../../support/markup.js';

const widthsOf = (svg: string) =>
  [...svg.matchAll(/<rect class="(?:k\d|d\d|root|rest)[^>]* width="([\d.]+)" height="17"/g)].map((match) =>
    Number(match[1]),
  );

describe('renderFlameGraphSvg', () => {
  it('draws a box with a tooltip for each function of each stack', () => {
    const svg = renderFlameGraphSvg(shopProfile(), { title: 'shop' });
    parseMarkup(svg);
    expect(svg).toContain('loadCatalog (/srv/shop/src/catalog.ts:30, JavaScript): 220 MiB live bytes, 40.2 %');
    expect(svg).toContain('547 MiB live bytes');
    expect(svg).toContain('fill="url(#hatch)"');
    expect(svg).not.toMatch(/<script|href=|\son\w+=/);
  });

  it('colours a difference and tells it in words', () => {
    const svg = renderFlameGraphSvg(shopProfile(), { title: 'shop', base: earlierShopProfile() });
    parseMarkup(svg);
    expect(svg).toContain('+97.2 MiB against the earlier profile');
    // WebAssembly is new: the last colour of the scale.
    expect(svg).toMatch(/<title>parse [^<]*<\/title><rect class="d24"/);
  });

  it('puts boxes together that are narrower than half a pixel', () => {
    const svg = renderFlameGraphSvg(hugeProfile(3000), { title: 'many' });
    parseMarkup(svg);
    const widths = widthsOf(svg);
    expect(widths.length).toBeGreaterThan(100);
    expect(Math.min(...widths)).toBeGreaterThanOrEqual(0.49);
    expect(svg).toMatch(/<title>[\d,]+ more<\/title>/);
    expect(svg.length).toBeLessThan(4_000_000);
  });

  it('takes names as text and says where nothing is held', () => {
    const svg = renderFlameGraphSvg(profileOf([{ stack: 'javascript:a"<b>&\u202e', liveBytes: 1 }]), { title: '<x>' });
    parseMarkup(svg);
    expect(svg).not.toContain('<b>');
    const empty = renderFlameGraphSvg(profileOf([]), { title: 'empty' });
    parseMarkup(empty);
    expect(empty).toContain('nothing is held');
  });
});
