import { describe, expect, it } from 'vitest';
import { World } from './world/world.ts';

async function statusOf(options: Record<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const world = new World();
  const { life } = world.host(1);
  await world.run(life.create('db', options));
  return (await world.run(life.get('db'))).status;
}

describe('the status of a volume', () => {
  it('names what iops does here that it did not do with REX-Ray', async () => {
    expect(await statusOf({ iops: '500' })).toMatchObject({
      limits: { iops: 500, bandwidthKiBps: 0 },
      limitsNote: 'the array enforces iops; REX-Ray ignored it',
    });
  });

  it.each([{}, { bandwidth: '10MiB' }])('says nothing of that for %j', async (options) => {
    const status = await statusOf(options);
    expect(status).toHaveProperty('limits');
    expect(status).not.toHaveProperty('limitsNote');
  });
});
