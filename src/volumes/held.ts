import type { HeldDevice } from './ports.ts';

/** Lets go of what was or still is being waited for; nothing when that failed. */
export async function letGo(awaited: Promise<HeldDevice>): Promise<void> {
  const [held] = await Promise.allSettled([awaited]);
  if (held.status === 'fulfilled') await held.value.close();
}
