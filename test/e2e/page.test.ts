import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { bundleFile } from '../../plugin/bundle.ts';
import {
  accessibilityFaults,
  openPage,
  overflowOf,
  startBrowser,
  type WatchedPage,
} from '../../lab/browser/browser.ts';
import { DRIVER } from '../../lab/hosts/scaleio-plugin.ts';
import { until } from '../../lab/hosts/until.ts';
import { createVolume } from '../../lab/stage/containers.ts';
import { RecordingService } from './recording-service.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

const project = path.resolve(import.meta.dirname, '../..');
const node = path.join(project, 'node_modules/node/bin/node');
/** Of the namespace that array, steward and browser share. */
const url = 'http://127.0.0.1:9480/';
/** A folder of the project to write pictures of the page into; unset: none are made. */
const pictures = process.env['SCREENSHOTS'];
const wide = { width: 1280, height: 1290 };
const phone = { width: 360, height: 740 };

describe('the page of a steward, while a host of a Swarm loses power', () => {
  let stage: ArrayStage;
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;
  let service: RecordingService;

  beforeAll(async () => {
    stage = await pluginStage({
      hosts: 3,
      plugin: { SCALEIO_FAILOVER_GRACE: '2s', SCALEIO_JOIN_NAME: '{host}' },
    });
    const { lab, host } = stage;
    await lab.swarm({ heartbeat: '1s' });
    for (const name of ['grafana', 'mail-store', 'registry', 'wiki-uploads'])
      await createVolume(host, name, { size: name === 'registry' ? '64GiB' : '16GiB' });
    await createVolume(host, 'orders-db', { size: '128GiB', iops: '2000' });
    for (const [index, name] of ['grafana', 'registry', 'mail-store'].entries()) {
      const mount = `type=volume,source=${name},target=/data,volume-driver=${DRIVER}`;
      await lab.host(index + 1).docker(['run', '--detach', '--mount', mount, 'busybox', 'sleep', '3600']);
    }
    service = await RecordingService.start(lab, 'orders-db');
    await fillPool(stage, 61);
    await startSteward(stage);
    browser = await startBrowser(await browserWithin(stage));
    // On a busy machine the browser may be there before the steward listens.
    watched = await until(
      'the page to be served',
      () => openPage(browser, url, { viewport: wide, colorScheme: 'light' }),
      { everyMs: 500 },
    );
    ({ page } = watched);
  });

  afterAll(async () => {
    await browser.close();
    await stage.close();
  });

  const comes = (what: string, selector: string, text: RegExp | string) =>
    until(
      `${what} on the page`,
      async () => {
        const shown = (await page.locator(selector).allInnerTexts()).join('\n');
        return typeof text === 'string' ? shown.includes(text) : text.test(shown);
      },
      { timeoutMs: 120_000 },
    );

  const isFocused = (id: string): Promise<boolean> =>
    page.evaluate<boolean>(`document.activeElement.id === '${id}'`);

  /** Writes docs/page-NAME.png, where somebody asked for pictures. */
  async function picture(name: string): Promise<void> {
    if (pictures === undefined) return;
    await mkdir(path.join(project, pictures), { recursive: true });
    await page.screenshot({ path: path.join(project, pictures, `page-${name}.png`) });
  }

  test('shows pool, hosts, and the volume with its host', async () => {
    const holder = await until('a host to run the service', () => service.runsOn());
    await comes('the pool', '#pool-list', /61\.0 %[\s\S]*Used[\s\S]*Spare[\s\S]*Committed/);
    for (const { name } of stage.lab.hosts) await comes(name, '#host-rows', name);
    await comes('the volume', rowOf('orders-db'), `${holder.name} read-write`);
    await comes('its limit', rowOf('orders-db'), '2,000 IOPS');
    await comes('a volume that nobody has', rowOf('wiki-uploads'), 'nobody');
    await comes('that it is live', '#connection', /^live/);
  });

  test('shows the volume moving, by itself, and says why', async () => {
    const lost = await until('a host to run the service', () => service.runsOn());
    await page.evaluate('window.isTheSame = true');
    await page.locator('#filter').focus();
    await lost.powerOff();
    await comes('the lost host', '#host-rows', new RegExp(`${lost.name}\\s+disconnected`));
    const heir = await until(
      'another host to run the service',
      async () => {
        const now = await service.runsOn();
        return now === undefined || now === lost ? undefined : now;
      },
      { timeoutMs: 120_000 },
    );
    const says = `volume "orders-db" was taken over by ${heir.name} from ${lost.name}, which had lost the array`;
    await comes('the takeover', '#timeline-entries', says);
    await comes('the volume elsewhere', rowOf('orders-db'), `${heir.name} read-write, since`);
    expect(await page.locator('#timeline-entries').innerText()).toContain(
      `host ${lost.name} has lost the array`,
    );
    expect(await page.locator('#announcer').textContent()).toContain('orders-db');
    expect(await page.evaluate('[window.isTheSame, document.activeElement.id]')).toEqual([true, 'filter']);
  });

  test('is for everybody: keyboard, both themes, phone', async () => {
    await page.evaluate('document.activeElement.blur()');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await accessibilityFaults(page)).toEqual([]);
      await picture(colorScheme);
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(phone);
    expect(await overflowOf(page)).toBe(0);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.locator('#volumes').scrollIntoViewIfNeeded();
    await picture('phone');
    await page.setViewportSize(wide);
    await page.evaluate('document.activeElement.blur(); scrollTo(0, 0)');
    for (let step = 0; step < 60 && !(await isFocused('filter')); step += 1) await page.keyboard.press('Tab');
    await page.keyboard.type('wiki');
    await comes('only what fits', '#filter-count', '1 of 5 fit');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.press('Delete');
  });

  test('shows the host that comes back, and in all that time asked nobody but the steward', async () => {
    const lost = stage.lab.hosts.find(({ isOn }) => !isOn);
    await lost?.boot();
    await comes('the host', '#timeline-entries', `host ${lost?.name ?? ''} is connected to the array again`);
    expect(watched.faults).toEqual([]);
  });
});

function rowOf(volume: string): string {
  return `#volume-rows tr:has(.name:text-is("${volume}"))`;
}

const stateSchema = z.object({ pools: z.array(z.object({ id: z.string() })) });

async function fillPool({ array }: ArrayStage, fillPercent: number): Promise<void> {
  const { body } = await array.request('GET', '/simulator/state');
  const poolId = stateSchema.parse(JSON.parse(body)).pools[0]?.id;
  const { status } = await array.request('POST', '/simulator/pools', { poolId, fillPercent });
  expect(status).toBe(200);
}

async function startSteward({ lab, array }: ArrayStage): Promise<void> {
  const policy = path.join(lab.directory, 'steward.yml');
  const settings = path.join(lab.directory, 'steward-settings.json');
  await writeFile(policy, JSON.stringify({ version: 1, interval: '10s', pools: [{ pool: 'sp1' }] }));
  const { endpoint: endpoints, user: username, password } = array;
  await writeFile(settings, JSON.stringify({ endpoints, username, password }), { mode: 0o600 });
  const flags = ['--policy', policy, '--config', settings, '--metrics-socket', 'none'];
  await lab.start('steward', [node, bundleFile, 'steward', ...flags]);
}

/** A program that is the browser in the network of the lab, from where no way leads out. */
async function browserWithin({ lab }: ArrayStage): Promise<string> {
  const program = path.join(lab.directory, 'chromium');
  const argv = lab.fabric.enter(['/usr/bin/chromium']);
  await writeFile(program, `#!/bin/sh\nexec ${argv.join(' ')} "$@"\n`, { mode: 0o755 });
  return program;
}
