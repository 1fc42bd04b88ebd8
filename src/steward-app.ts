import { readFile } from 'node:fs/promises';
import { connectGateway } from './app.ts';
import { Alerts } from './capacity/alerts.ts';
import { AuditTrail } from './capacity/audit.ts';
import { Grower } from './capacity/grower.ts';
import type { Policy } from './capacity/policy.ts';
import type { StewardClock } from './capacity/ports.ts';
import { DiskProvider } from './capacity/provider.ts';
import { Steward } from './capacity/steward.ts';
import { StewardLoop } from './capacity/steward-loop.ts';
import type { Settings } from './config/settings.ts';
import { systemClock } from './host/clock.ts';
import type { Log } from './volumes/ports.ts';
import { createWebhooks } from './webhook/signed-post.ts';

const stewardClock: StewardClock = { ...systemClock, elapsed: () => performance.now() };

/** A steward in front of the array of the settings; nothing is asked yet. */
export interface StewardApp {
  readonly steward: Steward;
  readonly loop: StewardLoop;
  /** Resolves when no alert waits to be told any more. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Builds the steward's graph. Rejects when the CA file cannot be read. */
export async function buildSteward(settings: Settings, policy: Policy, log: Log): Promise<StewardApp> {
  const gateway = await connectGateway(settings, log);
  const clock = stewardClock;
  const webhooks = createWebhooks({ readSecret: (path) => readFile(path, 'utf8'), now: () => clock.now() });
  const audit = new AuditTrail({ clock, log });
  const alerts = new Alerts({ webhooks, clock, log, audit }, policy.webhooks);
  const array = gateway.capacity;
  const grower = new Grower(
    { array, provider: new DiskProvider(webhooks), clock, audit },
    { act: policy.act, intervalMs: policy.interval },
  );
  const steward = new Steward({ array, clock, log, alerts, audit, grower }, policy);
  const loop = new StewardLoop({ steward, clock, log }, policy.interval);
  return {
    steward,
    loop,
    settled: () => alerts.settled(),
    close: async () => {
      await loop.stop();
      await alerts.stop();
      await gateway.close();
    },
  };
}
