import { readFile } from 'node:fs/promises';
import path from 'node:path';

const project = path.resolve(import.meta.dirname, '../..');

/** The shell commands of a page of the documentation, in its order, to be run word for word. */
export class DocsPage {
  readonly file: string;
  readonly #blocks: readonly string[];
  #taken = 0;

  private constructor(file: string, blocks: readonly string[]) {
    this.file = file;
    this.#blocks = blocks;
  }

  /** `examples`: what stands in a page for what everybody has of his own, and what to put in its place. */
  static async read(file: string, examples: Readonly<Record<string, string>>): Promise<DocsPage> {
    const blocks = shellBlocks(await readFile(path.join(project, file), 'utf8'));
    const replaced = blocks.map((block) =>
      Object.entries(examples).reduce((text, [example, own]) => text.replaceAll(example, own), block),
    );
    return new DocsPage(file, replaced);
  }

  /** The next commands, which must be those that the test is about. */
  next(beginning: string): string {
    const block = this.#blocks[this.#taken];
    if (block?.startsWith(beginning) !== true)
      throw new Error(
        `${this.file}: expected commands that begin with "${beginning}", found "${block?.split('\n', 1)[0] ?? 'none'}"`,
      );
    this.#taken += 1;
    return block;
  }

  /** Commands of the page that begin so, wherever they stand. */
  find(beginning: string): string {
    const block = this.#blocks.find((one) => one.startsWith(beginning));
    if (block === undefined) throw new Error(`${this.file} has no commands that begin with "${beginning}"`);
    return block;
  }

  /** What has not been run, by its first line. */
  get left(): string[] {
    return this.#blocks.slice(this.#taken).map((block) => block.split('\n', 1)[0] ?? '');
  }
}

/** What stands between ```sh and ``` in Markdown, without the indentation of the list that it belongs to. */
export function shellBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)].map(([, indent = '', code = '']) =>
    code.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trimEnd(),
  );
}
