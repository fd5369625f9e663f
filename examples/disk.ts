// An 8 MiB disk in memory: Bulk-Only Transport with reset recovery, and the
// SCSI commands that an operating system needs.
//
//   sudo deno run --allow-ffi examples/disk.ts
//
// The contents are lost when the program ends.
import {
  AbortedTransferError,
  bulkPair,
  controlRoutes,
  type EndpointPair,
  Gadget,
  usbFunction,
} from "@usb/gadget";
import { massStorageRequests } from "@usb/gadget/mass-storage";

const BLOCK = 512;
const PIECE = 65_536;
const memory = new Uint8Array(8 << 20);

const CBW_SIGNATURE = 0x43425355;
const CBW_LENGTH = 31;
/** A whole packet at every speed, so a wrong command is read completely. */
const PACKET = 1024;
const CSW_SIGNATURE = 0x53425355;
const PASSED = 0;
const FAILED = 1;
const PHASE_ERROR = 2;
const NOTHING = new Uint8Array(0);

/** Why the last command failed: a sense key and a code. */
let sense = [0, 0];

const disk = usbFunction({
  name: "disk",
  interfaces: [{
    class: 0x08, // mass storage
    subclass: 0x06, // SCSI
    protocol: 0x50, // Bulk-Only
    endpoints: { link: bulkPair() },
  }],
  control: controlRoutes(massStorageRequests({
    // The host has abandoned the command, perhaps in the middle of its data. It
    // continues when this is done. By then no transfer of the old command may be
    // pending, or it would receive data of the next one.
    async reset() {
      const { link } = gadget.functions.disk.endpoints;
      await link.discard();
      // Discard what is in the controller's FIFO, if it can be flushed.
      await Promise.all([link.in.flush(), link.out.flush()]);
    },
  })),
  // No part of a command outlives its session.
  async serve({ endpoints: { link } }) {
    for (;;) {
      try {
        await obey(link, await link.read(PACKET));
      } catch (error) {
        // A reset: continue with the next command.
        if (!(error instanceof AbortedTransferError)) throw error;
      }
    }
  },
});

const gadget = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Disk",
  // Windows and Linux need at least 12 hexadecimal digits to identify a disk.
  serialNumber: "000000000001",
  functions: [disk],
});

/** Serves one command: its data, and its status. */
async function obey(link: EndpointPair, cbw: Uint8Array): Promise<void> {
  const view = new DataView(cbw.buffer, cbw.byteOffset, cbw.byteLength);
  const valid = cbw.length === CBW_LENGTH &&
    view.getUint32(0, true) === CBW_SIGNATURE;
  if (!valid) {
    // Bulk-Only Transport, 6.6.1: only reset recovery helps.
    await Promise.all([link.in.halt(), link.out.halt()]);
    return;
  }
  const tag = view.getUint32(4, true);
  const length = view.getUint32(8, true);
  const isIn = (cbw[12] & 0x80) !== 0;
  let { data, blocks, failed } = execute(cbw.subarray(15, 31));
  let status = failed ? FAILED : PASSED;
  let residue = length;
  if (length > 0 && isIn) {
    // Pad what is too short, and cut what the host does not want.
    if (data.length > length) status = PHASE_ERROR;
    residue = Math.max(0, length - data.length);
    const padding = new Uint8Array(residue);
    await link.write([data.subarray(0, length), padding]);
  } else {
    if (data.length > 0 || blocks.length > length) status = PHASE_ERROR;
    for (let done = 0; done < length;) {
      const piece = await link.read(Math.min(PIECE, length - done));
      if (piece.length === 0) break;
      done += piece.length;
      const room = blocks.subarray(0, piece.length);
      room.set(piece.subarray(0, room.length));
      blocks = blocks.subarray(room.length);
      residue -= room.length;
    }
  }
  const csw = new DataView(new ArrayBuffer(13));
  csw.setUint32(0, CSW_SIGNATURE, true);
  csw.setUint32(4, tag, true);
  csw.setUint32(8, residue, true);
  csw.setUint8(12, status);
  await link.write(new Uint8Array(csw.buffer));
}

/** The data of a command for the host, or the place for the host's data. */
interface Answer {
  readonly data: Uint8Array;
  readonly blocks: Uint8Array;
  readonly failed: boolean;
}

function give(data: Uint8Array): Answer {
  return { data, blocks: NOTHING, failed: false };
}

/** Executes a SCSI command, up to the point where it needs data from the host. */
function execute(block: Uint8Array): Answer {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const fail = (key: number, code: number): Answer => {
    sense = [key, code];
    return { data: NOTHING, blocks: NOTHING, failed: true };
  };
  switch (block[0]) {
    case 0x00: // TEST UNIT READY
    case 0x1b: // START STOP UNIT
    case 0x1e: // PREVENT ALLOW MEDIUM REMOVAL
    case 0x35: // SYNCHRONIZE CACHE (10)
      return give(NOTHING);
    case 0x03: { // REQUEST SENSE
      const [key, code] = sense;
      sense = [0, 0];
      const data = Uint8Array.of(0x70, 0, key, 0, 0, 0, 0, 10, ...Array(10));
      data[12] = code;
      return give(data.subarray(0, block[4]));
    }
    case 0x12: { // INQUIRY
      if ((block[1] & 1) !== 0) return fail(0x05, 0x24);
      const names = "Example Disk            1   ";
      const data = Uint8Array.of(0, 0, 4, 2, 31, 0, 0, 0);
      const text = new TextEncoder().encode(names);
      return give(
        Uint8Array.of(...data, ...text).subarray(0, view.getUint16(3)),
      );
    }
    case 0x1a: // MODE SENSE (6): no pages, not write-protected
      return give(Uint8Array.of(3, 0, 0, 0).subarray(0, block[4]));
    case 0x25: { // READ CAPACITY (10)
      const data = new DataView(new ArrayBuffer(8));
      data.setUint32(0, memory.length / BLOCK - 1);
      data.setUint32(4, BLOCK);
      return give(new Uint8Array(data.buffer));
    }
    case 0x28: // READ (10)
    case 0x2a: { // WRITE (10)
      const start = view.getUint32(2) * BLOCK;
      const end = start + view.getUint16(7) * BLOCK;
      if (end > memory.length) return fail(0x05, 0x21);
      const blocks = memory.subarray(start, end);
      return block[0] === 0x28
        ? give(blocks)
        : { data: NOTHING, blocks, failed: false };
    }
    default:
      return fail(0x05, 0x20); // invalid command
  }
}
