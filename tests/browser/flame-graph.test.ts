import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { renderFlameGraphHtml } from '../../src/outputs/flame-graph/flame-graph-html.js';
import { renderFlameGraphSvg } from '../../src/outputs/flame-graph/flame-graph-svg.js';
import { earlierShopProfile, profileOf, shopProfile } from '../support/flame-graph-profiles.js';
import { type OpenedPage, openReportBrowser, type ReportBrowser, settle } from '../support/report-page.js';

const MIB = 2 ** 20;
const ROW = 19;

let browser: ReportBrowser;
let opened: OpenedPage;

beforeAll(async () => {
  browser = await openReportBrowser();
});
afterAll(() => browser.close());

async function open(html: string, options?: { colorScheme?: 'light' | 'dark' }): Promise<Page> {
  opened = await browser.open(html, options);
  await settle(opened.page);
  return opened.page;
}

afterEach(async () => {
  const { page, requests, complaints } = opened;
  await page.context().close();
  expect(requests).toEqual([]);
  expect(complaints).toEqual([]);
});

const shop = renderFlameGraphHtml(shopProfile(), { title: 'the shop' });
const compared = renderFlameGraphHtml(shopProfile(), { title: 'the shop', base: earlierShopProfile() });

/** The colour of the canvas at a point, as `[red, green, blue]`. */
function colourAt(page: Page, x: number, row: number): Promise<number[]> {
  return page.evaluate(
    ([across, down]) => {
      const canvas = document.querySelector('canvas')!;
      const scale = canvas.width / canvas.clientWidth;
      const copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
      copy.drawImage(canvas, -across! * scale, -down! * scale);
      const pixel = copy.getImageData(0, 0, 1, 1);
      return [...pixel.data].slice(0, 3);
    },
    [x, row * ROW + 2],
  );
}

async function clickBox(page: Page, x: number, row: number): Promise<void> {
  await page.click('#canvas', { position: { x, y: row * ROW + ROW / 2 } });
  await settle(page);
}

const text = (page: Page, selector: string) => page.locator(selector).innerText();
const rowNames = (page: Page) => page.locator('#rows tbody .name').allInnerTexts();

describe('the flame graph', () => {
  it('shows title, totals and the whole profile', async () => {
    const page = await open(shop);
    expect(await page.title()).toBe('the shop');
    expect(await text(page, '#totals')).toContain('547 MiB');
    expect(await text(page, '#totals')).toContain('3.21 GiB');
    expect(await text(page, '#current')).toBe('Everything: 547 MiB live bytes');
  });

  it('zooms into a box, shows the way, and goes back', async () => {
    const page = await open(shop);
    await clickBox(page, 100, 7);
    expect(await text(page, '#current')).toContain('loadCatalog catalog.ts:30: 220 MiB, 40.2 % of all');
    expect(await text(page, '#crumbs button[aria-current]')).toBe('loadCatalog');
    // All of the width is now what only the left of it was.
    await page.hover('#canvas', { position: { x: 1300, y: 7 * ROW + 9 } });
    expect(await text(page, '#tip')).toContain('loadCatalog');
    expect(await text(page, '#tip')).toContain('at lines 42, 57');
    expect(await text(page, '#tip')).toContain('220 MiB');
    await page.click('#back');
    await settle(page);
    expect(await text(page, '#crumbs')).toBe('all');
    expect(await page.isDisabled('#back')).toBe(true);
  });

  it('is used with the keyboard alone', async () => {
    const page = await open(shop);
    await page.focus('#canvas');
    for (const key of ['ArrowDown', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
    expect(await text(page, '#current')).toContain('node::Start node: 64.0 MiB');
    await page.keyboard.press('ArrowUp');
    expect(await text(page, '#current')).toContain('(asynchronous): 64.0 MiB');
    await page.keyboard.press('Enter');
    await settle(page);
    expect(await text(page, '#crumbs button[aria-current]')).toBe('(asynchronous)');
    await page.keyboard.press('Escape');
    await settle(page);
    expect(await text(page, '#crumbs')).toBe('all');
    await page.keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('search');
  });

  it('finds functions and says how much they hold', async () => {
    const page = await open(shop);
    const before = await colourAt(page, 100, 5);
    await page.fill('#search', 'CATALOG');
    await settle(page);
    expect(await text(page, '#found')).toBe('220 MiB · 40.2 % · 1 match');
    expect(await colourAt(page, 100, 5)).not.toEqual(before);
    await page.fill('#search', '/^(node::Start|loadCatalog)\\b/');
    expect(await text(page, '#found')).toBe('517 MiB · 94.5 % · 2 matches');
    await page.fill('#search', 'nothing of the kind');
    expect(await text(page, '#found')).toBe('no match');
    await page.keyboard.press('Escape');
    await settle(page);
    expect(await text(page, '#found')).toBe('');
    expect(await colourAt(page, 100, 5)).toEqual(before);
  });

  it('lets JavaScript stand above what it holds, once the runtime is hidden', async () => {
    const page = await open(shop);
    await page.click('[data-name="No runtime"]');
    await settle(page);
    await clickBox(page, 30, 1);
    expect(await text(page, '#current')).toContain('Server.onRequest server.js:60: 408 MiB');
    await page.click('[data-value="callers"]');
    await settle(page);
    await page.hover('#canvas', { position: { x: 30, y: ROW + 9 } });
    expect(await text(page, '#tip')).toContain('loadCatalog');
    // Pressed once, a kind is merged; pressed again, hidden.
    await page.click('[data-name="Everything"]');
    await page.click('[data-name="v8"]');
    expect(await page.locator('[data-name="v8"]').getAttribute('aria-label')).toContain('merged');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-name'))).toBe('v8');
  });

  it('grows the other way up, and by lines, modules and packages', async () => {
    const page = await open(shop);
    await page.click('[data-value="up"]');
    await settle(page);
    const bottom = await page.evaluate(() => document.querySelector('canvas')!.clientHeight);
    await page.hover('#canvas', { position: { x: 30, y: bottom - ROW - 9 } });
    expect(await text(page, '#tip')).toContain('node::Start');
    await page.click('[data-value="down"]');
    await page.selectOption('#granularity', 'package');
    await settle(page);
    await page.hover('#canvas', { position: { x: 30, y: 2 * ROW + 9 } });
    expect(await text(page, '#tip')).toContain('fastify');
  });

  it('switches values and threads', async () => {
    const page = await open(shop);
    await page.selectOption('#metric', 'allocatedBytes');
    expect(await text(page, '#current')).toBe('Everything: 3.21 GiB allocated bytes');
    await page.selectOption('#thread', { label: 'worker' });
    expect(await text(page, '#current')).toBe('Everything: 516 MiB allocated bytes');
    await page.selectOption('#metric', 'liveObjects');
    expect(await text(page, '#current')).toBe('Everything: 1,376 live objects');
  });

  it('shows only what passes through a function', async () => {
    const page = await open(shop);
    await clickBox(page, 100, 7);
    await page.click('#current button:has-text("Its callers")');
    await settle(page);
    expect(await text(page, '#crumbs .focus')).toContain('callers of loadCatalog');
    await page.hover('#canvas', { position: { x: 700, y: 2 * ROW + 9 } });
    expect(await text(page, '#tip')).toContain('handler');
    await page.click('#crumbs .focus');
    await settle(page);
    expect(await page.locator('#crumbs .focus').count()).toBe(0);
  });

  it('follows the system into the dark, or the switch', async () => {
    const ground = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const page = await open(shop, { colorScheme: 'dark' });
    expect(await ground(page)).toBe('rgb(21, 22, 23)');
    const dark = await colourAt(page, 100, 5);
    await page.click('#theme');
    await settle(page);
    expect(await ground(page)).toBe('rgb(255, 255, 255)');
    expect(await colourAt(page, 100, 5)).not.toEqual(dark);
    await page.click('#theme');
    await settle(page);
    expect(await ground(page)).toBe('rgb(21, 22, 23)');
    expect(await colourAt(page, 100, 5)).toEqual(dark);
  });

  it('prints light, with table and notes', async () => {
    const page = await open(shop, { colorScheme: 'dark' });
    const printed = await page.pdf();
    expect(printed.length).toBeGreaterThan(20_000);
    // It was made for the paper, though the tab was never opened.
    expect(await rowNames(page)).toContain('loadCatalog');
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.locator('#panel-table').isVisible()).toBe(true);
    expect(await page.locator('.notes').isVisible()).toBe(true);
    expect(await page.locator('#bar').isVisible()).toBe(false);
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)');
  });

  it('says where nothing is held', async () => {
    const page = await open(renderFlameGraphHtml(profileOf([]), { title: 'empty' }));
    expect(await text(page, '#current')).toBe('Everything: 0 B live bytes');
    await page.click('#tab-table');
    expect(await text(page, '#rows')).toContain('Nothing is held.');
  });
});

describe('the table', () => {
  it('sorts by each column, both ways', async () => {
    const page = await open(shop);
    await page.click('#tab-table');
    expect((await rowNames(page))[0]).toBe('v8::ArrayBuffer::New');
    expect(await page.locator('th[aria-sort="descending"]').innerText()).toContain('Own');
    await page.click('[data-column="cumulative"]');
    expect((await rowNames(page)).slice(0, 2)).toEqual(['node::Start', 'node::SpinEventLoop']);
    await page.click('[data-column="name"]');
    const names = await rowNames(page);
    expect(names).toEqual([...names].sort((a, b) => a.localeCompare(b)));
    await page.click('[data-column="name"]');
    expect(await rowNames(page)).toEqual(names.reverse());
    expect(await page.locator('th[aria-sort="descending"]').count()).toBe(1);
  });

  it('filters rows, and groups by package and module', async () => {
    const page = await open(shop);
    await page.click('#tab-table');
    await page.fill('#filter', 'sqlite');
    expect((await rowNames(page)).sort()).toEqual([
      'Statement.all',
      'Statement::JS_all',
      'pcache1Alloc',
      'sqlite3_step',
    ]);
    expect(await text(page, '#row-count')).toMatch(/^4 of \d+ rows$/);
    await page.fill('#filter', '');
    await page.click('[data-value="package"]');
    const row = page.locator('#rows tbody tr', { hasText: 'better-sqlite3' });
    expect(await row.locator('td').first().innerText()).toContain('58.0 MiB');
    await page.click('#table-by [data-value="module"]');
    expect(await rowNames(page)).toContain('libz.so.1');
  });

  it('tells callers and callees of the chosen function, and shows them as a flame graph', async () => {
    const page = await open(shop);
    await page.click('#tab-table');
    await page.click('#rows button.row:has-text("handler")');
    const tables = page.locator('#chosen table');
    expect(await tables.nth(0).innerText()).toMatch(/Callers \(1\)[\s\S]*472 MiB[\s\S]*Server\.onRequest/);
    const callees = await tables.nth(1).locator('.name').allInnerTexts();
    expect(callees).toEqual(['loadCatalog', 'renderCard', 'query', 'compress']);
    await page.click('#chosen button:has-text("loadCatalog")');
    expect(await text(page, '#chosen h3')).toBe('loadCatalog');
    await page.click('#chosen button:has-text("Flame graph of its callers")');
    await settle(page);
    expect(await text(page, '#crumbs')).toContain('callers of loadCatalog');
    await clickBox(page, 300, 1);
    await page.click('#current button:has-text("In the table")');
    expect(await text(page, '#chosen h3')).toBe('loadCatalog');
  });
});

describe('a difference', () => {
  it('is red where it has grown, blue where it has shrunk, and says what is new', async () => {
    const page = await open(compared);
    expect(await text(page, '#totals')).toContain('+97.2 MiB');
    const [grownRed = 0, , grownBlue = 0] = await colourAt(page, 100, 7);
    expect(grownRed - grownBlue).toBeGreaterThan(60);
    await page.fill('#search', 'compress');
    expect(await text(page, '#found')).toContain('34.0 MiB');
    await page.fill('#search', '');
    await settle(page);
    const left = await page.evaluate(() => document.querySelector('canvas')!.clientWidth * (450 / 547));
    await page.hover('#canvas', { position: { x: (left * 395) / 450, y: 7 * ROW + 9 } });
    expect(await text(page, '#tip')).toContain('compress');
    expect(await text(page, '#tip')).toContain('−47.6 MiB');
    const [shrunkRed = 0, , shrunkBlue = 0] = await colourAt(page, (left * 395) / 450, 7);
    expect(shrunkBlue - shrunkRed).toBeGreaterThan(60);
    await page.click('#tab-table');
    const parse = page.locator('#rows tr', { hasText: 'parse' });
    expect(await parse.locator('.mark').innerText()).toBe('new');
    expect((await rowNames(page))[0]).toBe('loadCatalog');
    const gone = page.locator('#rows tr', { hasText: 'warmUp' });
    expect(await gone.locator('.mark').innerText()).toBe('gone');
    expect(await gone.innerText()).toContain('−30.0 MiB');
  });

  it('takes widths of the earlier profile, or of the growth alone', async () => {
    const page = await open(compared);
    await page.click('#widths [data-value="base"]');
    expect(await text(page, '#current')).toContain('Everything: 450 MiB');
    await page.click('#widths [data-value="growth"]');
    // 154 MiB of the catalogue, 9.6 and 6.4 of sharp, 18 of WebAssembly.
    expect(await text(page, '#current')).toContain('Everything: 188 MiB');
    await page.click('[data-value="kind"]');
    await settle(page);
    const [red = 0, green = 0, blue = 0] = await colourAt(page, 100, 5);
    expect(red).toBeGreaterThan(green);
    expect(green).toBeGreaterThan(blue + 50);
  });
});

describe('hostile names', () => {
  const names = [
    '</script><img src=x onerror="document.title=1">',
    '"><svg onload=alert(1)>',
    `${'x'.repeat(10_000)}end`,
    '\u202egnp.exe',
    'a\u0000b\u2028c',
    '__proto__',
    '${alert(1)}{{1}}',
  ];
  const hostile = () => {
    const profile = profileOf(
      names.map((_, at) => ({
        stack: `javascript:name${at} > native:leaf|/usr/lib/evil.so`,
        liveBytes: MIB * (10 - at),
      })),
    );
    const strings = profile.strings.map((known) => names[Number(/^name(\d)$/.exec(known)?.[1] ?? -1)] ?? known);
    const { capture } = profile;
    return { ...profile, strings, capture: { ...capture, program: names[0], notes: names } };
  };

  it('are text, in the graph, the table, the tooltip and the notes', async () => {
    const page = await open(renderFlameGraphHtml(hostile(), { title: names[0] ?? '' }));
    expect(await page.title()).toBe(names[0]);
    for (let at = 0; at < names.length; at++) {
      await page.focus('#canvas');
      await page.keyboard.press(at === 0 ? 'ArrowDown' : 'ArrowRight');
    }
    for (const x of [20, 300, 550, 800, 1000, 1150, 1300]) await page.hover('#canvas', { position: { x, y: ROW + 9 } });
    await page.fill('#search', '<img');
    expect(await text(page, '#found')).toContain('10.0 MiB');
    await page.click('#tab-table');
    for (const button of await page.locator('#rows button.row').all()) await button.click();
    const shown = await rowNames(page);
    expect(shown).toContain(names[0]);
    expect(shown).toContain('__proto__');
    expect(shown).toContain('\ufffdgnp.exe');
    expect(shown.every((name) => name.length < 2100)).toBe(true);
    await page.click('#tab-capture');
    expect(await page.locator('img, svg, iframe').count()).toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  });
});

describe('the picture', () => {
  it('is shown by a browser as it is', async () => {
    // A page that shows nothing but the picture: what a browser makes of the file itself has no title to look at.
    const svg = renderFlameGraphSvg(shopProfile(), { title: 'the shop' });
    const page = await open(`<!doctype html><meta charset="utf-8"><title>svg</title>${svg}`);
    const box = page.locator('g.box', { hasText: 'loadCatalog' }).first();
    expect(await box.locator('title').textContent()).toContain('220 MiB');
    const overflowing = await page.evaluate(
      () =>
        [...document.querySelectorAll('g.box')].filter((group) => {
          const [text, rect] = [group.querySelector('text'), group.querySelector('rect')];
          return text && rect && text.getBBox().x + text.getBBox().width > rect.getBBox().x + rect.getBBox().width + 1;
        }).length,
    );
    expect(overflowing).toBe(0);
  });
});
