import type { ReadinessCheck } from './readiness.ts';

/** Not ready while the settings have mistakes, or do not lead to a state directory that can be used. */
export function settingsCheck(mistakes: string | undefined): ReadinessCheck {
  const finding =
    mistakes === undefined ? { ready: true, reason: 'in force' } : { ready: false, reason: mistakes };
  return { name: 'settings', look: () => finding };
}
