import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Gateway } from './gateway.ts';
import { ScaleioHost } from './scaleio-host.ts';

/* Nobody but the plugin brings things in order here: no engine asks for a volume again. */
describe('a host without an engine', () => {
  let host: ScaleioHost;
  let gateway: Gateway;

  beforeAll(async () => {
    host = await ScaleioHost.start();
    gateway = new Gateway(host);
    for (const name of ['kept', 'half']) await host.create(name);
  });

  afterAll(async () => {
    await host.close();
  });

  const journal = (): Promise<string> =>
    host.machine.exec(['cat', '/var/lib/docker-volume-scaleio/state/journal']);
  const isMapped = async (name: string): Promise<boolean> =>
    (await gateway.volume(name)).mappedSdcInfo !== null;
  const nothingIsMapped = (): Promise<unknown> =>
    host.machine.until(
      'all volumes to be free',
      async () => !(await isMapped('kept')) && !(await isMapped('half')),
    );
  /** Of the journal's first line. */
  const bootOfJournal = async (): Promise<string> =>
    /"bootId":"([0-9a-f-]{36})/.exec(await journal())?.[1] ?? '';
  const mounts = (): Promise<string> => host.machine.exec(['cat', '/proc/self/mountinfo']);

  for (const [how, goDown] of [
    ['loses power', (): Promise<void> => host.machine.powerCut()],
    ['is reset by its own kernel', (): Promise<void> => host.machine.sysrq('b')],
    ['reboots', (): Promise<void> => host.machine.reboot()],
  ] as const) {
    test(`and ${how} resolves its intents and lets go of what it had, because the boot is another`, async () => {
      const mountpoint = await host.mount('kept');
      await host.machine.shell(`echo ${how.length} >${mountpoint}/synced; sync -f ${mountpoint}/synced`);
      // Its device never comes: the intent is on disk and the mapping made, and that is how the host goes down.
      const { id } = await gateway.volume('half');
      await gateway.fault('devices', { volumeId: id, fault: 'never' });
      const hanging = host.mount('half').then(
        () => 'mounted',
        (error: unknown) => String(error),
      );
      await host.machine.until('the intent to be carried out', () => isMapped('half'));
      expect(await journal()).toContain('"half"');
      expect(await bootOfJournal()).toBe(host.machine.bootId);
      const before = host.machine.bootId;

      await goDown();
      expect(await hanging).not.toBe('mounted');
      expect(host.machine.bootId).not.toBe(before);
      await host.joined();
      await nothingIsMapped();
      // That of a request without an answer stays for five minutes, because it may still be carried out.
      await host.machine.until('the entry to go', async () => !(await journal()).includes('"kept"'));
      expect(await bootOfJournal()).toBe(host.machine.bootId);
      expect(await mounts()).not.toContain('/kept');

      const again = await host.mount('kept');
      expect(await host.machine.exec(['cat', `${again}/synced`])).toBe(`${how.length}`);
      await host.unmount('kept');
      expect(await isMapped('kept')).toBe(false);
    });
  }
});
