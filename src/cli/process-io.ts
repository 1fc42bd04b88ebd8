/** The process as a command sees it; main hands in the real one, tests their own. */
export interface ProcessIo {
  /** Without the program's own name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Asks whoever sits at the terminal and answers the line; undefined where there is no terminal. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
  onSignal(signal: 'SIGTERM' | 'SIGINT', handler: () => void): void;
}

export interface Output {
  /** At a terminal, and how wide that is. */
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** Resolves when the process is asked to end. */
export function untilAskedToEnd(io: ProcessIo): Promise<void> {
  return new Promise((resolve) => {
    io.onSignal('SIGTERM', resolve);
    io.onSignal('SIGINT', resolve);
  });
}

/** The process in the shape that the simulator's commands ask for. */
export function linesOf(io: ProcessIo): {
  print: (line: string) => void;
  complain: (line: string) => void;
  untilStopped: Promise<void>;
} {
  return {
    print: (line) => io.stdout.write(`${line}\n`),
    complain: (line) => io.stderr.write(`${line}\n`),
    untilStopped: untilAskedToEnd(io),
  };
}
