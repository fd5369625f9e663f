/**
 * examples/disk.ts, with Linux's usb-storage and with a host that gives up in the
 * middle of a command: reset recovery (Bulk-Only Transport 1.0, 5.3.4).
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { outcome } from "../support/gadgets/control.ts";
import { findDisk } from "../support/host/disk.ts";
import { startExample } from "../support/programs/example.ts";
import { bulkEndpoints } from "../support/host/echo.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { shell } from "../support/machine/shell.ts";
import { until } from "../support/waiting/until.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const SIZE = 8 << 20;
const CSW_LENGTH = 13;
const READ = 0x28;
const WRITE = 0x2a;

/** A Bulk-Only Transport host. */
class Host {
  readonly device: UsbfsDevice;
  readonly #in: number;
  readonly #out: number;
  #tag = 0;

  constructor(device: UsbfsDevice) {
    this.device = device;
    const { input, output } = bulkEndpoints(device);
    this.#in = input;
    this.#out = output;
  }

  /** Sends a command that reads or writes blocks, starting at block 0. */
  async command(operation: number, length: number): Promise<void> {
    const cbw = new DataView(new ArrayBuffer(31));
    cbw.setUint32(0, 0x43425355, true);
    cbw.setUint32(4, ++this.#tag, true);
    cbw.setUint32(8, length, true);
    cbw.setUint8(12, operation === READ ? 0x80 : 0);
    cbw.setUint8(14, 10);
    cbw.setUint8(15, operation);
    cbw.setUint16(22, length / 512);
    await this.send(new Uint8Array(cbw.buffer));
  }

  send(data: Uint8Array<ArrayBuffer>): Promise<number> {
    return this.device.bulkOut(this.#out, data);
  }

  receive(length: number, timeout?: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.device.bulkIn(this.#in, length, { timeout });
  }

  /** Reads the status of the last command; returns status and residue. */
  async status(): Promise<number[]> {
    const csw = await this.receive(CSW_LENGTH);
    const view = new DataView(csw.buffer);
    assertEquals(csw.length, CSW_LENGTH);
    assertEquals(view.getUint32(0, true), 0x53425355);
    assertEquals(view.getUint32(4, true), this.#tag);
    return [csw[12], view.getUint32(8, true)];
  }

  /** Performs reset recovery, as a host does after a failed command. */
  async recover(): Promise<void> {
    await this.device.controlOut({ requestType: 0x21, request: 0xff });
    await this.device.clearHalt(this.#in);
    await this.device.clearHalt(this.#out);
  }

  async read(length: number): Promise<Uint8Array> {
    await this.command(READ, length);
    const data = await this.receive(length);
    assertEquals(await this.status(), [0, 0]);
    return data;
  }
}

Deno.test("examples/disk.ts works as a disk on Linux, and reset recovery ends a command at any stage", async () => {
  const before = gadgetTraces();
  await shell("modprobe usb-storage; modprobe sd_mod");
  {
    await using program = startExample("disk.ts");
    await until(() => findDisk(SIZE) !== undefined, "Linux has the disk");
    const path = `/sys/block/${findDisk(SIZE)}`;
    const pattern = crypto.getRandomValues(new Uint8Array(65_536));
    const node = "/tmp/disk";
    const [major, minor] = (await Deno.readTextFile(`${path}/dev`)).trim()
      .split(":");
    await Deno.writeFile("/tmp/pattern", pattern);
    await shell(`
      mknod ${node} b ${major} ${minor}
      dd if=/tmp/pattern of=${node} bs=64k oflag=direct 2>/dev/null
      dd if=${node} of=/tmp/back bs=64k count=1 iflag=direct 2>/dev/null
      rm ${node} /tmp/pattern`);
    assertEquals(await Deno.readFile("/tmp/back"), pattern);
    await Deno.remove("/tmp/back");

    await using device = await UsbfsDevice.find(ids);
    await device.claimInterface(0);
    const host = new Host(device);
    assertEquals(await host.read(pattern.length), pattern);

    // In the data phase to the device, before and after a part of the data.
    for (const length of [512, 1024, 65_536, 131_072]) {
      for (const sent of [0, length / 2]) {
        await host.command(WRITE, length);
        const part = pattern.slice(0, sent);
        if (sent > 0) await host.send(part);
        await host.recover();
        assertEquals(await host.read(65_536), pattern, `${length} ${sent}`);
      }
    }
    // In the data phase to the host. Not after it: dummy_hcd takes the status into
    // its FIFO, which cannot be flushed.
    for (const taken of [0, 1024, 32_768]) {
      await host.command(READ, 65_536);
      if (taken > 0) await host.receive(taken);
      await host.recover();
      assertEquals(await host.read(65_536), pattern, `${taken}`);
    }
    // While the device waits for a command.
    await host.recover();
    assertEquals(await host.read(1024), pattern.subarray(0, 1024));
    // An invalid command: stalled until reset recovery.
    for (const length of [1, 30, 32, 512]) {
      await host.send(new Uint8Array(length));
      assertEquals(await outcome(host.receive(CSW_LENGTH)), "EPIPE");
      assertEquals(await outcome(host.send(new Uint8Array(31))), "EPIPE");
      await host.recover();
      assertEquals(await host.read(512), pattern.subarray(0, 512));
    }
    // A reset in the middle of a command.
    await host.command(READ, 65_536);
    await host.receive(1024);
    await device.reset();
    assertEquals(await host.read(65_536), pattern);
    const { status, text } = await program.end("SIGINT");
    assertEquals([status.signal, text], ["SIGINT", ""]);
  }
  await shell("modprobe -r usb-storage");
  assertEquals(gadgetTraces(), before);
});
