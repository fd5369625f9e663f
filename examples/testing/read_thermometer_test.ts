// Tests of host software, with a gadget in place of the device.
import { assertEquals, assertRejects } from "@std/assert";
import { faultsOf, gadgetTest, withFaults } from "@usb/gadget/testing";
import { readThermometer } from "./read_thermometer.ts";
import { identity, thermometer } from "./thermometer.ts";

const sensors = [21.5, -3.25];

// A program in any language can be tested like this one.
gadgetTest("the program prints the temperatures of all sensors", {
  ...identity,
  functions: [thermometer(sensors)],
}, async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "read_thermometer.ts"],
    cwd: import.meta.dirname,
    stderr: "inherit",
  }).output();
  assertEquals(code, 0);
  assertEquals(new TextDecoder().decode(stdout), "21.50 °C\n-3.25 °C\n");
});

const faulty = withFaults(thermometer(sensors), {
  rules: [
    { endpoint: "link", direction: "in", fault: "stall", at: 1 },
    { endpoint: "link", direction: "in", fault: "shorten", bytes: 2, at: 3 },
  ],
});

gadgetTest("the program asks again after a stall and after a short answer", {
  ...identity,
  functions: [faulty],
}, async () => {
  assertEquals(await readThermometer(), sensors);
  assertEquals(
    faultsOf(faulty).faults.map(({ fault, transfer }) => [fault, transfer]),
    [["stall", 1], ["shorten", 3]],
  );
});

gadgetTest("the program gives up if a sensor always stalls", {
  ...identity,
  functions: [withFaults(thermometer(sensors), {
    rules: [{ endpoint: "link", direction: "in", fault: "stall", every: 1 }],
  })],
}, async () => {
  await assertRejects(
    () => readThermometer(),
    Error,
    "Cannot read sensor 0 in 3 tries",
  );
});
