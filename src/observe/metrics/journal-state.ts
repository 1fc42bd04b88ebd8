import { Gauge, type Registry } from 'prom-client';
import { STATES } from '../../volumes/host-volume-states.ts';
import type { Journal } from '../../volumes/ports.ts';
import type { ReadinessCheck } from './readiness.ts';

/** The journal as far as it is watched. */
export interface WatchedJournal extends Pick<Journal, 'all' | 'mustRebuild'> {
  /** Why the last change could not be written, undefined when it could. */
  readonly lastFailure: string | undefined;
}

/** Adds the gauges of the journal. Everything but `mounted` is work that is under way, or waits for the reconciler. */
export function watchJournal(registry: Registry, journal: WatchedJournal): void {
  new Gauge({
    name: 'scaleio_journal_entries',
    help: 'Entries of the journal by phase; mounted ones are at rest, all others are being worked on or wait for clean-up',
    labelNames: ['phase'],
    registers: [registry],
    collect() {
      const phases = journal.all().map(({ phase }) => phase);
      for (const phase of Object.keys(STATES))
        this.set({ phase }, phases.filter((one) => one === phase).length);
    },
  });
  new Gauge({
    name: 'scaleio_volumes_mounted',
    help: 'Volumes that this host has mounted for containers',
    registers: [registry],
    collect() {
      this.set(journal.all().filter(({ phase }) => phase === 'mounted').length);
    },
  });
}

/** Not ready while the journal is being rebuilt, and after a change that could not be written. */
export function journalCheck(journal: WatchedJournal): ReadinessCheck {
  return {
    name: 'journal',
    look: () => {
      const { mustRebuild, lastFailure } = journal;
      if (lastFailure !== undefined) return { ready: false, reason: lastFailure };
      if (mustRebuild) return { ready: false, reason: 'to be rebuilt from the kernel and the array' };
      return { ready: true, reason: 'written and read' };
    },
  };
}
