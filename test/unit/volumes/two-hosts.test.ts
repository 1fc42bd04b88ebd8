import { describe, expect, it } from 'vitest';
import { VolumeConflictError, VolumeInUseError } from '../../../src/errors.ts';
import { explore } from './world/explore.ts';
import { absent, made, nothing, race } from './world/race.ts';
import type { Life } from './world/life.ts';
import type { World } from './world/world.ts';

function volumes(world: World): number {
  return [...world.array.volumes.values()].filter(
    ({ kind, name }) => kind !== 'snapshot' && !name.startsWith('~'),
  ).length;
}

describe('two hosts create the same name at the same instant, in every order', () => {
  it.each([
    { prepare: nothing, options: {} },
    { prepare: nothing, options: { fs: 'ext4', failover: 'never' } },
    { prepare: nothing, options: { readonly: 'true' } },
    { prepare: absent, options: { failover: 'never' } },
  ])(
    'with equal options $options, after $prepare.name: both succeed and there is one volume',
    async ({ prepare, options }) => {
      const create = (life: Life): Promise<void> => life.create('db', options);
      const explored = await explore(() =>
        race(prepare, [create, create], (answers, world) => [
          ...answers.flatMap((answer) => (answer?.ok === true ? [] : [`answered ${JSON.stringify(answer)}`])),
          ...(volumes(world) === 1 ? [] : [`${volumes(world)} volumes`]),
        ]),
      );
      expect(explored.faults).toEqual([]);
      expect(explored.endings).toBeGreaterThan(1);
    },
  );

  it.each([{ prepare: nothing }, { prepare: absent }])(
    'with different sizes, after $prepare.name: the second gets a conflict, whoever it is',
    async ({ prepare }) => {
      const winners = new Set<number>();
      const explored = await explore(() =>
        race(
          prepare,
          [(life) => life.create('db', { size: '8GiB' }), (life) => life.create('db', { size: '64GiB' })],
          (answers, world) => {
            winners.add(answers.findIndex((answer) => answer?.ok === true));
            const refused = answers.filter(
              (answer) => answer?.ok === false && answer.error instanceof VolumeConflictError,
            );
            return refused.length === 1 && volumes(world) === 1
              ? []
              : [`answered ${JSON.stringify(answers)}`];
          },
        ),
      );
      expect(explored.faults).toEqual([]);
      expect([...winners].sort()).toEqual([0, 1]);
    },
  );

  it('and host 1 is killed at any moment: host 2 still has a whole volume', async () => {
    const create = (life: Life): Promise<void> => life.create('db', { failover: 'always' });
    const explored = await explore(() =>
      race(
        nothing,
        [create, create],
        (answers, world) => {
          const label = world.exists('db') ? world.content('db').label?.name : undefined;
          return answers[1]?.ok === true && label === 'db' ? [] : [`answered ${JSON.stringify(answers)}`];
        },
        { mayDie: true },
      ),
    );
    expect(explored.faults).toEqual([]);
  });
});

describe('two hosts mount the same volume at the same instant, in every order', () => {
  it('one gets it, the other is told who has it', async () => {
    const winners = new Set<number>();
    const explored = await explore(() =>
      race(made, [(life) => life.mount('db', 'm1'), (life) => life.mount('db', 'm2')], (answers, world) => {
        const winner = answers.findIndex((answer) => answer?.ok === true);
        winners.add(winner);
        const loser = answers[1 - winner];
        const isTold =
          loser?.ok === false &&
          loser.error instanceof VolumeInUseError &&
          loser.error.message.includes(`host${winner + 1} (10.0.0.${winner + 1})`);
        return isTold && world.volume('db').mappings.size === 1
          ? []
          : [`answered ${JSON.stringify(answers)}`];
      }),
    );
    expect(explored.faults).toEqual([]);
    expect([...winners].sort()).toEqual([0, 1]);
  });
});
