import { describe, expect, it } from 'vitest';
import { explored, holder, taker } from './world/every-order.ts';
import { explore } from './world/explore.ts';
import { rivals, type Rivalry } from './world/rivals.ts';

const POLICIES = ['never', 'disconnected', 'idle', 'always'] as const;

const STORIES: readonly (readonly [string, Omit<Rivalry, 'policy'>])[] = [
  ['the holder lives on (its cluster network is cut, or start-first)', { hosts: 2, held: true, blows: [] }],
  ['the holder lives on and does I/O', { hosts: 2, held: true, busy: true, blows: [] }],
  ['the holder dies and boots again', { hosts: 2, held: true, blows: [holder('dies'), holder('boots')] }],
  [
    'the holder loses the array, comes back and looks around',
    { hosts: 2, held: true, blows: [holder('loses the array'), holder('comes back'), holder('reconciles')] },
  ],
  [
    'the holder loses array and gateway, and its plugin restarts',
    {
      hosts: 2,
      held: true,
      blows: [holder('loses the array'), holder('loses the gateway'), holder('restarts its plugin')],
    },
  ],
  [
    'the holder gives it back or dies at it',
    { hosts: 2, held: true, blows: [holder('gives'), holder('dies')] },
  ],
  [
    'the holder dies, and the taker loses the gateway',
    { hosts: 2, held: true, blows: [holder('dies'), taker('loses the gateway')] },
  ],
  [
    "the holder dies, and the taker's plugin restarts",
    { hosts: 2, held: true, blows: [holder('dies'), taker('restarts its plugin')] },
  ],
  [
    'the holder dies, then the taker, and boots again',
    { hosts: 2, held: true, blows: [holder('dies'), taker('dies'), taker('boots')] },
  ],
  [
    'the holder hangs and goes on later',
    { hosts: 2, held: true, blows: [holder('freezes'), holder('thaws'), holder('reconciles')] },
  ],
  [
    'the holder is cut off, comes back, and its plugin restarts with a journal of old',
    {
      hosts: 2,
      held: true,
      blows: [holder('loses the array'), holder('comes back'), holder('restarts its plugin')],
    },
  ],
  [
    'the holder is cut off, and its engine wants the volume again',
    { hosts: 2, held: true, blows: [holder('loses the array'), holder('wants it again')] },
  ],
  [
    'the holder gives it back while it loses the array',
    { hosts: 2, held: true, blows: [holder('gives'), holder('loses the array'), holder('reconciles')] },
  ],
  [
    'the holder dies, and any one reply to the taker is lost',
    { hosts: 2, held: true, losesReply: 2, blows: [holder('dies')] },
  ],
  [
    'the holder gives it back, and any one reply to it is lost',
    { hosts: 2, held: true, losesReply: 1, blows: [holder('gives'), holder('loses the array')] },
  ],
  [
    'the holder dies, and the taker is without gateway for a while',
    {
      hosts: 2,
      held: true,
      blows: [
        holder('dies'),
        taker('loses the gateway'),
        taker('finds the gateway'),
        taker('wants it again'),
      ],
    },
  ],
  [
    'it is taken by force while another host wants it and the holder gives it back',
    { hosts: 2, held: true, forced: true, blows: [holder('gives')] },
  ],
  [
    'it is taken by force while the holder dies, another host wants it, and any one reply to that is lost',
    { hosts: 2, held: true, forced: true, losesReply: 2, blows: [holder('dies')] },
  ],
  [
    'two hosts ask again and again, and a host may take it once',
    { hosts: 2, held: true, moveLimit: 1, blows: [holder('wants it again'), taker('wants it again')] },
  ],
];

describe.each(POLICIES)('failover policy "%s", every order of events', { timeout: 240_000 }, (policy) => {
  it.each(STORIES)('%s', async (_what, story) => {
    if (story.blows.length > 0) await explored({ ...story, policy });
    else expect((await explore(() => rivals({ ...story, policy }))).faults).toEqual([]);
  });

  it('two hosts want a free volume at the same instant', async () => {
    await explored({ hosts: 2, policy, held: false, blows: [] });
  });

  it('two hosts want the volume of a third, which dies', async () => {
    const { states } = await explored({ hosts: 3, policy, held: true, blows: [holder('dies')] });
    expect(states).toBeGreaterThan(200);
  });
});
