import { formatGiB } from '../steward/capacity/assessment.ts';
import type { Policy } from '../steward/policy.ts';
import type { CleanupStatus } from '../steward/ports.ts';
import type { StewardSnapshot } from '../steward/steward.ts';
import { heldWords, type TrashHeld } from '../volumes/trash/trash-held.ts';
import { formatDuration } from '../units/duration.ts';

/** What a policy amounts to, in one line. */
export function textForPolicy({ act, pools, cleanup }: Policy): string {
  const mode = act ? 'acting' : 'dry run';
  if (cleanup === undefined) return `${pools.length} pools, ${mode}, no clean-up`;
  const { provisionalOlderThan, ofUnknownHosts, deadSdcMappings } = cleanup;
  const what = [
    `unfinished volumes older than ${formatDuration(provisionalOlderThan)}`,
    ...(ofUnknownHosts ? ['those of unknown hosts'] : []),
    ...(deadSdcMappings ? ['mappings of SDCs that are gone'] : []),
  ];
  return `${pools.length} pools, ${mode}, cleans up ${what.join(', ')}`;
}

/** What the steward sees: a pool a paragraph, then a line for each leftover. */
export function textForSnapshot({ pools, problems, sdss, cleanup, trash = [] }: StewardSnapshot): string {
  const troubled = sdss.filter(({ trouble }) => trouble !== undefined);
  const paragraphs = [
    ...pools.map((pool) =>
      wordsForPool(
        pool,
        trash.find(({ poolId }) => poolId === pool.reading.id),
      ),
    ),
    ...troubled.map(({ name, trouble }) => `SDS ${name}: ${trouble ?? ''}\n`),
    ...problems.map((problem) => `policy: ${problem}\n`),
    ...(cleanup === null ? [] : [wordsForCleanup(cleanup)]),
  ];
  return paragraphs.join('');
}

function wordsForCleanup({ problem, findings }: CleanupStatus): string {
  const lines = [
    ...(problem === null ? [] : [problem]),
    ...findings.map(({ action, target, state, why }) => `${state}: ${action} ${target}, ${why}`),
  ];
  if (lines.length === 0) return 'clean-up        nothing left over\n';
  return lines.map((line) => `clean-up        ${line}\n`).join('');
}

function wordsForPool(status: StewardSnapshot['pools'][number], held: TrashHeld | undefined): string {
  const { reading, usedPercent, level, contradiction, devices, growth, watched } = status;
  const { capacity } = reading;
  const facts = [
    ['pool', `${reading.domainName}/${reading.name} (${reading.id}), ${devices} devices`],
    [
      'used',
      `${usedPercent.toFixed(1)} %, ${formatGiB(capacity.usedKiB)} raw of ${formatGiB(capacity.limitKiB)}`,
    ],
    ...(held === undefined ? [] : [['trash', heldWords(held)]]),
    ['spare', formatGiB(capacity.spareKiB)],
    ['thin committed', formatGiB(capacity.thinCommittedKiB)],
    ['level', watched === undefined ? 'not in the policy' : level],
    ['health', healthOf(status)],
    ...(contradiction === undefined ? [] : [['numbers', contradiction]]),
    ...(growth === null ? [] : [['growth', growth]]),
  ];
  return `${facts.map(([fact = '', value = '']) => `${fact.padEnd(16)}${value}`).join('\n')}\n`;
}

function healthOf({ health, reading }: StewardSnapshot['pools'][number]): string {
  const { rebuildKiB, rebalanceKiB, failedKiB, degradedKiB } = reading.capacity;
  const words = [
    ...(failedKiB > 0 ? [`failed ${formatGiB(failedKiB)}`] : []),
    ...(degradedKiB > 0 ? [`degraded ${formatGiB(degradedKiB)}`] : []),
    ...(health.rebuilding ? [`rebuild, ${formatGiB(rebuildKiB)} left`] : []),
    ...(health.rebalancing ? [`rebalance, ${formatGiB(rebalanceKiB)} left`] : []),
  ];
  if (words.length > 0) return words.join(', ');
  return health.impaired ? 'in maintenance or partly unreachable' : 'normal';
}
