// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { bulkEndpoints, roundTrip } from "../support/host/echo.ts";
import { startProgram } from "../support/programs/example.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";

Deno.test("examples/echo.ts as one file runs where no Deno is installed", async () => {
  const file = Deno.env.get("GADGET_SINGLE_FILE");
  assert(file !== undefined, "GADGET_SINGLE_FILE is not set");
  const before = gadgetTraces();
  // The machine may have another program of that name: here it has one.
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/deno`, "#!/bin/sh\n", { mode: 0o755 });
  // In its own mount namespace, where no Deno of this test or of the machine can
  // be run.
  const script = `IFS=:
for deno in "$DENO" $(for folder in $PATH; do printf %s: "$folder/deno"; done); do
  if [ -e "$deno" ]; then mount --bind /dev/null "$deno"; fi
done
if "$DENO" --version || command -v deno; then exit 1; fi 2>/dev/null
exec "$FILE"`;
  await using program = startProgram("unshare", {
    args: ["--mount", "sh", "-ec", script],
    clearEnv: true,
    env: {
      PATH: `${folder}:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: "/nonexistent",
      NO_COLOR: "1",
      DENO: Deno.execPath(),
      FILE: file,
    },
  });
  const failed = program.process.status.then(async () => {
    throw new Error((await program.end("SIGTERM")).text);
  });
  {
    await using device = await Promise.race([
      UsbfsDevice.find({ vendorId: 0x1209, productId: 0x0001 }),
      failed,
    ]);
    failed.catch(() => {});
    await device.claimInterface(0);
    const endpoints = bulkEndpoints(device);
    for (const length of [1, endpoints.packetSize, 100_000]) {
      const bytes = pattern(length, length);
      const back = await roundTrip(device, endpoints, bytes);
      assertEquals(firstDifference(bytes, back), -1);
    }
  }
  const { status, text } = await program.end("SIGINT");
  assertEquals(text, "");
  assertEquals(status.signal, "SIGINT");
  assertEquals(gadgetTraces(), before);
  await Deno.remove(folder, { recursive: true });
});
