import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { listenOnPath } from '../docker/protocol/socket.ts';
import type { ReplaceableDriver } from '../docker/replaceable-driver.ts';
import { isPluginError, type PluginError } from '../errors.ts';
import { DOOR_SOCKET } from '../operator/calls.ts';
import { createDoor, type DoorOptions } from '../operator/door.ts';
import { handedOn, type OperatorActions } from '../volumes/operator-actions.ts';

/** For one call of an operator, ms; longer than any that will end, and shorter than the command waits. */
export const CALL_LIMIT_MS = 120_000;

/** The operator's door of the running plugin, in the state directory that it works with now. */
export class OperatorDoor {
  readonly #options: Omit<DoorOptions, 'limitMs'>;
  #open: { readonly stateDir: string; readonly server: FastifyInstance } | undefined;
  #listening: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: Omit<DoorOptions, 'limitMs'>) {
    this.#options = options;
  }

  /**
   * Listens there, unless it does already or is closed; nowhere else any more. Never rejects: containers get their volumes also where nobody can listen, such as
   * beside another plugin with the same directory, which has the door then.
   */
  listen(stateDir: string | undefined): Promise<void> {
    this.#listening = this.#listening.then(async () => {
      if (this.#isClosed || this.#open?.stateDir === stateDir) return;
      await this.#end(0);
      if (stateDir !== undefined) await this.#listen(stateDir);
    });
    return this.#listening;
  }

  /** For good. Lets calls under way end; of what is not done within the limit, ms, its caller does not hear. */
  async close(limitMs: number): Promise<void> {
    this.#isClosed = true;
    await this.#listening;
    await this.#end(limitMs);
  }

  async #end(limitMs: number): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    const hurry = setTimeout(() => {
      open.server.server.closeAllConnections();
    }, limitMs);
    await open.server.close();
    clearTimeout(hurry);
    this.#open = undefined;
  }

  async #listen(stateDir: string): Promise<void> {
    const socket = path.join(stateDir, DOOR_SOCKET);
    const { log } = this.#options;
    const server = createDoor({ ...this.#options, limitMs: CALL_LIMIT_MS });
    try {
      await server.ready();
      await listenOnPath(server.server, socket);
      this.#open = { stateDir, server };
    } catch (error) {
      if (!isPluginError(error)) throw error;
      await server.close();
      log.warn(
        { socket, error: error.message },
        "the operator's socket cannot be opened: commands that change a volume (docker-volume-scaleio volume) cannot ask this plugin",
      );
    }
  }
}

/** Where nothing can be done, the reason. */
export function refusingActions(reason: PluginError): OperatorActions {
  return handedOn(() => Promise.reject(reason));
}

/** An operator's work takes its turn among the calls of engines, and is done by the service that answers then. */
export function actionsInTurn(
  calls: Pick<ReplaceableDriver, 'run'>,
  now: () => OperatorActions,
): OperatorActions {
  return handedOn((what, act) => calls.run(what, () => act(now())));
}
