import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { BORROWED_FILES } from './borrowed-files.ts';

/** Put there by plugin/bundle.ts: the files below page/ by name. Not there when the sources run as they are. */
declare const bundledPage: Readonly<Record<string, string>> | undefined;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface PageFile {
  readonly type: string;
  readonly text: string;
}

/** The file of the page with this name; undefined when it has none such. Names come from outside: only plain ones count. */
export async function pageFile(name: string): Promise<PageFile | undefined> {
  const type = TYPES[path.extname(name)];
  if (type === undefined || !/^[a-z-]+\.[a-z]+$/.test(name)) return undefined;
  const text = typeof bundledPage === 'undefined' ? await fromSources(name) : bundledPage[name];
  return text === undefined ? undefined : { type, text };
}

async function fromSources(name: string): Promise<string | undefined> {
  try {
    return await readFile(pathInSources(name), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function pathInSources(name: string): string {
  const borrowed = BORROWED_FILES.get(name);
  return borrowed === undefined
    ? path.join(import.meta.dirname, 'browser', name)
    : createRequire(import.meta.url).resolve(borrowed);
}
