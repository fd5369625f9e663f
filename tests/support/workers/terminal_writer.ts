/**
 * A Worker that writes to a terminal and closes it, again and again. A close
 * waits for the device.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { O_RDWR } from "../../../ffi/abi.ts";
import { close, open, write } from "../../../ffi/file.ts";

const O_NOCTTY = 0o400;

/** What to write. */
export interface WriteOrder {
  readonly path: string;
  /** For each opening: the number of bytes to write before the close. */
  readonly sizes: readonly number[];
}

self.onmessage = (event: MessageEvent<WriteOrder>) => {
  const { path, sizes } = event.data;
  for (const size of sizes) {
    const fd = open(path, O_RDWR | O_NOCTTY);
    write(fd, new Uint8Array(size).fill(0x78), { path });
    close(fd);
  }
  self.postMessage(sizes.length);
};
