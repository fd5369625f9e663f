// A thermometer with a number of sensors.
//
//   sudo deno run --allow-ffi thermometer.ts
//
// The host writes the number of a sensor, one byte. The answer is that byte and
// the temperature in hundredths of a degree Celsius, a little-endian int16; or a
// STALL if there is no such sensor. Vendor request 1 returns how many there are.
import { bulkPair, Gadget, unhandled, usbFunction } from "@usb/gadget";

/** Makes the function of a thermometer. */
export const thermometer = (sensors: readonly number[]) =>
  usbFunction({
    name: "thermometer",
    interfaces: [{
      class: 0xff,
      description: "Thermometer",
      endpoints: { link: bulkPair() },
    }],
    control: ({ type, direction, request }) =>
      type === "vendor" && direction === "in" && request === 1
        ? new Uint8Array([sensors.length])
        : unhandled,
    async serve({ endpoints: { link } }) {
      for (;;) {
        const [sensor] = await link.readExactly(1);
        if (sensor >= sensors.length) {
          await link.in.halt();
          continue;
        }
        const answer = new DataView(new ArrayBuffer(3));
        answer.setUint8(0, sensor);
        answer.setInt16(1, Math.round(sensors[sensor] * 100), true);
        await link.write(new Uint8Array(answer.buffer));
      }
    },
  });

/** What the device is, apart from its function. */
export const identity = {
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Thermometer",
};

if (import.meta.main) {
  // Real ones would measure something.
  const sensors = [21.5, -3.25];
  await Gadget.start({ ...identity, functions: [thermometer(sensors)] });
}
