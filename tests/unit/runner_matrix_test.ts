import { assertEquals } from "@std/assert";
import { parseHeader } from "../runner/machine.ts";
import {
  allRuns,
  filesThatRunOn,
  isWorthRunning,
  obstacleTo,
} from "../runner/matrix.ts";

const file = (path: string, header = "") =>
  parseHeader(path, header === "" ? "" : `// VM: ${header}\n`);

Deno.test("filesThatRunOn() leaves out what an architecture or kernel lacks, with the reason", () => {
  const files = [
    file("a"),
    file("b", "--udc sg"),
    file("c", "any speed, since Linux 7.3"),
    file("d", "--udc sg, any speed"),
  ];
  const runOn = (arch: string, kernel: string) => {
    const { files: chosen, leftOut } = filesThatRunOn(files, { arch, kernel });
    return [chosen.map(({ path }) => path).join(" "), ...leftOut];
  };
  assertEquals(runOn("x86_64", "7.3"), ["a b c d"]);
  assertEquals(runOn("x86_64", "6.12"), [
    "a b d",
    "Left out on Linux 6.12, x86_64, needs Linux 7.3: c",
  ]);
  assertEquals(runOn("x86_64", "6.1"), [
    "a",
    "Left out on Linux 6.1, x86_64, needs Linux 6.9: b d",
    "Left out on Linux 6.1, x86_64, needs Linux 7.3: c",
  ]);
  assertEquals(runOn("aarch64", "7.3"), [
    "a c",
    "Left out on Linux 7.3, aarch64, the UDC with scatter-gather is built for x86-64: b d",
  ]);
});

Deno.test("isWorthRunning() chooses runs by the header of a file", () => {
  const all = allRuns();
  const runs = (header: string) =>
    all.filter((run) => isWorthRunning(file("a", header), run))
      .map(({ arch, kernel, speed }) =>
        `${arch === Deno.build.arch ? "" : "emulated "}${kernel} ${speed}`
      ).toSorted();
  assertEquals(runs("--hcd none").length, all.length - 1);
  assertEquals(runs("--hcd none, any architecture").length, all.length);
  assertEquals(runs("any speed"), [
    "6.1 super",
    "7.3 super",
  ]);
  assertEquals(runs("newest kernel"), [
    "7.3 full",
    "7.3 super",
  ]);
  assertEquals(runs("any speed, newest kernel, any architecture"), [
    "7.3 super",
    "emulated 7.3 super",
  ]);
  assertEquals(runs("--modules usbhid,evdev, a class of device"), [
    "6.12 high",
    "7.3 super",
  ]);
});

Deno.test("obstacleTo() compares kernels by their numbers", () => {
  const kernels = ["6.1", "6.8", "6.9", "6.12", "7.3"];
  const runOn = (header: string) =>
    kernels.filter((kernel) =>
      obstacleTo(file("a", header), { arch: "x86_64", kernel }) === undefined
    );
  assertEquals(runOn("--udc sg"), ["6.9", "6.12", "7.3"]);
  assertEquals(runOn("since Linux 6.12"), ["6.12", "7.3"]);
  assertEquals(runOn("--udc stock"), kernels);
});

Deno.test("allRuns() has every kernel, every speed and every architecture", () => {
  const runs = allRuns().map(({ arch, kernel, speed }) =>
    `${arch === Deno.build.arch ? "" : "emulated "}${kernel} ${speed}`
  );
  assertEquals(runs.toSorted(), [
    "6.1 super",
    "6.12 high",
    "7.3 full",
    "7.3 super",
    "emulated 7.3 super",
  ]);
  assertEquals(
    allRuns(true),
    allRuns().filter(({ arch, kernel, speed }) =>
      arch !== Deno.build.arch || kernel !== "7.3" || speed !== "super"
    ),
  );
});
