/**
 * A gadget and its host, as a program with one permission: prints what comes
 * back, and how many events a record of it has.
 *
 * @module
 */
import { bulkPair, Gadget, usbFunction } from "@usb/gadget";
import { TestHost } from "@usb/gadget/testing";

await using gadget = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  product: "Host program",
  serialNumber: "host program",
  functions: [usbFunction({
    name: "echo",
    interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
    async serve({ endpoints: { link } }) {
      for await (const request of link.transfers()) await link.write(request);
    },
  })],
});
await using host = await TestHost.open(gadget);
await using record = await host.record();
const { link } = gadget.functions.echo.endpoints;
await host.write(link, new TextEncoder().encode("hello"));
const back = await host.read(link, 1024);
await host.unplug();
await host.plug();
const { product } = await host.strings();
console.log(new TextDecoder().decode(back), product, record.dropped);
