import { usb } from "usb";
import { bulkPair, Gadget, usbFunction } from "@usb/gadget";
const echo = usbFunction({ name: "echo", interfaces: [{ class: 0xff, description: "Echo", endpoints: { link: bulkPair() } }] });
const t0 = performance.now();
const gadget = await Gadget.start({ vendorId: 0x1209, productId: 1, manufacturer: "E", product: "Echo", serialNumber: "1", functions: [echo] });
console.log("started", performance.now() - t0, gadget.udc);
const { link } = gadget.functions.echo.endpoints;
(async () => { for await (const e of gadget.functions.echo.events) console.log("event", e.type, gadget.functions.echo.state); console.log("events end"); })();
await gadget.functions.echo.enabled();
console.log("enabled", performance.now() - t0, link.in.maxPacketSize, gadget.udc.state);
const device = (await usb.findDeviceByIds(0x1209, 1))!;
await device.open(); await device.claimInterface(0);
const config = device.configuration!.interfaces[0].alternates[0].endpoints;
console.log(config.map((e: any) => [e.endpointNumber, e.direction, e.packetSize]));
const i = config.find((e: { direction: string; endpointNumber: number; packetSize: number }) => e.direction === "in")!.endpointNumber, o = config.find((e: any) => e.direction === "out")!.endpointNumber;

const total = 32 << 20; const block = new Uint8Array(1 << 20);
const out = async () => { for (let a = 0; a < total; a += 1 << 20) await device.transferOut(o, block); };
const measure = async (name: string, run: () => Promise<void>) => { const t = performance.now(); await Promise.all([out(), run()]); console.log(name, (total / (performance.now() - t) / 1000).toFixed(1), "MB/s"); };
await measure("64K x 8", async () => { let n = 0; const one = async () => { while (n < total) { n += 65536; await link.read(65536); } }; await Promise.all(Array.from({length: 8}, one)); });
await measure("4K x 32", async () => { let n = 0; const one = async () => { while (n < total) { n += 4096; await link.read(4096); } }; await Promise.all(Array.from({length: 32}, one)); });
await measure("1K x 64", async () => { let n = 0; const one = async () => { while (n < total) { n += 1024; await link.read(1024); } }; await Promise.all(Array.from({length: 64}, one)); });
await measure("stream", async () => { let n = 0, chunks = 0; for await (const c of link.readable) { n += c.length; chunks++; if (n === total) break; } console.log(chunks); });
await device.close();
console.log("stopping");
await gadget.stop();

console.log("stopped");
