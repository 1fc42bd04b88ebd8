import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { CLIENTS } from './clients.ts';
import { expectFailure, expectOk } from './outcomes.ts';
import { ID_OF_CONTAINER, type ConformanceTarget, type RawCall } from './target.ts';

interface Endpoint {
  readonly path: string;
  /** A body that is good for a volume of this name. */
  readonly bodyFor: (name: string) => Record<string, unknown>;
  readonly needsName: boolean;
  /** What an unknown volume gets; undefined: the question does not arise. */
  readonly unknownVolume?: 200 | 500;
  /** A failed or empty Get is answered by silence or not at all differently, see src/docker/protocol/failures.ts. */
  readonly emptyBody: 200 | 500 | 'dropped';
  /** What the answer must hold for a volume that exists and is not mounted. */
  readonly answer: (name: string) => unknown;
}

const named = (name: string) => ({ Name: name });
const withId = (name: string) => ({ Name: name, ID: ID_OF_CONTAINER });

const ENDPOINTS: readonly Endpoint[] = [
  {
    path: '/Plugin.Activate',
    bodyFor: () => ({}),
    needsName: false,
    emptyBody: 200,
    answer: () => ({ Implements: ['VolumeDriver'] }),
  },
  {
    path: '/VolumeDriver.Capabilities',
    bodyFor: () => ({}),
    needsName: false,
    emptyBody: 200,
    answer: () => ({ Capabilities: { Scope: 'global' } }),
  },
  {
    path: '/VolumeDriver.Create',
    bodyFor: (name) => ({ Name: name, Opts: { size: '8GiB' } }),
    needsName: true,
    emptyBody: 500,
    answer: () => ({}),
  },
  {
    path: '/VolumeDriver.Remove',
    bodyFor: named,
    needsName: true,
    unknownVolume: 200,
    emptyBody: 500,
    answer: () => ({}),
  },
  {
    path: '/VolumeDriver.Mount',
    bodyFor: withId,
    needsName: true,
    unknownVolume: 500,
    emptyBody: 500,
    answer: () => ({ Mountpoint: expect.stringMatching(/^\/./) as unknown }),
  },
  {
    path: '/VolumeDriver.Unmount',
    bodyFor: withId,
    needsName: true,
    unknownVolume: 200,
    emptyBody: 500,
    answer: () => ({}),
  },
  {
    path: '/VolumeDriver.Path',
    bodyFor: named,
    needsName: true,
    emptyBody: 500,
    answer: () => ({ Mountpoint: '' }),
  },
  {
    path: '/VolumeDriver.Get',
    bodyFor: named,
    needsName: true,
    unknownVolume: 500,
    emptyBody: 'dropped',
    answer: (name) => ({ Volume: expect.objectContaining({ Name: name, Mountpoint: '' }) as unknown }),
  },
  {
    path: '/VolumeDriver.List',
    bodyFor: () => ({}),
    needsName: false,
    emptyBody: 200,
    answer: (name) => ({
      Volumes: expect.arrayContaining([expect.objectContaining({ Name: name })]) as unknown,
    }),
  },
];

const NOT_JSON = [
  '{',
  'Name=db',
  '{"Name":"db"',
  'null x',
  '\u0000',
  Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
];
const WRONG_TYPES = [
  '[]',
  '"db"',
  '7',
  'null',
  '{"Name":7}',
  '{"Name":null}',
  '{"Name":["db"]}',
  '{"Name":{}}',
];

/**
 * How calls are taken and answered, as Docker, Podman and dvdcli rely on it. `startTarget` gives a plugin without volumes.
 */
export function describeConformance(targetName: string, startTarget: () => Promise<ConformanceTarget>): void {
  describe(`volume driver protocol: ${targetName}`, () => {
    let target: ConformanceTarget;
    let counter = 0;
    const freshName = () => `conformance${(counter += 1)}`;
    const send = (call: RawCall) => target.request(call);
    const post = (path: string, body: unknown) => send({ path, body: JSON.stringify(body) });
    const driver = (operation: string, body: unknown) => post(`/VolumeDriver.${operation}`, body);
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

    describe.each(ENDPOINTS)('$path', ({ path, bodyFor, needsName, unknownVolume, emptyBody, answer }) => {
      it('answers 200 with a JSON object of stated length', async () => {
        const name = path.endsWith('Create') ? freshName() : await create();
        const outcome = await post(path, bodyFor(name));
        expect(expectOk(outcome)).toEqual(answer(name));
        if (outcome.kind !== 'answer') return;
        expect(outcome.headers['content-type']).toBe('application/vnd.docker.plugins.v1.2+json');
        expect(Number(outcome.headers['content-length'])).toBe(Buffer.byteLength(outcome.text));
        expect(outcome.headers['transfer-encoding']).toBeUndefined();
      });

      it('answers a repeated call alike', async () => {
        const name = path.endsWith('Create') ? freshName() : await create();
        const first = expectOk(await post(path, bodyFor(name)));
        expect(expectOk(await post(path, bodyFor(name)))).toEqual(first);
      });

      if (unknownVolume !== undefined)
        it('knows what an unknown volume is', async () => {
          const outcome = await post(path, bodyFor('never-made'));
          if (unknownVolume === 200) expectOk(outcome);
          else expectFailure(outcome);
          expect(await listed()).toEqual({ Volumes: [] });
        });

      it('never takes an empty body, as of an engine that repeats a call, for a name', async () => {
        const name = await create();
        const outcome = await send({ path });
        if (emptyBody === 200) expectOk(outcome);
        else if (emptyBody === 500) expectFailure(outcome, /without a body/);
        else expect(outcome).toEqual({ kind: 'dropped' });
        expect((await listed()).Volumes.map((volume) => volume.Name)).toEqual([name]);
      });

      it.each(NOT_JSON)('refuses what is not JSON: %j', async (body) => {
        expectFailure(await send({ path, body }), /JSON/);
        expect(await listed()).toEqual({ Volumes: [] });
      });

      it.each(needsName ? WRONG_TYPES : ['[]', '"db"', '7'])('refuses wrong types: %s', async (body) => {
        expectFailure(await send({ path, body }), /must be|must not be/);
        expect(await listed()).toEqual({ Volumes: [] });
      });

      if (needsName)
        it('refuses a missing or empty name', async () => {
          for (const body of [{}, { Name: '' }, { Opts: {} }])
            expectFailure(await post(path, body), /"Name"/);
          expect(await listed()).toEqual({ Volumes: [] });
        });

      it('ignores fields it does not know', async () => {
        const name = path.endsWith('Create') ? freshName() : await create();
        expect(expectOk(await post(path, { ...bodyFor(name), Later: { a: [1] } }))).toEqual(answer(name));
      });

      it.each(CLIENTS)('serves %s', async (_, headers) => {
        const name = path.endsWith('Create') ? freshName() : await create();
        expect(expectOk(await send({ path, headers, body: `${JSON.stringify(bodyFor(name))}\n` }))).toEqual(
          answer(name),
        );
      });

      it('refuses a body of 10 MB, and serves the next call', async () => {
        const padding = 'x'.repeat(10 * 1024 * 1024);
        expectFailure(
          await send({ path, body: JSON.stringify({ ...bodyFor('huge'), padding }) }),
          /larger than/,
        );
        expect(await listed()).toEqual({ Volumes: [] });
      });

      it.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])(
        'refuses the method %s',
        async (method) => {
          expectFailure(await send({ path, method, body: undefined }), /only POST/);
        },
      );

      it('serves 50 calls at once', async () => {
        const names = await Promise.all(Array.from({ length: 50 }, () => create()));
        const outcomes = await Promise.all(names.map((name) => post(path, bodyFor(name))));
        outcomes.forEach((outcome, index) => {
          expect(expectOk(outcome)).toEqual(answer(names[index] ?? ''));
        });
      });

      it('outlives a client that hangs up', async () => {
        const name = await create();
        await Promise.all(
          Array.from({ length: 10 }, () => target.hangUp({ path, body: JSON.stringify(bodyFor(name)) })),
        );
        expectOk(await post('/Plugin.Activate', {}));
      });
    });

    it.each([
      '/',
      '/VolumeDriver',
      '/VolumeDriver.Nothing',
      '/volumedriver.get',
      '/%zz',
      '/NetworkDriver.Join',
    ])('refuses the unknown path %s', async (path) => {
      expectFailure(await send({ path, body: '{}' }));
    });

    it.each([
      ['null', null],
      ['an empty object', {}],
      ['nothing', undefined],
    ])('creates a volume whose Opts are %s', async (_, Opts) => {
      const name = freshName();
      expectOk(await driver('Create', { Name: name, Opts }));
      expectOk(await driver('Get', { Name: name }));
    });

    it.each([{ size: 8 }, { size: null }, { size: ['8GiB'] }, ['size=8GiB'], 'size=8GiB', 8])(
      'refuses options that are not text: %j',
      async (Opts) => {
        expectFailure(await driver('Create', { Name: freshName(), Opts }), /must be/);
        expect(await listed()).toEqual({ Volumes: [] });
      },
    );

    it.each(['{"fsytpe":"xfs"}', '{"__proto__":"x"}', '{"constructor":"x"}', '{"":"x"}'])(
      'refuses the unknown option %s',
      async (options) => {
        expectFailure(await send({ path: '/VolumeDriver.Create', body: `{"Name":"db","Opts":${options}}` }));
        expect(await listed()).toEqual({ Volumes: [] });
      },
    );

    it.each(['../x', '/etc', 'a/b', 'a\u0000b', 'a\nb', 'a b', '-rf', '..', 'x'.repeat(300)])(
      'refuses the name %j and makes nothing',
      async (name) => {
        expectFailure(await driver('Create', { Name: name, Opts: {} }));
        expectFailure(await driver('Get', { Name: name }));
        expect(await listed()).toEqual({ Volumes: [] });
      },
    );

    it('refuses a create with other options than the volume has', async () => {
      const name = await create();
      expectFailure(await driver('Create', { Name: name, Opts: { size: '64GiB' } }), new RegExp(name));
    });
  });
}
