import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

const ARGUMENTS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface OpenedPage {
  readonly page: Page;
  /** What the page has asked of anyone but its own file, and what its console has complained of: both must stay empty. */
  readonly requests: readonly string[];
  readonly complaints: readonly string[];
}

export interface ReportBrowser {
  /** Opens a page from a file, as a reader would. */
  open(html: string, options?: { readonly colorScheme?: 'light' | 'dark' }): Promise<OpenedPage>;
  close(): Promise<void>;
}

/** Chromium, and a folder for the files it opens. */
export async function openReportBrowser(): Promise<ReportBrowser> {
  const folder = mkdtempSync(join(tmpdir(), 'jemkit-browser-'));
  const browser: Browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGUMENTS });
  let files = 0;
  return {
    async open(html, { colorScheme = 'light' } = {}) {
      const file = join(folder, `report-${files++}.html`);
      writeFileSync(file, html);
      const context = await browser.newContext({ colorScheme, viewport: { width: 1400, height: 820 } });
      const page = await context.newPage();
      const requests: string[] = [];
      const complaints: string[] = [];
      page.on('request', (request) => {
        if (request.url() !== `file://${file}`) requests.push(request.url());
      });
      page.on('console', (message) => {
        if (message.type() !== 'log') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(`file://${file}`);
      return { page, requests, complaints };
    },
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until the page has drawn what it was told: animations included. */
export async function settle(page: Page): Promise<void> {
  await page.waitForSelector('html:not([data-drawing])', { state: 'attached' });
}
