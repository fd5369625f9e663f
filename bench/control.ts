/**
 * Control requests per second, with 8 bytes to the host: a C gadget with blocking
 * reads and writes, and this package, driven alternately by the same C host.
 *
 * ```sh
 * deno task vm -- deno run -A --import-map=tests/import_map.json bench/control.ts
 * ```
 *
 * @module
 */
import { compileFunction } from "@usb/gadget/inspect";
import { externalFunction, Gadget, usbFunction } from "@usb/gadget";
import { runText } from "../src/vm/process.ts";
import { waitForDevice, waitForNoDevice } from "../src/testing/usbfs/find.ts";

const ROUNDS = 5;
const COUNT = 1000;
/** Requests before the measurement, for a JIT compiler to compile hot code. */
const WARM_UP = 500;
const LENGTH = 8;

const ids = { vendorId: 0x1209, productId: 0x0001 };
const folder = await Deno.makeTempDir();
const program = `${folder}/control_gadget`;
const answer = new Uint8Array(LENGTH);

const definition = usbFunction({
  name: "control",
  interfaces: [{ class: 0xff }],
  control: () => answer,
});

await runText("gcc", [
  "-O2",
  "-o",
  program,
  `${import.meta.dirname}/../tests/support/programs/control_gadget.c`,
]);

/** Drives the running gadget, and returns requests per second. */
async function measure(): Promise<number> {
  const { path } = await waitForDevice(ids);
  await runText(program, ["ask", path, `${WARM_UP}`, `${LENGTH}`]);
  const seconds = await runText(program, [
    "ask",
    path,
    `${COUNT}`,
    `${LENGTH}`,
  ]);
  return COUNT / Number(seconds);
}

async function measureC(): Promise<number> {
  const external = externalFunction("control", { interfaces: 1 });
  const gadget = await Gadget.start({ ...ids, functions: [external] }, {
    bind: false,
  });
  const { descriptors, strings } = compileFunction(definition);
  await Deno.writeFile(`${folder}/descriptors`, descriptors);
  await Deno.writeFile(`${folder}/strings`, strings);
  const process = new Deno.Command(program, {
    args: [
      "serve",
      gadget.mountPoints.control,
      `${folder}/descriptors`,
      `${folder}/strings`,
    ],
    stdout: "piped",
  }).spawn();
  const reader = process.stdout.getReader();
  await reader.read(); // "ready"
  await gadget.bind();
  try {
    return await measure();
  } finally {
    process.kill("SIGKILL");
    await process.status;
    await reader.cancel();
    await gadget.stop();
  }
}

async function measureOurs(eventfd: boolean): Promise<number> {
  await using gadget = await Gadget.start({
    ...ids,
    functions: [definition],
  }, { eventfd });
  await gadget.functions.control.enabled();
  return await measure();
}

const contenders: Record<string, () => Promise<number>> = {
  "C, blocking": measureC,
  "@usb/gadget": () => measureOurs(false),
  "@usb/gadget, eventfd": () => measureOurs(true),
};

const results = new Map<string, number[]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, contender] of Object.entries(contenders)) {
    const rate = await contender();
    await waitForNoDevice(ids);
    results.set(name, [...results.get(name) ?? [], rate]);
  }
}

const median = (values: number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1];
const c = median(results.get("C, blocking")!);
console.log(`Requests of ${LENGTH} bytes to the host, per second:`);
for (const [name, rates] of results) {
  const rate = median(rates);
  const all = rates.map((each) => each.toFixed(0)).join(" ");
  console.log(
    `${name.padEnd(22)} ${rate.toFixed(0).padStart(6)}  ${
      (rate / c).toFixed(2)
    } of C  (${all})`,
  );
}
Deno.exit(0);
