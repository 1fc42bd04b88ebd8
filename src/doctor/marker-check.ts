import type { ArrayVolume } from '../array/volume.ts';
import type { FailoverPolicy } from '../volumes/volume.ts';
import { warning } from './finding.ts';
import type { Check } from './run-checks.ts';

/** What the look at failover markers needs. Rejections: PluginError. */
export interface MarkerCheckSources {
  /** Whether the array shows no marker of the volume, of whatever policy. */
  isUnmarked(volume: ArrayVolume, signal: AbortSignal): Promise<boolean>;
  mapped(signal: AbortSignal): Promise<readonly ArrayVolume[]>;
  /** By volume id: volumes mounted here that were made with a policy of their own, and Docker's name of each. */
  readPolicies(): Promise<ReadonlyMap<string, { readonly name: string; readonly policy: FailoverPolicy }>>;
}

const NAME = 'missing marker';

/** Volumes mounted here whose failover policy other hosts may not know of, because its marker is gone. Nothing when all are there. */
export function markerCheck(sources: MarkerCheckSources): Check {
  return {
    name: NAME,
    run: async (signal) => {
      const policies = await sources.readPolicies();
      if (policies.size === 0) return [];
      const findings = [];
      for (const volume of await sources.mapped(signal)) {
        const own = policies.get(volume.id);
        if (own === undefined || !(await sources.isUnmarked(volume, signal))) continue;
        findings.push(
          warning(
            NAME,
            `volume "${own.name}" was made with the failover policy "${own.policy}", and its marker on the array is gone: hosts that never mounted it use their default`,
            `put it back: docker-volume-scaleio volume failover ${own.name} ${own.policy}`,
          ),
        );
      }
      return findings;
    },
  };
}
