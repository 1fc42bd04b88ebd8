/** A program that the guest is to run. */
export interface GuestRun {
  readonly id: number;
  readonly argv: readonly string[];
  readonly input?: string;
}

/** A request that the guest is to send to one of its sockets. */
interface GuestRequest {
  readonly id: number;
  /** A path, or HOST:PORT. */
  readonly at: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly method: string;
  readonly url: string;
  readonly body?: string;
}

export type GuestQuestion = GuestRun | GuestRequest;

/** `code`: the exit status, the HTTP status, or -1 where nothing ran; 128 for a program that a signal ended. */
export interface GuestAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the guest says: an answer, or that it has booted. */
export type GuestMessage = ({ readonly id: number } & GuestAnswer) | { readonly bootId: string };
