/**
 * What the objects of an IN endpoint share.
 *
 * @module
 */
import { IOCB_CMD_PWRITE } from "../../../ffi/abi.ts";
import { PacketSizes } from "../transfer/packet_sizes.ts";
import { PieceMemory } from "../write/parts.ts";
import type { WritePort } from "../write/write.ts";
import { ZeroLengthPackets } from "../write/zero_length.ts";
import {
  EndpointCore,
  type EndpointResources,
  type ZeroLengthControl,
} from "./core.ts";

/** An IN endpoint of the kernel. */
export class InEndpointCore extends EndpointCore {
  readonly port: WritePort;
  autoZlp = false;
  /** The open stream to the host. */
  stream: WritableStream<Uint8Array> | undefined;

  constructor(resources: EndpointResources) {
    super(resources, IOCB_CMD_PWRITE);
    const { aio, path, compiled } = resources;
    const packetSize = () => this.packetSize;
    const packetSizes = new PacketSizes(compiled);
    const { transferType, bytesPerInterval } = compiled;
    this.port = {
      name: this.name,
      path,
      get maxPacketSize() {
        return packetSize();
      },
      largestTransfer: transferType === "isochronous"
        ? Math.max(...Object.values(bytesPerInterval))
        : Infinity,
      get pieceSize() {
        return packetSizes.largestRequest(packetSize());
      },
      get pieceStep() {
        return packetSizes.smallestRequest(packetSize());
      },
      pieceMemory: new PieceMemory(),
      queue: this.requests,
      zeroLengthPackets: new ZeroLengthPackets(this.file, path, aio),
    };
  }

  override get zeroLength(): ZeroLengthControl {
    return { on: this.autoZlp, packets: this.port.zeroLengthPackets };
  }
}
