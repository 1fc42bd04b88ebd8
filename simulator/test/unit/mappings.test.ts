import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ArrayError } from '../../src/mdm/failures.ts';
import { addMapping, removeMapping, volumesOfSdc } from '../../src/mdm/mappings.ts';
import { introduceSdc } from '../../src/mdm/sdcs.ts';
import { createVolume, removeVolume, volumeById } from '../../src/mdm/volumes.ts';
import { firstPool, testCluster } from './cluster.ts';

const sdcs = [0, 1, 2] as const;
const call = fc.oneof(
  fc.record({
    kind: fc.constant('map' as const),
    volume: fc.nat(2),
    sdc: fc.constantFrom(...sdcs),
    multi: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('unmap' as const),
    volume: fc.nat(2),
    sdc: fc.constantFrom(...sdcs, 'all' as const),
  }),
  fc.record({ kind: fc.constant('remove' as const), volume: fc.nat(2) }),
);

interface Model {
  readonly holders: Set<number>;
  multi: boolean;
}

/** What the facts say a call does: the code of its refusal, undefined when it is done. */
function expected(
  model: Model | undefined,
  step: typeof call extends fc.Arbitrary<infer T> ? T : never,
): number | undefined {
  if (model === undefined) return 79;
  const { holders } = model;
  switch (step.kind) {
    case 'map':
      if (holders.has(step.sdc)) return 81;
      if (holders.size > 0 && !model.multi && !step.multi) return 306;
      model.multi = holders.size === 0 ? step.multi : model.multi || step.multi;
      holders.add(step.sdc);
      return undefined;
    case 'unmap':
      if (step.sdc === 'all' ? holders.size === 0 : !holders.has(step.sdc)) return 84;
      if (step.sdc === 'all') holders.clear();
      else holders.delete(step.sdc);
      return undefined;
    case 'remove':
      return holders.size > 0 ? 104 : undefined;
  }
}

function codeOf(work: () => void): number | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof ArrayError) return error.code;
    throw error;
  }
}

test('whatever is called in whatever order, mappings do as a simple model does', () => {
  fc.assert(
    fc.property(fc.array(call, { maxLength: 40 }), (steps) => {
      const cluster = testCluster();
      const poolId = firstPool(cluster);
      const hosts = sdcs.map((number) =>
        cluster.change((c) =>
          introduceSdc(c, { guid: `0000000${number}-0000-4000-8000-000000000000`, ip: `10.0.0.${number}` }),
        ),
      );
      const ids = sdcs.map(() =>
        cluster.change((c) => createVolume(c, { sizeKiB: 1, poolId, type: 'ThinProvisioned' }).id),
      );
      const models = new Map<string, Model>(ids.map((id) => [id, { holders: new Set(), multi: false }]));
      for (const step of steps) {
        const volumeId = ids[step.volume] ?? '';
        const want = expected(models.get(volumeId), step);
        const got = codeOf(() => {
          cluster.change((c) => {
            if (step.kind === 'remove') removeVolume(c, volumeId, 'ONLY_ME');
            else {
              const sdc = step.sdc === 'all' ? 'all' : hosts[step.sdc];
              if (sdc === undefined) throw new Error('no such host');
              if (step.kind === 'map') addMapping(c, { volumeId, sdc, multi: step.multi });
              else removeMapping(c, volumeId, sdc);
            }
          });
        });
        expect(got).toBe(want);
        if (step.kind === 'remove' && want === undefined) models.delete(volumeId);
      }
      for (const [id, model] of models) {
        const held = volumeById(cluster, id).mappings.map((mapping) => mapping.sdcId);
        expect(new Set(held)).toEqual(new Set([...model.holders].map((number) => hosts[number]?.id)));
        if (!model.multi) expect(held.length).toBeLessThanOrEqual(1);
      }
      for (const [number, host] of hosts.entries()) {
        const sees = new Set(volumesOfSdc(cluster, host.id).map((volume) => volume.id));
        expect(sees).toEqual(
          new Set([...models].filter(([, model]) => model.holders.has(number)).map(([id]) => id)),
        );
      }
    }),
    { numRuns: 300 },
  );
});

test('a refused call changes nothing, not even the next id', () => {
  const cluster = testCluster();
  const poolId = firstPool(cluster);
  cluster.change((c) => createVolume(c, { name: 'db', sizeKiB: 1, poolId, type: 'ThinProvisioned' }));
  const before = JSON.stringify(cluster.state.records());
  expect(
    codeOf(() => {
      cluster.change((c) => {
        createVolume(c, { name: 'other', sizeKiB: 1, poolId, type: 'ThinProvisioned' });
        createVolume(c, { name: 'db', sizeKiB: 1, poolId, type: 'ThinProvisioned' });
      });
    }),
  ).toBe(99);
  expect(JSON.stringify(cluster.state.records())).toBe(before);
  expect(cluster.state.volumesByName.first('other')).toBeUndefined();
});
