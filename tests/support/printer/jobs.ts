/**
 * What a printer has printed.
 *
 * @module
 */
import type { PrintJob } from "@usb/gadget/printer";

type Bytes = Uint8Array<ArrayBuffer>;

/** What has become of a job. */
export interface PrintedJob {
  readonly id: number;
  /** Bytes that were read so far. */
  received: number;
  /** All that was read of it, when it is over. */
  data: Bytes;
  /** How reading it has failed. */
  failure?: unknown;
  /** Whether it is over. */
  isOver: boolean;
}

/** Jobs, each of which is read to its end, whatever that is. */
export class JobRecord {
  readonly jobs: PrintedJob[] = [];

  /** The jobs that have ended well, as text. */
  get texts(): string[] {
    return this.jobs.filter(({ isOver, failure }) => isOver && !failure)
      .map(({ data }) => new TextDecoder().decode(data));
  }

  /** Reads a job. */
  async print({ id, readable }: PrintJob): Promise<PrintedJob> {
    const job: PrintedJob = {
      id,
      received: 0,
      data: new Uint8Array(0),
      isOver: false,
    };
    this.jobs.push(job);
    const parts: Bytes[] = [];
    try {
      for await (const part of readable) {
        parts.push(part);
        job.received += part.byteLength;
      }
    } catch (error) {
      job.failure = error;
    }
    job.data = new Uint8Array(await new Blob(parts).arrayBuffer());
    job.isOver = true;
    return job;
  }
}
