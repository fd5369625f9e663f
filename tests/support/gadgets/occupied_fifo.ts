/**
 * A gadget whose small writes do not end in the emulated FIFO of dummy_hcd.
 *
 * @module
 */
import { bulkIn, usbFunction } from "@usb/gadget";
import { until } from "../waiting/until.ts";

/**
 * A function that keeps the emulated FIFO of dummy_hcd occupied.
 *
 * dummy_hcd takes a write of up to 64 bytes into a FIFO before the host asks for
 * it. No UDC call empties it, so a response that a host has abandoned would reach
 * the next one, which real controllers prevent. And two such writes in a row can
 * complete one of them twice, which crashes the kernel. All IN endpoints share that
 * FIFO, and it has room for one write: that of this function, which the host never
 * reads.
 */
export function occupiedFifo() {
  let sessions = 0;
  return {
    /** The function, to be the last one of a gadget. */
    fifo: usbFunction({
      name: "fifo",
      interfaces: [{ class: 0xff, endpoints: { link: bulkIn() } }],
      async serve({ endpoints: { link } }) {
        await link.write(new Uint8Array(1));
        sessions++;
      },
    }),
    /** In how many sessions it was occupied. */
    get sessions() {
      return sessions;
    },
    /** Waits until it is occupied in the session with this number, from 1. */
    occupied: (session: number): Promise<void> =>
      until(() => sessions >= session, "the FIFO is occupied"),
  };
}
