/**
 * The data path of endpoints without USB: writes go to /dev/null, and reads come
 * from /dev/zero. Both complete when they are submitted, so that nearly all of the
 * work is done by this package.
 *
 * @module
 */
import { InEndpointCore } from "../../../src/functionfs/endpoint/in_core.ts";
import { OutEndpointCore } from "../../../src/functionfs/endpoint/out_core.ts";
import { O_RDWR } from "../../../ffi/abi.ts";
import { AioContext } from "../../../ffi/aio/context.ts";
import { close, open } from "../../../ffi/file.ts";
import {
  bulkIn,
  bulkOut,
  InEndpoint,
  OutEndpoint,
  usbFunction,
} from "@usb/gadget";
import { compileFunction } from "@usb/gadget/inspect";
import { Lifecycle } from "../../../src/functionfs/lifecycle.ts";

const SINK = "/dev/null";
const SOURCE = "/dev/zero";
const MAX_PACKET_SIZE = 1024;

/** `InEndpoint.write()`. */
export type WriteData = (data: Uint8Array<ArrayBuffer>) => Promise<number>;

/** `OutEndpoint.read()`. */
export type ReadData = (
  sizeOrBuffer: number | Uint8Array<ArrayBuffer>,
) => Promise<Uint8Array<ArrayBuffer>>;

/** An endpoint in each direction. */
export interface EndpointsOnFiles extends AsyncDisposable {
  readonly in: InEndpoint;
  readonly out: OutEndpoint;
  readonly write: WriteData;
  readonly read: ReadData;
}

/** The descriptor, which these files do not have. */
class SinkCore extends InEndpointCore {
  override get packetSize(): number {
    return MAX_PACKET_SIZE;
  }
}

class SourceCore extends OutEndpointCore {
  override get packetSize(): number {
    return MAX_PACKET_SIZE;
  }
}

/**
 * Opens both files on one AIO context, as endpoints that a host has enabled.
 *
 * @param sink The file to write to.
 */
export function openEndpoints(sink = SINK): EndpointsOnFiles {
  const aio = new AioContext();
  aio.retain();
  const lifecycle = new Lifecycle();
  lifecycle.enable();
  const compiled = compileFunction(usbFunction({
    name: "files",
    interfaces: [{
      class: 0xff,
      endpoints: { in: bulkIn(), out: bulkOut() },
    }],
  })).endpoints;
  const resources = (path: string, index: number) => {
    const fd = open(path, O_RDWR);
    const files = { fd, transferFd: fd, path };
    return { ...files, aio, lifecycle, compiled: compiled[index] };
  };
  const files = [resources(sink, 0), resources(SOURCE, 1)];
  const sinkCore = new SinkCore(files[0]);
  const sourceCore = new SourceCore(files[1]);
  const input = new InEndpoint(sinkCore);
  const output = new OutEndpoint(sourceCore);
  return {
    in: input,
    out: output,
    write: (data) => input.write(data),
    read: (sizeOrBuffer) => output.read(sizeOrBuffer),
    [Symbol.asyncDispose]: async () => {
      lifecycle.close();
      await Promise.all([sinkCore.close(), sourceCore.close()]);
      await aio.release();
      await aio.close();
      files.forEach(({ fd }) => close(fd));
    },
  };
}
