import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { FlawedSettingsError, type LoadedSettings } from '../config/load-settings.ts';
import type { LocalSettings } from '../config/settings.ts';
import { failureFacts } from '../docker/protocol/failures.ts';
import { ReplaceableDriver } from '../docker/replaceable-driver.ts';
import { createDockerServer } from '../docker/protocol/server.ts';
import { activatedFd, listenOnFd, listenOnPath, type SystemdHandover } from '../docker/protocol/socket.ts';
import { ConfigError, isPluginError } from '../errors.ts';
import { systemClock } from '../host/clock.ts';
import { inRequest } from '../observe/logging/request-context.ts';
import { Periodic } from '../runtime/periodic.ts';
import type { DoorOptions } from '../operator/door.ts';
import type { Realm } from '../operator/realm.ts';
import { addPages, type Pages } from '../observe/metrics/pages.ts';
import { createMetricsServer } from '../observe/metrics/server.ts';
import type { OperatorActions } from '../volumes/operator-actions.ts';
import { Lifecycle, madeAtStart, type Part } from './lifecycle.ts';
import { actionsInTurn, CALL_LIMIT_MS, OperatorDoor } from './operator-door.ts';
import { stewardDoor } from './steward-door.ts';
import { openFlawedService, openService, refusingService, type PluginService } from './plugin-service.ts';
import type { ServiceEdge } from './plugin-host.ts';

/** The running plugin. */
export interface App {
  /** Stops listening, lets calls under way finish, leaves every mount in use as it is. */
  close(): Promise<void>;
}

/** What the settings say now: those in force, or their mistakes. */
export type SettingsNow = LoadedSettings | FlawedSettingsError;

export interface AppEdge extends Omit<ServiceEdge, 'ownPid'> {
  readonly systemd: SystemdHandover;
  /** Reads the settings, whose files somebody may have mended meanwhile. */
  readonly readSettings: () => SettingsNow;
  /** Between looks whether what keeps the plugin from serving is mended, ms; default 5 s. */
  readonly mendedMs?: number;
}

/** Engines kill a plugin 10 s after asking it to end; what a call left half done the next start finishes. */
const CLOSE_MS = 5000;
/** Longer than all of its parts may take. */
const SERVICE_CLOSE_MS = 60_000;
const MENDED_MS = 5000;

/**
 * Builds all parts and listens. Nothing outside this host is asked before the socket answers, so an array that is away
 * does not keep the engine waiting. With mistakes in the settings, or while another process works with the state directory, it listens all the same, tells
 * callers what is wrong, and serves once that is mended: where nobody listens, an engine can say nothing of the reason.
 * Rejects with ConfigError when the socket cannot be had.
 */
export async function startApp(io: AppEdge): Promise<App> {
  const { log } = io;
  const serving = new Serving(io);
  const local = await serving.open();
  const lifecycle = new Lifecycle(partsOf(serving, local, io), { clock: systemClock, log });
  await lifecycle.start();
  return {
    close: async () => {
      await lifecycle.stop();
      log.info({}, 'stopped');
    },
  };
}

/** What listens comes after what answers, and the first to listen is the engine's socket: the others must not keep it waiting. */
function partsOf(serving: Serving, settings: LocalSettings, io: AppEdge): Part[] {
  const { socket, metricsAddress: address } = settings;
  const { log } = io;
  const server = createServer(serving, io);
  const door = new OperatorDoor(doorParts(serving, io));
  const openDoor = (): Promise<void> => door.listen(serving.stateDir);
  return [
    // What answers is closed by parts of its own, each with a limit.
    { name: 'serving volumes', stop: () => serving.close(), limitMs: SERVICE_CLOSE_MS },
    { name: "the operator's door", stop: () => door.close(CLOSE_MS), limitMs: 2 * CLOSE_MS },
    {
      name: 'the socket of the engine',
      start: () => listen(server, socket, io),
      stop: () => closeServer(server),
      limitMs: 2 * CLOSE_MS,
    },
    {
      name: 'the watch for mended settings',
      start: () => serving.start(openDoor),
      stop: () => serving.stopMending(),
    },
    { name: "the opening of the operator's door", start: openDoor },
    ...stewardDoor(
      settings,
      {
        ...doorParts(serving, io),
        realm: (signal) => serving.realm(signal),
        limitMs: CALL_LIMIT_MS,
        clock: systemClock,
      },
      CLOSE_MS,
    ),
    ...(address === undefined
      ? []
      : [
          madeAtStart('the metrics', () =>
            createMetricsServer({ address, pages: serving.pages, clock: systemClock, log }),
          ),
        ]),
  ];
}

async function listen(server: FastifyInstance, socket: string, { systemd, log }: AppEdge): Promise<void> {
  await server.ready();
  const fd = activatedFd(systemd);
  if (fd === undefined) await listenOnPath(server.server, socket);
  else await listenOnFd(server.server, fd);
  log.info({ socket: fd === undefined ? socket : `fd ${fd}`, rssMiB: residentMiB() }, 'listening');
}

async function closeServer(server: FastifyInstance): Promise<void> {
  const hurry = setTimeout(() => {
    server.server.closeAllConnections();
  }, CLOSE_MS);
  await server.close();
  clearTimeout(hurry);
}

function doorParts({ actions }: Serving, { log }: AppEdge): Omit<DoorOptions, 'limitMs'> {
  return { actions, log, newRequestId: () => randomUUID(), inRequest };
}

/** The protocol of the engine, and beside it what there is to watch; all that a call sets off bears its id. */
function createServer({ driver, pages }: Serving, { log }: AppEdge): FastifyInstance {
  const server = createDockerServer({ driver, log, newRequestId: () => randomUUID() });
  server.addHook('onRequest', (request, _reply, done) => {
    inRequest(request.id, done);
  });
  addPages(server, pages);
  return server;
}

/** The service that answers now, and the watch for the end of what keeps it from serving. */
class Serving {
  readonly #io: AppEdge;
  readonly #serviceEdge: ServiceEdge;
  readonly #mending: Periodic;
  #service: PluginService;
  #mended: () => Promise<void> = () => Promise.resolve();
  readonly driver: ReplaceableDriver;
  readonly actions: OperatorActions;
  /** What keeps it from serving, undefined when nothing does. */
  #trouble: string | undefined;
  /** Of the service that answers now. */
  readonly pages: Pages;

  constructor(io: AppEdge) {
    this.#io = io;
    this.#serviceEdge = { ...io, ownPid: io.systemd.ownPid };
    this.#service = refusingService(new ConfigError('the plugin has not started yet'), this.#serviceEdge);
    this.driver = new ReplaceableDriver(this.#service.driver, systemClock);
    const { log, mendedMs = MENDED_MS } = io;
    this.#mending = new Periodic({
      clock: systemClock,
      firstMs: mendedMs,
      pauseMs: () => (this.#trouble === undefined ? undefined : mendedMs),
      turn: () => this.#takeUpMended(),
      onError: (error) => {
        log.error({ error: String(error) }, 'cannot take up the settings; trying again');
      },
    });
    this.actions = actionsInTurn(this.driver, () => this.#service.actions);
    const current = (): Pages => this.#service.pages;
    this.pages = {
      get registry() {
        return current().registry;
      },
      get readiness() {
        return current().readiness;
      },
    };
  }

  /** Where to listen, and everything else that a mended setting changes only at the next start. */
  async open(): Promise<LocalSettings> {
    const now = this.#io.readSettings();
    await this.#replaceBy(now);
    return now instanceof FlawedSettingsError ? now.local : now.settings;
  }

  /** That the service which answers now has taken. */
  get stateDir(): string | undefined {
    return this.#service.stateDir;
  }

  /** Whose volumes it works on. Rejects with a PluginError while that is not known. */
  realm(signal: AbortSignal): Promise<Realm> {
    return this.#service.realm(signal);
  }

  /** To be called once it listens; `mended` when another service answers from then on. */
  async start(mended: () => Promise<void>): Promise<void> {
    await this.#service.start();
    this.#mended = mended;
    if (this.#trouble !== undefined) this.#mending.start();
  }

  /** Resolves when nothing is taken up any more. */
  stopMending(): Promise<void> {
    return this.#mending.stop();
  }

  /** To be called after stopMending. */
  close(): Promise<void> {
    return this.#service.close();
  }

  async #takeUpMended(): Promise<void> {
    const now = this.#io.readSettings();
    if (now instanceof FlawedSettingsError && told(now).message === this.#trouble) return;
    await this.#replaceBy(now);
    await this.#service.start();
    await this.#mended();
  }

  async #replaceBy(now: SettingsNow): Promise<void> {
    await this.driver.replace(async () => {
      await this.#service.close();
      this.#service = await this.#serviceFor(now);
      return this.#service.driver;
    });
  }

  async #serviceFor(now: SettingsNow): Promise<PluginService> {
    const { log } = this.#io;
    const before = this.#trouble;
    try {
      const service = await this.#opened(now);
      if (this.#trouble === undefined && before !== undefined) log.info({}, 'mended: serving volumes');
      return service;
    } catch (cause) {
      // What answered before is closed by now, so something has to take its place whatever went wrong.
      const reason = isPluginError(cause)
        ? cause
        : new ConfigError(`taking up the settings failed: ${String(cause)}; it is tried again`, { cause });
      this.#trouble = reason.message;
      if (before !== reason.message)
        log.error({ ...failureFacts(cause), code: reason.code }, `cannot serve volumes: ${reason.message}`);
      return refusingService(reason, this.#serviceEdge);
    }
  }

  async #opened(now: SettingsNow): Promise<PluginService> {
    const { log } = this.#io;
    if (!(now instanceof FlawedSettingsError)) {
      log.level = now.settings.logLevel;
      const service = await openService(now, this.#serviceEdge);
      for (const warning of now.warnings) log.warn({}, warning);
      this.#trouble = undefined;
      return service;
    }
    const mistakes = told(now);
    if (!now.knowsItsPlaces) throw mistakes;
    const service = await openFlawedService(now.local, mistakes, this.#serviceEdge);
    if (this.#trouble !== mistakes.message)
      log.error({ problems: now.problems }, `cannot serve volumes: ${mistakes.message}`);
    this.#trouble = mistakes.message;
    return service;
  }
}

const REMEDY =
  'change them as docs/configuration.md says (docker plugin disable -f, docker plugin set, docker plugin enable); a file that is mended is read again by itself';

/** The mistakes as a caller hears them. */
function told({ inOneLine, context }: FlawedSettingsError): ConfigError {
  return new ConfigError(`${inOneLine}; ${REMEDY}`, { context });
}

function residentMiB(): number {
  return Math.round(process.memoryUsage.rss() / 1_048_576);
}
