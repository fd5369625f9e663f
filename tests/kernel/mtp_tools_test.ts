// VM: a class of device
/**
 * MTP under mtp-tools and libmtp, by which Linux desktops read phones.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { memoryStore } from "@usb/gadget/mtp";
import { MtpBench } from "../support/gadgets/mtp_bench.ts";
import {
  getFile,
  listFiles,
  numberIn,
  runLibmtp,
  runMtp,
  sendFile,
} from "../support/host/mtp_tools.ts";
import { shell } from "../support/machine/shell.ts";

Deno.test("mtp-detect reads all of the device, and takes it for MTP without a probe", async () => {
  await using bench = await MtpBench.start({
    friendlyName: "Grüße",
    serialNumber: "0123456789abcdef0123456789ABCDEF",
    battery: () => 42,
    storages: [
      { name: "Files", store: memoryStore() },
      { name: "Card", store: memoryStore(), removable: true, readOnly: true },
    ],
  });
  const text = await runMtp("mtp-detect");
  for (
    const part of [
      "Device recognized as MTP, no further probing",
      "Manufacturer: Example",
      "Model: Phone",
      "Serial number: 0123456789abcdef0123456789ABCDEF",
      "Friendly name: Grüße",
      "Battery level 42 of 100",
      "StorageDescription: Files",
      "StorageDescription: Card",
    ]
  ) assertStringIncludes(text, part);
  assertEquals(bench.mtp.storages.length, 2);
});

Deno.test("mtp-tools list, get, send and delete files, and make folders", async () => {
  await using bench = await MtpBench.start();
  const { device, host } = bench;
  await shell(`
    cd ${device}
    mkdir -p music/live
    echo hello >hello.txt
    head -c 1234567 /dev/urandom >"music/live/Ünïcode 😀 (1).mp3"`);
  const files = await listFiles();
  assertEquals(files.map(({ name, size }) => [name, size]), [
    ["hello.txt", 6],
    ["Ünïcode 😀 (1).mp3", 1234567],
  ]);
  assert(/^\d+\tmusic\n\d+\t {2}live$/m.test(await runMtp("mtp-folders")));

  await getFile(files[1].id, `${host}/got`);
  await shell(`cmp ${host}/got ${device}/music/live/*.mp3`);
  await runMtp("mtp-connect", "--getfile", "hello.txt", `${host}/hello`);
  await shell(`cmp ${host}/hello ${device}/hello.txt`);

  const made = await runMtp("mtp-newfolder", "naïve", "0", "0");
  assert(numberIn(made, /New folder created with ID: (\d+)/) > 0);
  await shell(`head -c 300000 /dev/urandom >"${host}/日本.bin"`);
  await sendFile(`${host}/日本.bin`, "/naïve");
  await sendFile(`${host}/got`);
  await shell(`
    cmp ${host}/日本.bin ${device}/naïve/日本.bin
    cmp ${host}/got ${device}/got`);

  await runMtp("mtp-delfile", "-n", String(files[0].id));
  await runMtp("mtp-delfile", "-f", "got");
  const left = await shell(`cd ${device}; find . -type f | sort`);
  assertEquals(left.trim().split("\n"), [
    "./music/live/Ünïcode 😀 (1).mp3",
    "./naïve/日本.bin",
  ]);
});

Deno.test("libmtp renames, moves, copies and edits, and changes the name of the device", async () => {
  await using bench = await MtpBench.start();
  const { device, host } = bench;
  await shell(`
    cd ${device}
    mkdir -p one two
    echo 0123456789 >one/file
    truncate -s 5G one/large; printf end | dd of=one/large conv=notrunc \\
      bs=1 seek=5368709117 2>&1
    mkdir one/tree; echo a >one/tree/a; echo b >one/tree/b`);
  const tree = await runMtp("mtp-filetree");
  const id = (name: string) =>
    numberIn(tree, new RegExp(`(\\d+) ${name}$`, "m"));
  const storage = 0x10001;
  const [file, large, folder, two] = ["file", "large", "tree", "two"].map(id);
  await Deno.writeTextFile(`${host}/local`, "sent\n");
  const results = await runLibmtp(
    { do: "part", id: file, offset: 3, size: 4 },
    { do: "part", id: file, offset: 9, size: 100 },
    { do: "part", id: large, offset: 5 * 2 ** 30 - 3, size: 10 },
    { do: "delete", id: large },
    { do: "patch", id: file, offset: 2, data: "abc", end: 8 },
    { do: "rename", id: file, name: "grüße.txt" },
    { do: "copy", id: file, storage, parent: two },
    { do: "move", id: folder, storage, parent: two },
    { do: "send", path: `${host}/local`, name: "new", parent: two, storage },
    { do: "friendlyName", name: "Telefon" },
  );
  assertEquals(results.slice(0, 3), ["3456", "9\n", "end"]);
  assertEquals(
    await shell(`cd ${device}; grep -r . | sort`),
    "one/grüße.txt:01abc567\ntwo/grüße.txt:01abc567\ntwo/new:sent\n" +
      "two/tree/a:a\ntwo/tree/b:b\n",
  );
  assertStringIncludes(await runMtp("mtp-detect"), "Friendly name: Telefon");

  await runLibmtp(
    { do: "get", id: Number(results[8]), path: `${host}/back` },
    { do: "delete", id: folder },
    { do: "delete", id: Number(results[8]) },
  );
  await shell(`cmp ${host}/local ${host}/back`);
  const left = await shell(`cd ${device}; find two | sort`);
  assertEquals(left, "two\ntwo/grüße.txt\n");
});
