import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** Sends one command to qemu's monitor (QMP) and returns when it is done. Rejects with what qemu says against it. */
export async function tellQemu(path: string, command: string): Promise<void> {
  const socket = connect(path);
  await once(socket, 'connect');
  try {
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    const reply = async (): Promise<void> => {
      for (;;) {
        const { value, done } = await lines.next();
        // qemu that quits may be gone before it answers.
        if (done === true) return;
        const message = JSON.parse(value) as { readonly return?: unknown; readonly error?: { desc: string } };
        if (message.error !== undefined) throw new Error(`qemu refused "${command}": ${message.error.desc}`);
        if ('return' in message) return;
      }
    };
    for (const execute of ['qmp_capabilities', command]) {
      socket.write(`${JSON.stringify({ execute })}\n`);
      await reply();
    }
  } finally {
    socket.destroy();
  }
}
