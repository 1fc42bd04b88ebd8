import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/**
 * Debian's Chromium, without a window. Nothing is downloaded, and it asks nobody but who it is told to. `program`: what to start in
 * its place, with its arguments.
 */
export function startBrowser(program = '/usr/bin/chromium'): Promise<Browser> {
  return chromium.launch({
    executablePath: program,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update'],
  });
}

/** A page, and what it did that it should not. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors in scripts, on the console, and requests to anybody but the one that served the page. */
  readonly faults: string[];
}

/** Opens the address in a profile of its own. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) faults.push(`asked ${request.url()}`);
  });
  await page.goto(url);
  return { page, faults };
}

/** What axe finds wrong for people who see, hear or move less: "rule: elements". Rejects where fewer than `least` checks fit the page. */
export async function accessibilityFaults(page: Page, least = 20): Promise<string[]> {
  // Not as a script of the page, which its content security policy would refuse.
  await page.evaluate(await readFile(axeFile, 'utf8'));
  const results = await page.evaluate<AxeResults>('axe.run()');
  if (results.passes.length < least) throw new Error(`axe ran only ${results.passes.length} checks`);
  return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** How far the page reaches beyond what is seen of it sideways, CSS pixels. */
export async function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
}
