import { assertEquals } from "@std/assert";
import { findProgram } from "../../src/vm/process.ts";
import { silent } from "../../src/vm/progress.ts";
import { install } from "../../src/vm/tools.ts";

const folder = new URL("../../examples/systemd/", import.meta.url);

Deno.test("systemd-analyze accepts the units in examples/systemd", async () => {
  if (await findProgram("systemd-analyze") === undefined) {
    await install(["systemd"], { progress: silent });
  }
  const copy = await Deno.makeTempDir();
  try {
    const units: string[] = [];
    for await (const { name } of Deno.readDir(folder)) {
      if (!/\.(service|socket)$/.test(name)) continue;
      const text = await Deno.readTextFile(new URL(name, folder));
      // Programs that a user would install.
      const unit = text.replaceAll("/usr/bin/deno", Deno.execPath())
        .replaceAll("/usr/local/bin/usb-echo", "/bin/true")
        .replaceAll("/sbin/modprobe", "/bin/true");
      await Deno.writeTextFile(`${copy}/${name}`, unit);
      // systemd warns about a unit that other users can write to.
      await Deno.chmod(`${copy}/${name}`, 0o644);
      units.push(`${copy}/${name}`);
    }
    assertEquals(units.length, 4);
    const { code, stderr } = await new Deno.Command("systemd-analyze", {
      args: ["verify", ...units],
      env: { LC_ALL: "C" },
    }).output();
    // Complaints about units of the machine carry their own names.
    const about = new TextDecoder().decode(stderr).split("\n")
      .filter((line) => line.includes("usb-echo"));
    assertEquals(about, []);
    assertEquals(code, 0);
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
});
