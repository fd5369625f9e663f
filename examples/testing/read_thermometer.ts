// Software of the host: prints what the sensors of a thermometer measure.
//
//   deno run --allow-all read_thermometer.ts
/// <reference types="npm:@types/w3c-web-usb@^1.0.14" />
import { usb } from "usb";

const TRIES = 3;

/** Reads all sensors, in degrees Celsius. */
export async function readThermometer(): Promise<number[]> {
  const device: USBDevice | undefined = await usb.findDeviceByIds(0x1209, 1);
  if (device === undefined) throw new Error("Cannot find a thermometer");
  await device.open();
  try {
    await device.claimInterface(0);
    const { data } = await device.controlTransferIn({
      requestType: "vendor",
      recipient: "interface",
      request: 1,
      value: 0,
      index: 0,
    }, 1);
    const degrees = [];
    for (let sensor = 0; sensor < data!.getUint8(0); sensor++) {
      degrees.push(await readSensor(device, sensor));
    }
    await device.releaseInterface(0);
    return degrees;
  } finally {
    await device.close();
  }
}

/** Asks again if the device refuses, or if its answer is incomplete. */
async function readSensor(device: USBDevice, sensor: number): Promise<number> {
  const { endpoints } = device.configuration!.interfaces[0].alternate;
  const numberOf = (direction: USBDirection) =>
    endpoints.find((each) => each.direction === direction)!.endpointNumber;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    await device.transferOut(numberOf("out"), new Uint8Array([sensor]));
    try {
      const { data } = await device.transferIn(numberOf("in"), 64);
      if (data?.byteLength === 3 && data.getUint8(0) === sensor) {
        return data.getInt16(1, true) / 100;
      }
    } catch (error) {
      // In WebUSB this is a status. npm:usb 3.1 rejects.
      if (!`${error}`.includes("Stall")) throw error;
      await device.clearHalt("in", numberOf("in"));
    }
  }
  throw new Error(`Cannot read sensor ${sensor} in ${TRIES} tries`);
}

if (import.meta.main) {
  for (const degrees of await readThermometer()) {
    console.log(`${degrees.toFixed(2)} °C`);
  }
}
