import { assertEquals } from "@std/assert";
import { hostProgramsFor } from "../runner/host_programs.ts";

Deno.test("hostProgramsFor() has what the names of the test files ask for", () => {
  const packages = (...paths: string[]) =>
    hostProgramsFor(paths).map((program) => program.package);
  const hid = [
    "usbutils",
    "libxkbcommon-tools",
    "xkb-data",
    "libx11-data",
    "fido2-tools",
    "evtest",
    "joystick",
  ];
  assertEquals(packages("tests/kernel/echo_test.ts"), ["usbutils"]);
  assertEquals(packages("tests/kernel/disk_fat_test.ts"), [
    "usbutils",
    "busybox-static",
    "eject",
    "dosfstools",
    "mtools",
    "e2fsprogs",
    "sg3-utils",
    "xorriso",
  ]);
  assertEquals(packages("a_test.ts", "tests/kernel/hid_mouse_test.ts"), hid);
  // The folder of a checkout says nothing.
  assertEquals(packages("/home/hid_copy/tests/kernel/echo_test.ts"), [
    "usbutils",
  ]);
});
