/*
 * What is opened on the page, and what the steward says of it: asked for when it is opened and every 15 s as long as it stays so.
 */

const AGAIN_MS = 15_000;

/**
 * @template Answer
 * @typedef {{ answer: Answer | undefined, why: string }} Said
 */

/**
 * Those of one kind that are opened. `path`: where the answer about one is had; `onChange`: something is to be drawn anew.
 * @template Answer
 * @param {{ path: (id: string) => string, onChange: () => void }} parts
 */
export function openable({ path, onChange }) {
  /** @type {Map<string, Said<Answer>>} */
  const opened = new Map();

  /** @param {string} id */
  const ask = async (id) => {
    const said = await answerAt(path(id));
    const before = opened.get(id);
    if (before === undefined) return;
    opened.set(id, {
      answer: said.answer === undefined ? before.answer : /** @type {Answer} */ (said.answer),
      why: said.why,
    });
    onChange();
  };

  setInterval(() => {
    for (const id of opened.keys()) void ask(id);
  }, AGAIN_MS);

  return {
    /**
     * Undefined: it is not opened.
     * @param {string} id
     */
    said: (id) => opened.get(id),
    /** @param {string} id */
    toggle: (id) => {
      if (opened.delete(id)) onChange();
      else {
        opened.set(id, { answer: undefined, why: 'Reading …' });
        onChange();
        void ask(id);
      }
    },
  };
}

/**
 * `why`: what is to be told beside the answer, or in its place; '' for nothing.
 * @param {string} path
 * @returns {Promise<{ answer: unknown, why: string }>}
 */
async function answerAt(path) {
  try {
    const answer = await fetch(path);
    const said = await answer.json();
    if (answer.ok) return { answer: said, why: '' };
    return { answer: undefined, why: `Not read: ${String(said.error)}.` };
  } catch {
    return { answer: undefined, why: 'Not read: the steward does not answer.' };
  }
}
