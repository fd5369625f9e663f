import { assertEquals, assertThrows } from "@std/assert";
import { deal, groupByMachine, parseHeader } from "../runner/machine.ts";

Deno.test("parseHeader() reads options and phrases", () => {
  assertEquals(parseHeader("a", "/** A test. */\nimport {};\n"), {
    path: "a",
    request: "",
    machine: {},
    anySpeed: false,
    anyArchitecture: false,
    newestKernel: false,
    deviceClass: false,
    since: undefined,
  });
  const header =
    '/** B. */\n// VM: --hcd "is_super_speed=1 num=8", any speed, --memory 3G, since Linux 6.12\n';
  assertEquals(parseHeader("b", header), {
    path: "b",
    request: '--hcd "is_super_speed=1 num=8" --memory 3G',
    machine: { hcd: "is_super_speed=1 num=8", memory: 3072 },
    anySpeed: true,
    anyArchitecture: false,
    newestKernel: false,
    deviceClass: false,
    since: "6.12",
  });
  assertEquals(
    parseHeader("c", "// VM: any architecture\n").anyArchitecture,
    true,
  );
  const phrases = parseHeader(
    "c",
    "// VM: --modules usbhid,evdev, a class of device, newest kernel\n",
  );
  assertEquals(phrases.machine, { modules: ["usbhid", "evdev"] });
  assertEquals([phrases.deviceClass, phrases.newestKernel], [true, true]);
  assertThrows(
    () => parseHeader("d", "// VM: --nope 1\n"),
    Error,
    'Unknown option "--nope"',
  );
  assertThrows(
    () => parseHeader("e", "// VM: any sped\n"),
    Error,
    'Cannot read "// VM: any sped" in e: "any sped" is neither an option nor a known phrase',
  );
});

Deno.test("groupByMachine() puts files together by the VM that they ask for", () => {
  const sources: Record<string, string> = {
    a: "/** A test. */\nimport {};\n",
    b: "// VM: --hcd none\n",
    c: "const text = `\n  // VM: --hcd none`;\n",
    d: "// VM: any speed, --hcd none\n",
    e: "// VM: any speed\n",
  };
  const files = Object.entries(sources).map(([path, source]) =>
    parseHeader(path, source)
  );
  assertEquals(groupByMachine(files), [
    { request: "", machine: {}, files: ["a", "c", "e"] },
    { request: "--hcd none", machine: { hcd: "none" }, files: ["b", "d"] },
  ]);
});

Deno.test("deal() assigns each file to exactly one VM", () => {
  const group = { request: "", machine: {}, files: ["a", "b", "c"] };
  const files = (count: number) => deal(group, count).map(({ files }) => files);
  assertEquals(files(1), [["a", "b", "c"]]);
  assertEquals(files(2), [["a", "c"], ["b"]]);
  assertEquals(files(5), [["a"], ["b"], ["c"]]);
});
