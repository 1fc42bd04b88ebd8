import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { CLIENTS } from './clients.ts';
import { describeOutcome, expectFailure, expectOk } from './outcomes.ts';
import { ID_OF_CONTAINER, ID_OF_PODMAN, OTHER_IDS, type ConformanceTarget } from './target.ts';

/**
 * What becomes of volumes that are made, used and removed, whoever asks. `startTarget` gives a plugin without volumes.
 */
export function describeUse(targetName: string, startTarget: () => Promise<ConformanceTarget>): void {
  describe(`use of volumes: ${targetName}`, () => {
    let target: ConformanceTarget;
    let counter = 0;
    const freshName = () => `used${(counter += 1)}`;
    const driver = (operation: string, body: unknown, headers: Record<string, string> = {}) =>
      target.request({ path: `/VolumeDriver.${operation}`, headers, body: `${JSON.stringify(body)}\n` });
    const create = async (name = freshName()) => {
      expectOk(await driver('Create', { Name: name, Opts: { size: '8GiB' } }));
      return name;
    };
    const listed = async () => expectOk(await driver('List', {})) as { Volumes: { Name: string }[] };

    beforeAll(async () => {
      target = await startTarget();
    });
    afterEach(() => target.reset());
    afterAll(() => target.close());

    it.each(CLIENTS)('serves %s from Create to Remove', async (_, headers) => {
      const name = freshName();
      const call = async (operation: string, more: object = {}) =>
        expectOk(await driver(operation, { Name: name, ...more }, headers));
      await call('Create', { Opts: { size: '8GiB' } });
      const { Mountpoint } = (await call('Mount', { ID: ID_OF_CONTAINER })) as { Mountpoint: string };
      expect(await call('Path')).toEqual({ Mountpoint });
      expect(await call('Get')).toMatchObject({ Volume: { Name: name, Mountpoint } });
      expect(await call('List')).toMatchObject({ Volumes: [{ Name: name, Mountpoint }] });
      await call('Unmount', { ID: ID_OF_CONTAINER });
      await call('Remove');
      expect(await call('List')).toEqual({ Volumes: [] });
    });

    it('makes one volume of concurrent creates of one name', async () => {
      const name = freshName();
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, () => driver('Create', { Name: name, Opts: { size: '8GiB' } })),
      );
      outcomes.forEach(expectOk);
      expect((await listed()).Volumes.map((volume) => volume.Name)).toEqual([name]);
    });

    it('gives every user of a volume the same mountpoint, also in Get, Path and List', async () => {
      const name = await create();
      const ids = [...OTHER_IDS, ID_OF_PODMAN];
      const mounts = await Promise.all(ids.map((ID) => driver('Mount', { Name: name, ID })));
      const [first] = mounts.map((mount) => (expectOk(mount) as { Mountpoint: string }).Mountpoint);
      mounts.forEach((mount) => {
        expect(expectOk(mount)).toEqual({ Mountpoint: first });
      });
      expect(expectOk(await driver('Path', { Name: name }))).toEqual({ Mountpoint: first });
      expect(expectOk(await driver('Get', { Name: name }))).toMatchObject({ Volume: { Mountpoint: first } });
      expect(await listed()).toMatchObject({ Volumes: [{ Name: name, Mountpoint: first }] });
      for (const ID of ids) expectOk(await driver('Unmount', { Name: name, ID }));
      expect(expectOk(await driver('Path', { Name: name }))).toEqual({ Mountpoint: '' });
    });

    it('keeps a volume that somebody uses, and removes it after the last Unmount', async () => {
      const name = await create();
      const { Mountpoint } = expectOk(await driver('Mount', { Name: name, ID: ID_OF_CONTAINER })) as {
        Mountpoint: string;
      };
      const stopUsing = await target.use?.(Mountpoint);
      expectOk(await driver('Unmount', { Name: name, ID: 'of-somebody-else' }));
      expectFailure(await driver('Remove', { Name: name }), new RegExp(name));
      expectOk(await driver('Get', { Name: name }));
      await stopUsing?.();
      expectOk(await driver('Unmount', { Name: name, ID: ID_OF_CONTAINER }));
      expectOk(await driver('Remove', { Name: name }));
      expectFailure(await driver('Get', { Name: name }));
    });

    it.each([
      ['missing', undefined],
      ['null', null],
      ['empty', ''],
    ])('takes calls whose ID is %s as those of one user', async (_, ID) => {
      const name = await create();
      for (let times = 0; times < 3; times += 1) expectOk(await driver('Mount', { Name: name, ID }));
      expectOk(await driver('Unmount', { Name: name }));
      expectOk(await driver('Remove', { Name: name }));
    });

    it('describes a volume so that Docker can read it', async () => {
      const name = await create();
      const { Volume } = expectOk(await driver('Get', { Name: name })) as { Volume: Record<string, unknown> };
      expect(Volume['Status']).toBeTypeOf('object');
      if ('CreatedAt' in Volume)
        expect(Volume['CreatedAt']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    });

    it('forgets the user of a Mount whose client hung up before the answer', async () => {
      const name = await create();
      const gate = target.holdMounts?.();
      const mount = {
        path: '/VolumeDriver.Mount',
        body: JSON.stringify({ Name: name, ID: ID_OF_CONTAINER }),
      };
      await target.hangUp(mount, gate?.arrived);
      gate?.open();
      // Without a gate the answer may have been faster than the hanging up; then the user is a real one.
      if (gate === undefined) expectOk(await driver('Unmount', { Name: name, ID: ID_OF_CONTAINER }));
      await expect
        .poll(async () => describeOutcome(await driver('Remove', { Name: name })), { timeout: 10_000 })
        .toBe('200 {}');
    });
  });
}
