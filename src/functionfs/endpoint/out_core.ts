/**
 * What the objects of an OUT endpoint share.
 *
 * @module
 */
import { IOCB_CMD_PREAD } from "../../../ffi/abi.ts";
import { ReadQueue } from "../read/queue.ts";
import type { SessionLife } from "../session.ts";
import { PacketSizes } from "../transfer/packet_sizes.ts";
import { EndpointCore, type EndpointResources } from "./core.ts";

/** An OUT endpoint of the kernel. */
export class OutEndpointCore extends EndpointCore {
  readonly packetSizes: PacketSizes;
  readonly reads: ReadQueue;
  /** The open stream of all that the host sends. */
  stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;

  constructor(resources: EndpointResources) {
    super(resources, IOCB_CMD_PREAD);
    const { compiled, path } = resources;
    const packetSizes = this.packetSizes = new PacketSizes(compiled);
    const packetSize = compiled.transferType === "isochronous"
      ? () => packetSizes.largest
      : () => this.packetSize;
    this.reads = new ReadQueue({
      name: this.name,
      path,
      get maxPacketSize() {
        return packetSize();
      },
      packetSizes,
      queue: this.requests,
    });
  }

  override get isReceiving(): boolean {
    return this.queue.inKernel > 0;
  }

  override close(): Promise<void> {
    this.reads.close();
    return super.close();
  }

  override onDisable(session: SessionLife): void {
    this.reads.endSession(session);
    super.onDisable(session);
  }
}
