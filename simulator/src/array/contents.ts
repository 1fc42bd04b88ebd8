import type { Fences } from '../hosts/volume-fences.ts';
import type { VolumeFiles } from '../hosts/volume-files.ts';
import { checkOverwrite, finishOverwrite, overwriteContent, type Overwrite } from '../mdm/snapshots.ts';
import type { Cluster } from '../mdm/cluster.ts';
import { removeVolume } from '../mdm/volumes.ts';

type Perform = <T>(operation: (cluster: Cluster) => T) => Promise<T>;

export interface ContentsParts {
  readonly cluster: Cluster;
  readonly files: VolumeFiles;
  readonly fences: Pick<Fences, 'whileStill'>;
  readonly perform: Perform;
}

export interface Revert {
  readonly targetId: string;
  readonly sourceId: string;
  /** copy leaves the source alone, move uses it up, toggle gives it what the target had. */
  readonly mode: 'move' | 'copy' | 'toggle';
}

/**
 * Moves content between the volumes of a family, one at a time. New content lies ready in a file of its own before the state says that it
 * is taken, so a kill at any moment leaves either the old content or all of the new.
 */
export class Contents {
  readonly #cluster: Cluster;
  readonly #files: VolumeFiles;
  readonly #fences: Pick<Fences, 'whileStill'>;
  readonly #perform: Perform;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ContentsParts) {
    this.#cluster = parts.cluster;
    this.#files = parts.files;
    this.#fences = parts.fences;
    this.#perform = parts.perform;
  }

  /** The data of new snapshots, all of one moment. */
  copy(copies: readonly { readonly sourceId: string; readonly id: string }[]): Promise<void> {
    const sources = copies.map(({ sourceId }) => sourceId);
    return this.#inTurn(() =>
      this.#fences.whileStill(sources, async () => {
        await Promise.all(copies.map(({ sourceId, id }) => this.#files.copy(sourceId, id)));
      }),
    );
  }

  overwrite(request: Overwrite): Promise<void> {
    return this.#inTurn(() => this.#overwriteAll([request], () => undefined));
  }

  /** What the modes do besides is taken from their names; no source describes it. */
  revert({ targetId, sourceId, mode }: Revert): Promise<void> {
    const forth = { targetId, sourceId, evenLocked: false };
    const back = { targetId: sourceId, sourceId: targetId, evenLocked: false };
    return this.#inTurn(() =>
      this.#overwriteAll(mode === 'toggle' ? [forth, back] : [forth], (cluster) => {
        if (mode === 'move') removeVolume(cluster, sourceId, 'ONLY_ME');
      }),
    );
  }

  /** Ends what a simulator before this one had begun. */
  async finish(): Promise<void> {
    for (const { id, takesStaged } of [...this.#cluster.state.volumes.values()])
      if (takesStaged) await this.#take(id);
  }

  async #overwriteAll(requests: readonly Overwrite[], more: (cluster: Cluster) => void): Promise<void> {
    for (const request of requests) {
      const { source } = checkOverwrite(this.#cluster, request);
      await this.#fences.whileStill([source.id], () =>
        this.#files.stage(source.id, request.targetId, source.sizeKiB),
      );
    }
    await this.#perform((cluster) => {
      const sizes = requests.map((request) => checkOverwrite(cluster, request).source.sizeKiB);
      for (const request of requests) overwriteContent(cluster, request);
      for (const [index, { targetId }] of requests.entries()) {
        const target = cluster.state.volumes.get(targetId);
        if (target) cluster.state.volumes.put({ ...target, sizeKiB: sizes[index] ?? target.sizeKiB });
      }
      more(cluster);
    });
    for (const { targetId } of requests) await this.#take(targetId);
  }

  async #take(id: string): Promise<void> {
    await this.#fences.whileStill([id], () => this.#files.takeStaged(id));
    const sizeKiB = this.#cluster.state.volumes.get(id)?.sizeKiB;
    if (sizeKiB !== undefined) await this.#files.ensure(id, sizeKiB);
    await this.#perform((cluster) => {
      finishOverwrite(cluster, id);
    });
    await this.#files.dropStaged(id);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn;
    return turn;
  }
}
