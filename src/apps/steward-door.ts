import type { FastifyInstance } from 'fastify';
import type { LocalSettings } from '../config/settings.ts';
import { certificateIn, certificateRenewal } from '../host/certificate-files.ts';
import { createListener } from '../host/listener.ts';
import { WatchedSecret } from '../host/watched-secret.ts';
import { createStewardDoor, type StewardDoorOptions } from '../operator/door.ts';
import { DoorTokens } from '../operator/door-tokens.ts';
import { Gate } from '../operator/gate.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Periodic } from '../runtime/periodic.ts';
import { hostAndPort, servedAddress } from '../runtime/served-address.ts';
import type { Part } from './lifecycle.ts';

const WHAT = "the steward's door";

/** What a host offers to stewards, where the settings say so. */
export interface StewardDoorParts extends Omit<StewardDoorOptions, 'gate' | 'makeListener'> {
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
}

/**
 * The door to stewards that the settings ask for; nothing where they name no address. An address or a certificate that cannot be had is logged and tried
 * again every 10 s: containers get their volumes meanwhile. Stopping lets calls under way end; of what is not done within `closeMs` its
 * caller does not hear.
 */
export function stewardDoor(
  { doorAddress: address, doorCertFile, doorKeyFile, doorTokensFile }: LocalSettings,
  parts: StewardDoorParts,
  closeMs: number,
): Part[] {
  if (address === undefined || doorTokensFile === undefined) return [];
  if (doorCertFile === undefined || doorKeyFile === undefined) return [];
  const { clock, log } = parts;
  const tokens = new DoorTokens(doorTokensFile, new WatchedSecret(doorTokensFile), log);
  const gate = new Gate(tokens, clock);
  const certificate = () => certificateIn({ certFile: doorCertFile, keyFile: doorKeyFile }, WHAT);
  let door: FastifyInstance | undefined;
  let renewal: Periodic | undefined;
  const listen = async (): Promise<object> => {
    const first = await certificate();
    const made = createStewardDoor({
      ...parts,
      gate,
      makeListener: (handler) => createListener(first, handler),
    });
    const served = await made.listen(hostAndPort(address)).catch(async (error: unknown) => {
      await made.close();
      throw error;
    });
    door = made;
    renewal = certificateRenewal(made.server, { first, certificate, what: WHAT, clock, log });
    renewal?.start();
    return { door: served };
  };
  const listening = servedAddress({ address, listen, what: `${WHAT} is`, name: WHAT, clock, log });
  return [
    {
      name: WHAT,
      start: () => {
        listening.start();
      },
      stop: async () => {
        await Promise.all([listening.stop(), renewal?.stop()]);
        if (door !== undefined) await closedWithin(door, closeMs);
      },
      limitMs: 2 * closeMs,
    },
  ];
}

async function closedWithin(door: FastifyInstance, limitMs: number): Promise<void> {
  const hurry = setTimeout(() => {
    door.server.closeAllConnections();
  }, limitMs);
  await door.close();
  clearTimeout(hurry);
}
