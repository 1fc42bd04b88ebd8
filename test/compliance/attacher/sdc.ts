import { describe, expect, test } from 'vitest';
import type { SystemId } from '../../../src/array/ids.ts';
import type { OpenAttacher, SdcProblem } from './subject.ts';
import { arrived } from './scene.ts';
import { soon } from '../soon.ts';

/** With these nothing can be asked of it; retryable is what may pass by itself. */
const UNUSABLE: readonly SdcProblem[] = ['not-installed', 'not-loaded', 'command-failed'];

export function sdcCases(open: OpenAttacher): void {
  test('says its GUID in capitals and is usable', async () => {
    const { attacher, guid, systemId } = await open({ patient: true });
    expect(await attacher.guid(soon())).toBe(guid.toUpperCase());
    await attacher.assertUsable(systemId, soon());
    await attacher.rescan(soon());
  });

  test('that is connected elsewhere is not connected to this system', async () => {
    const { attacher } = await open({ patient: true });
    const notConnected = { code: 'SDC', problem: 'not-connected', retryable: true };
    const elsewhere = 'aaaaaaaaaaaaaaaa' as SystemId;
    await expect(attacher.assertUsable(elsewhere, soon())).rejects.toMatchObject(notConnected);
  });

  test('without a connection says so, and still its GUID', async () => {
    const { attacher, guid, outside, systemId } = await open({ patient: true });
    await outside.breakSdc('not-connected');
    const notConnected = { code: 'SDC', problem: 'not-connected', retryable: true };
    await expect(attacher.assertUsable(systemId, soon())).rejects.toMatchObject(notConnected);
    expect(await attacher.guid(soon())).toBe(guid);
    await attacher.rescan(soon());
  });

  describe.each(UNUSABLE)('that is %s', (problem) => {
    const named = { code: 'SDC', problem, retryable: false };

    test('says so, whatever it is asked', async () => {
      const { attacher, outside, systemId } = await open({ patient: true });
      await outside.breakSdc(problem);
      await expect(attacher.guid(soon())).rejects.toMatchObject(named);
      await expect(attacher.rescan(soon())).rejects.toMatchObject(named);
      await expect(attacher.assertUsable(systemId, soon())).rejects.toMatchObject(named);
    });

    test('has the GUID that it had, and its devices can be found', async () => {
      const host = await open({ patient: true });
      expect(await host.attacher.guid(soon())).toBe(host.guid);
      await host.outside.breakSdc(problem);
      expect(await host.attacher.guid(soon())).toBe(host.guid);
      await arrived(host, host.volumes[0]);
    });
  });
}
