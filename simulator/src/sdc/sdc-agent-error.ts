import { SimulatorError } from '../simulator-error.ts';

/** An expected failure of a simulated SDC; the message says what was attempted, why it failed and what to do. */
export class SdcAgentError extends SimulatorError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SdcAgentError';
  }
}
