/**
 * The command line tool beside gadgets of several kinds.
 *
 * @module
 */
// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { EndpointNode } from "@usb/gadget/inspect";
import {
  externalFunction,
  FunctionFs,
  Gadget,
  kernelFunction,
} from "@usb/gadget";
import { runCli } from "../support/programs/cli.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { link } from "../support/gadgets/link_function.ts";
import { shell } from "../support/machine/shell.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import {
  firstOutput,
  startProgram,
  victimProgram,
} from "../support/programs/victim.ts";

const { maxSpeed } = gadgetSpeed();
const CONFIGFS = "/sys/kernel/config/usb_gadget";

/** Kernels before 6.9 do not show whether a function is ready. */
function withoutReady(text: string): string {
  return text.replaceAll(/, (not )?ready$/gm, "");
}

Deno.test("list and show print the gadgets and the processes that hold them", async () => {
  const traces = gadgetTraces();
  const foreign = `${CONFIGFS}/foreign`;
  await shell(`mkdir ${foreign} ${foreign}/functions/ffs.other`);
  const gadget = await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0001,
    product: "Echo",
    serialNumber: "1",
    maxSpeed,
    deviceVersion: 0x0234,
    functions: [
      kernelFunction("ecm", { host_addr: "02:00:00:00:00:01" }),
      link("own"),
      externalFunction("other"),
      externalFunction("unserved"),
    ],
    configurations: [{
      description: "All",
      functions: ["ecm", "own", "other"],
    }],
  }, {
    name: "tool",
    mounts: { other: { path: "/run/other" } },
    bind: false,
  });
  const other = FunctionFs.open(link("other"), "/run/other");
  await gadget.bind({ wait: false });
  const { pid } = Deno;
  const program = (await Deno.readTextFile(`/proc/${pid}/comm`)).trim();
  const { text } = await runCli("list");
  assertEquals(
    withoutReady(text),
    `foreign  0000:0000
  controller: none
  owner: not of this package
  ffs.other: not mounted

tool  1209:0001 "Echo" "1"
  controller: dummy_udc.0
  owner: process ${pid}
  c.1: ecm.ecm, ffs.tool-own, ffs.tool-other
  ffs.tool-other: on /run/other
    held by ${pid} (${program})
  ffs.tool-own: on /run/usb-gadget/tool/own
    held by ${pid} (${program})
  ffs.tool-unserved: on /run/usb-gadget/tool/unserved
`,
  );
  const json = JSON.parse((await runCli("list", "--json")).text);
  assertEquals(json.length, 2);
  assertEquals(json[1].configurations["c.1"], {
    description: "All",
    attributes: { MaxPower: "500", bmAttributes: "0x80" },
    functions: ["ecm.ecm", "ffs.tool-own", "ffs.tool-other"],
  });
  assertEquals(json[1].functions[1].heldBy, [{ pid, program }]);

  const shown = withoutReady((await runCli("show", "tool")).text);
  for (
    const part of [
      'tool  1209:0001 "Echo" "1"\n',
      `bcdDevice 0x0234, bDeviceClass 0x00, bDeviceSubClass 0x00, bDeviceProtocol 0x00, max_speed ${maxSpeed}\n`,
      '  c.1 "All", MaxPower 500, bmAttributes 0x80: ecm.ecm, ffs.tool-own, ffs.tool-other\n',
      "\n  ecm.ecm: a function of the kernel\n",
      "    host_addr 02:00:00:00:00:01\n",
      "    no copy of its descriptors; it is not open, or not by this package",
    ]
  ) assertStringIncludes(shown, part);
  // The descriptors of the function of this process, and of the other one.
  const [, ...trees] = shown.split("\n  ffs.tool-");
  assertEquals(trees.map((it) => it.split(":")[0]), [
    "other",
    "own",
    "unserved",
  ]);
  for (const tree of trees.slice(0, 2)) {
    assertEquals(tree.match(/: IN bulk,/g)?.length, 3, tree);
    assertEquals(tree.match(/: OUT bulk,/g)?.length, 3, tree);
  }
  const [tree] = JSON.parse((await runCli("show", "tool", "--json")).text);
  const [ecm, , own, unserved] = tree.functions;
  assertEquals(ecm.attributes.host_addr, "02:00:00:00:00:01");
  assertEquals(
    own.descriptors.speeds.high[0].endpoints.map((it: EndpointNode) =>
      it.direction
    ),
    ["in", "out"],
  );
  assertEquals(own.heldBy, [{ pid, program }]);
  assertEquals(unserved.descriptors, undefined);
  const nothing = await runCli("show", "nothing");
  assertEquals(nothing, {
    code: 1,
    text: 'Cannot find gadget "nothing": there is "foreign", "tool"\n',
  });
  await other.close();
  await gadget.stop();
  await shell(`rmdir ${foreign}/functions/ffs.other ${foreign}`);
  assertEquals(gadgetTraces(), traces);
});

Deno.test("clean removes what a process has left behind, and doctor points to it", async () => {
  const traces = gadgetTraces();
  const stays = await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0001,
    functions: [kernelFunction("ecm")],
  }, { name: "stays", persistent: true, bind: false });
  const kept = gadgetTraces();
  const victim = startProgram(
    victimProgram(`await start({ name: "left" }); console.log("up");`),
  );
  await firstOutput(victim);
  assertEquals(await runCli("clean"), {
    code: 0,
    text: "Nothing to remove.\n",
  });
  victim.kill("SIGKILL");
  await victim.status;
  await victim.stdout.cancel();
  assertStringIncludes(
    (await runCli("list")).text,
    `owner: process ${victim.pid}, which has left it behind`,
  );
  const left = gadgetTraces();
  const doctor = await runCli("doctor");
  assertEquals(doctor.code, 0);
  assertStringIncludes(
    doctor.text,
    'note    leftovers: gadgets of processes that have ended: left\n        -> remove them with "clean"\n',
  );
  assertEquals(gadgetTraces(), left, "the doctor only looks");
  assertEquals(await runCli("clean"), { code: 0, text: "removed left\n" });
  assertEquals(gadgetTraces(), kept);
  const { text } = await runCli("clean", "--persistent", "--json");
  assertEquals(JSON.parse(text), { removed: ["stays"] });
  assertEquals(gadgetTraces(), traces);
  assert(!stays.bound);
});
