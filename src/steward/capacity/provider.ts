import * as z from 'zod';
import { WebhookError } from '../../errors.ts';
import { usedPercent } from './assessment.ts';
import { devicesOf } from './growth.ts';
import { stablePath, type WebhookPolicy } from '../policy.ts';
import type { ClusterReading, PoolReading } from '../../array/pool.ts';
import type { Webhooks } from '../ports.ts';

/** A disk that was made for us, or why there is none yet. */
export type ProvidedDisk = { readonly sds: string; readonly path: string } | { readonly wait: string };

const answerSchema = z.union([
  z.strictObject({ sds: z.string().min(1), path: stablePath() }),
  z.strictObject({ wait: z.string().min(1) }),
]);

/**
 * Clouds, where a disk must be made before it can be added. The request carries a key that stays the same until the pool has one
 * more device: a provider that answers one key with one disk makes no disk twice, whoever asks and how often.
 */
export class DiskProvider {
  readonly #webhooks: Webhooks;

  constructor(webhooks: Webhooks) {
    this.#webhooks = webhooks;
  }

  /** Rejects with WebhookError, also for an answer that is none. */
  async ask(
    provider: WebhookPolicy,
    pool: PoolReading,
    cluster: ClusterReading,
    signal: AbortSignal,
  ): Promise<ProvidedDisk> {
    const devices = devicesOf(pool, cluster);
    const bySds = Map.groupBy(devices, ({ sdsId }) => sdsId);
    const payload = {
      kind: 'disk-wanted',
      key: `${cluster.systemId}.${pool.id}.${devices.length}`,
      systemId: cluster.systemId,
      pool: {
        id: pool.id,
        name: pool.name,
        domain: pool.domainName,
        usedPercent: usedPercent(pool.capacity),
      },
      sdss: cluster.sdss
        .filter(({ domainId }) => domainId === pool.domainId)
        .map(({ id, name, faultSetId, trouble }) => ({
          id,
          name,
          faultSetId,
          trouble: trouble ?? null,
          devices: (bySds.get(id) ?? []).map(({ paths, limitKiB }) => ({ path: paths[0] ?? null, limitKiB })),
        })),
    };
    const { url, secretFile, timeout: timeoutMs } = provider;
    const said = await this.#webhooks.post({ url, secretFile, timeoutMs }, payload, signal);
    const answer = answerSchema.safeParse(readJson(said));
    if (answer.success) return answer.data;
    throw new WebhookError(
      `the disk provider "${new URL(url).host}" sent an answer that is neither {"sds", "path"} with a stable path nor {"wait"}`,
    );
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
