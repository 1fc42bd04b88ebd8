import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parsePolicy } from '../../../src/steward/policy-file.ts';
import { loadSettings } from '../../../src/config/load-settings.ts';
import { fillPool } from 'scaleio-simulator/operations';
import { buildSteward } from '../../../src/apps/steward.ts';
import type { VolumeId } from '../../../src/array/ids.ts';
import { accessibilityFaults, openPage, overflowOf, startBrowser } from '../../../lab/browser/browser.ts';
import { freePort } from '../../../lab/prometheus/free-port.ts';
import { newSecret } from '../../../lab/secrets/used.ts';
import { snapshotArrayName } from '../../../src/volumes/copies/snapshot-names.ts';
import { newVolume, PASSWORD, simulated, soon, twoSdcs } from '../../contract/gateway/simulated.ts';

/** What a busy machine takes for what takes it a second or two at other times. */
const PATIENCE_MS = 60_000;
const TOKEN = newSecret('token');
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A simulated array with two hosts, and the page of a steward in front of it. */
async function served(env: Readonly<Record<string, string>> = {}, { isAway = false } = {}) {
  const { simulator, gateway } = await simulated();
  const { one, two } = await twoSdcs(simulator);
  const create = async (name: string): Promise<VolumeId> =>
    gateway.createVolume(await newVolume(gateway, `docker-${name}`), soon());
  const db = await create('db');
  await gateway.attachVolume({ volumeId: db, hostId: one, readOnly: false }, soon());
  if (isAway) await simulator.gateways[0]?.down();
  const port = await freePort();
  const start = async (): Promise<() => Promise<void>> => {
    const { settings } = loadSettings({
      env: {
        SCALEIO_ENDPOINT: simulator.urls.join(),
        SCALEIO_USERNAME: 'admin',
        SCALEIO_PASSWORD: PASSWORD,
        SCALEIO_PAGE_ADDRESS: `127.0.0.1:${port}`,
        ...env,
      },
      readFile: () => '',
    });
    const policy = parsePolicy('version: 1\ninterval: 1s\npools: [{ pool: sp1 }]', 'steward.yml');
    const app = await buildSteward(settings, policy, { log: silent, droppedLines: () => 0, version: '0' });
    await app.start();
    return () => app.close();
  };
  let stop = await start();
  onTestFinished(() => stop());
  const url = `http://127.0.0.1:${port}/`;
  await expect
    .poll(
      () =>
        fetch(url).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: PATIENCE_MS },
    )
    .not.toBe(0);
  const restart = async (): Promise<void> => {
    stop = await start();
  };
  return { simulator, gateway, one, two, db, create, url, stop: () => stop(), restart };
}

describe('the page in a browser', { timeout: 180_000 }, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser.close();
  });

  async function opened(url: string, options?: Parameters<typeof openPage>[2]) {
    const { page, faults } = await openPage(browser, url, options);
    onTestFinished(async () => {
      await page.context().close();
      expect(faults).toEqual([]);
    });
    return page;
  }

  const row = (page: Page, name: string): Promise<string> =>
    page.getByRole('row', { name }).first().innerText();
  const rowHas = (page: Page, name: string) => expect.poll(() => row(page, name), { timeout: PATIENCE_MS });

  test('follows a volume from host to host without being loaded again, and reads that out', async () => {
    const { gateway, db, one, two, url } = await served();
    const page = await opened(url);
    await rowHas(page, 'db').toContain('10.0.0.1');
    await page.evaluate('window.isTheSame = true');
    const announcer = page.locator('#announcer');
    expect(await announcer.textContent()).toBe('');
    await page.locator('#filter').focus();

    await gateway.detachVolume(db, one, soon());
    await gateway.attachVolume({ volumeId: db, hostId: two, readOnly: false }, soon());
    await rowHas(page, 'db').toMatch(/10\.0\.0\.2[\s\S]*read-write, since/);
    const entries = page.getByRole('region', { name: 'Timeline' }).getByRole('listitem');
    await expect.poll(() => entries.first().innerText()).toContain('"db" moved from 10.0.0.1 to 10.0.0.2');
    expect(await announcer.textContent()).toContain('moved from 10.0.0.1 to 10.0.0.2');
    expect(await page.evaluate('window.isTheSame')).toBe(true);
    expect(await page.evaluate('document.activeElement.id')).toBe('filter');

    await page.getByRole('link', { name: 'Moved: what to do' }).first().click();
    await page.waitForURL(/runbook#moved$/, { timeout: PATIENCE_MS });
    expect(await page.locator('#moved').innerText()).toContain('One host let go of the volume');
    // It has neither forms nor tables.
    expect(await accessibilityFaults(page, 12)).toEqual([]);
  });

  test('leaves every row the element that it is, as long as its volume is there', async () => {
    const { create, url } = await served();
    const page = await opened(url);
    await rowHas(page, 'db').toContain('db');
    await page.evaluate("document.querySelector('#volume-rows tr').isTheSame = true");
    await create('another');
    await rowHas(page, 'another').toContain('nobody');
    const rows = "[...document.querySelectorAll('#volume-rows tr')].map((row) => row.isTheSame === true)";
    expect(await page.evaluate(rows)).toEqual([false, true]);
  });

  test('opens a volume by the keyboard to its snapshots and moves', async () => {
    const { gateway, db, url } = await served();
    const name = snapshotArrayName(db, { isFrozen: true, expiresAtSeconds: null, name: 'before' });
    await gateway.snapshotVolumes({ copies: [{ volumeId: db, name }], access: 'ReadOnly' }, soon());
    const page = await opened(url);
    await rowHas(page, 'db').toContain('10.0.0.1');
    const opener = page.getByRole('button', { name: 'db' });
    expect(await opener.getAttribute('aria-expanded')).toBe('false');
    await opener.focus();
    await page.keyboard.press('Enter');
    const detail = page.locator('#volume-rows > tr.detail');
    await expect
      .poll(() => detail.innerText(), { timeout: PATIENCE_MS })
      .toMatch(/1 snapshot[\s\S]*before, taken [\s\S]*frozen, kept until it is removed/);
    expect(await opener.getAttribute('aria-expanded')).toBe('true');
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await expect.poll(() => detail.count()).toBe(0);
  });

  test('draws the charts of a pool without breaking its own policy, and names servers and the array', async () => {
    const { url } = await served();
    const page = await opened(url);
    await rowHas(page, 'db').toContain('db');
    await page.getByRole('button', { name: 'Charts of pd1/sp1' }).click();
    const card = page.locator('#pool-list > li');
    await expect
      .poll(() => card.locator('canvas').count(), { timeout: PATIENCE_MS })
      .toBeGreaterThanOrEqual(1);
    expect(await card.innerText()).toContain('Used: so far');
    expect(await card.locator('.ticks span').allInnerTexts()).toEqual(['warn 80 %', 'critical 90 %']);
    expect(await page.locator('#server-rows > tr').count()).toBeGreaterThan(0);
    expect(await page.locator('#system').innerText()).toMatch(/^array \S+/);
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  });

  test('is walked through with the keyboard, first past the navigation if one likes', async () => {
    const { url } = await served();
    const page = await opened(url);
    await rowHas(page, 'db').toContain('db');
    const walk = async (steps: number): Promise<unknown[]> => {
      const seen: unknown[] = [];
      for (let step = 0; step < steps; step += 1) {
        await page.keyboard.press('Tab');
        seen.push(await page.evaluate('document.activeElement.id || document.activeElement.textContent'));
      }
      return seen;
    };
    expect(await walk(11)).toEqual([
      ...[
        'Skip to the content',
        'theme',
        'Pools',
        'Volumes',
        'Hosts',
        'Servers',
        'Timeline',
        'Charts',
        'filter',
        'order',
        'db',
      ],
    ]);
    await page.reload();
    await rowHas(page, 'db').toContain('db');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await walk(1)).toEqual(['Charts']);
  });

  test('keeps the theme that one chooses', async () => {
    const { url } = await served();
    const page = await opened(url, { colorScheme: 'light' });
    const ground = (): Promise<unknown> =>
      page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    const light = await ground();
    await page.getByLabel('Theme').selectOption('dark');
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.reload();
    expect(await ground()).toBe(dark);
    await page.getByLabel('Theme').selectOption('as the system');
    expect(await ground()).toBe(light);
  });

  test('finds one of 10,000 volumes, and shows the first of them until then', async () => {
    const { simulator, url } = await served();
    await simulator.seed({ count: 10_000, prefix: 'docker-many-' });
    const page = await opened(url);
    const summary = page.locator('#volumes-summary');
    await expect
      .poll(() => summary.innerText(), { timeout: PATIENCE_MS })
      .toBe('10,001 volumes, 1 attached.');
    expect(await page.locator('#volume-rows tr').count()).toBe(200);
    expect(await page.locator('#filter-count').innerText()).toBe('the first 200 are shown');
    const asked = page.waitForRequest((request) => request.url().includes('order=newest'), {
      timeout: PATIENCE_MS,
    });
    await page.getByLabel('First', { exact: true }).selectOption('newest');
    await asked;
    await page.getByLabel('Filter').fill('many-9999');
    await expect.poll(() => page.locator('#filter-count').innerText()).toBe('1 of 10,001 fit');
    expect(await page.locator('#volume-rows tr').allInnerTexts()).toEqual([
      expect.stringContaining('many-9999'),
    ]);
    expect(await page.locator('#announcer').textContent()).toBe('1 volume shown');
    await page.getByLabel('Filter').fill('nothing like it');
    await expect
      .poll(() => page.locator('#volumes-empty').innerText())
      .toBe('No volume fits “nothing like it”.');
  });

  test.each(['light', 'dark'] as const)(
    'has nothing that axe objects to, in the %s theme, wide and on a phone',
    async (colorScheme) => {
      const { simulator, url, create } = await served();
      const [pool] = simulator.array.cluster.state.pools.values();
      await create('free');
      await fillPool(simulator.array, pool?.id ?? '', 95);
      const page = await opened(url, { colorScheme });
      await expect
        .poll(() => page.locator('#host-rows').innerText(), { timeout: PATIENCE_MS })
        .toContain('10.0.0.2');
      simulator.silence('22222222-2222-2222-2222-222222222222');
      await expect
        .poll(() => page.locator('#pool-list').innerText(), { timeout: PATIENCE_MS })
        .toContain('Critical');
      await expect
        .poll(() => page.locator('#host-rows').innerText(), { timeout: PATIENCE_MS })
        .toMatch(/10\.0\.0\.2 \(last known\)\s+disconnected[\s\S]*10\.0\.0\.2 \(last known\)/);
      await expect
        .poll(() => page.locator('#timeline-entries').innerText(), { timeout: PATIENCE_MS })
        .toContain('host 10.0.0.2 (last known address) has lost the array');
      // Nobody else is told: the policy has no webhook.
      await expect
        .poll(() => page.locator('#timeline-entries').innerText(), { timeout: PATIENCE_MS })
        .toMatch(/Level[\s\S]*storage pool "pd1\/sp1" is critical/);
      expect(await accessibilityFaults(page)).toEqual([]);
      await page.setViewportSize({ width: 360, height: 740 });
      expect(await accessibilityFaults(page)).toEqual([]);
    },
  );

  test('is read on a phone without scrolling sideways, with its tables still tables', async () => {
    const { url, create } = await served();
    await create('a-name-as-long-as-can-be');
    const page = await opened(url, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
    await rowHas(page, 'a-name-as-long-as-can-be').toContain('GiB');
    expect(await overflowOf(page)).toBe(0);
    const table = page.getByRole('table', { name: 'Volumes, and which host has each' });
    expect(await table.getByRole('columnheader').allInnerTexts()).toEqual([
      ...['Volume', 'Attached to', 'Size', 'I/O now', 'Pool', 'Created'],
    ]);
    expect(await table.getByRole('row').count()).toBe(3);
    expect(await table.getByRole('rowheader').count()).toBe(2);
  });

  test('says when the array is away and how old is what it shows, when the steward is away, and when all is well again', async () => {
    const { simulator, url, stop, restart } = await served();
    const { page, faults } = await openPage(browser, url);
    await rowHas(page, 'db').toContain('10.0.0.1');
    const notice = page.locator('#notice');
    const badge = page.locator('#connection');
    const comes = (text: string) =>
      expect.poll(() => notice.innerText(), { timeout: PATIENCE_MS }).toContain(text);
    await expect.poll(() => badge.innerText(), { timeout: PATIENCE_MS }).toMatch(/^live, read/);
    await simulator.gateways[0]?.down();
    await comes('The array cannot be read for its volumes and hosts');
    await comes('What is shown is what it said');
    await simulator.gateways[0]?.up();
    await expect.poll(() => notice.isHidden(), { timeout: PATIENCE_MS }).toBe(true);

    expect(faults).toEqual([]);
    await stop();
    await comes('The steward does not answer');
    expect(await row(page, 'db')).toContain('10.0.0.1');
    await restart();
    await expect.poll(() => badge.innerText(), { timeout: PATIENCE_MS }).toMatch(/^live/);
    expect(
      faults.filter(
        (fault) => !fault.includes('ERR_CONNECTION_REFUSED') && !fault.includes('ERR_INCOMPLETE'),
      ),
    ).toEqual([]);
    await page.context().close();
  });

  test('counts nothing before it could read the array, and says so', async () => {
    const { simulator, url } = await served({}, { isAway: true });
    const page = await opened(url);
    const sections = ['#pools', '#volumes', '#hosts', '#timeline'].map((id) => page.locator(id));
    for (const section of sections)
      await expect
        .poll(() => section.innerText(), { timeout: PATIENCE_MS })
        .toContain('Could not read the array.');
    for (const section of sections)
      expect(await section.innerText()).not.toMatch(/\d (volume|host|attached)|has no|knows no|Nothing/);
    expect(await accessibilityFaults(page)).toEqual([]);
    await simulator.gateways[0]?.up();
    await rowHas(page, 'db').toContain('10.0.0.1');
    for (const section of sections)
      await expect
        .poll(() => section.innerText(), { timeout: PATIENCE_MS })
        .not.toContain('Could not read the array.');
    expect(await page.locator('#volumes-summary').innerText()).toBe('1 volume, 1 attached.');
  });

  test('shows what others named as text, whatever is in it', async () => {
    const { gateway, one, url } = await served();
    const name = '<img/src=x/onerror=alert(1)>';
    await gateway.registry.renameHost(one, name, soon());
    const page = await opened(url);
    await rowHas(page, 'db').toContain(name);
    await expect.poll(() => page.locator('#host-rows').innerText()).toContain(name);
    expect(await page.locator('img').count()).toBe(0);
  });

  test('asks for the token where it needs one, and then for nothing more', async () => {
    const { url } = await served({ SCALEIO_PAGE_TOKEN: TOKEN });
    const { page } = await openPage(browser, url);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button').click();
    await page.getByLabel('Token').fill(TOKEN);
    await page.keyboard.press('Enter');
    await rowHas(page, 'db').toContain('10.0.0.1');
    expect(page.url()).toBe(url);
    await page.reload();
    await rowHas(page, 'db').toContain('10.0.0.1');
    await page.context().close();
  });
});
