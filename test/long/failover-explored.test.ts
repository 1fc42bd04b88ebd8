import { describe, it } from 'vitest';
import { explored, holder, taker } from '../unit/volumes/world/every-order.ts';

/** Three hosts have some thousand orders each, which is a minute of computing. */
describe('policy "disconnected", every order of events', () => {
  it('three hosts want a free volume at the same instant', async () => {
    await explored({ hosts: 3, policy: 'disconnected', held: false, blows: [] });
  });

  it('two hosts want the volume of a third, which dies, and one of the two hangs and goes on', async () => {
    const hangs = [taker('freezes'), taker('thaws')];
    await explored({ hosts: 3, policy: 'disconnected', held: true, blows: [holder('dies'), ...hangs] });
  });

  it('two hosts want the volume of a third, which dies, and one of the two dies too', async () => {
    await explored({ hosts: 3, policy: 'disconnected', held: true, blows: [holder('dies'), taker('dies')] });
  });
});
