// VM: --modules fuse, a class of device
/**
 * MTP under jmtpfs, a file system in user space: any program is its host.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { MtpBench } from "../support/gadgets/mtp_bench.ts";
import { shell } from "../support/machine/shell.ts";
import { soak } from "../support/run/soak.ts";

const FOLDERS = soak(100, 4);
const FILES = soak(2000, 48) / FOLDERS;

/** Names that are legal on both sides, and seldom thought of. */
const AWKWARD = [
  "plain.txt",
  "two words",
  " begins with a space",
  "ends with a space ",
  "grüße",
  "grüße (decomposed)".normalize("NFD"),
  "日本語.txt",
  "smile 😀.png",
  "quote'quote",
  'double"double',
  "back\\slash",
  "star*question?",
  "colon:pipe|",
  "<angle>",
  "new\nline",
  "-dash",
  ".hidden",
  "no.extension.",
  "$(echo) `echo`",
  `${"long".repeat(50)}.bin`,
];

/** A mounted device. */
class Mount implements AsyncDisposable {
  readonly #point: string;
  /** The root folder of the storage. */
  readonly root: string;

  static async make(bench: MtpBench): Promise<Mount> {
    const point = await Deno.makeTempDir();
    await bench.run(`jmtpfs ${point}`);
    return new Mount(point);
  }

  private constructor(point: string) {
    this.#point = point;
    this.root = `${point}/Files`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await shell(`fusermount -u ${this.#point}; rmdir ${this.#point}`);
  }
}

/** Makes folders with files, each of another size. */
async function makeTree(path: string): Promise<void> {
  for (let folder = 0; folder < FOLDERS; folder++) {
    const name = `${path}/${folder} ${AWKWARD[folder % AWKWARD.length]}`;
    await Deno.mkdir(name);
    for (let file = 0; file < FILES; file++) {
      const bytes = crypto.getRandomValues(new Uint8Array(37 * file + folder));
      const number = folder * FILES + file;
      const own = file < AWKWARD.length
        ? AWKWARD[number % AWKWARD.length]
        : `file ${file}`;
      await Deno.writeFile(`${name}/${own}`, bytes);
    }
  }
}

Deno.test(`jmtpfs copies ${FOLDERS} folders of ${FILES} files with awkward names out of the device`, async () => {
  await using bench = await MtpBench.start();
  await makeTree(bench.device);
  await using mount = await Mount.make(bench);
  await bench.expectSame(bench.device, mount.root);
});

Deno.test(`jmtpfs copies ${FOLDERS} folders of ${FILES} files with awkward names into the device`, async () => {
  await using bench = await MtpBench.start();
  await makeTree(bench.host);
  await using mount = await Mount.make(bench);
  await shell(`cp -r ${bench.host}/. ${mount.root}`);
  await bench.expectSame();
});

Deno.test("jmtpfs renames, moves, overwrites and deletes", async () => {
  await using bench = await MtpBench.start();
  const { device } = bench;
  await using mount = await Mount.make(bench);
  await shell(`
    cd ${mount.root}
    mkdir a b
    echo one >a/file
    mv a/file a/renamed
    mv a/renamed b/moved
    echo two >a/other
    echo three >a/other
    echo four >>a/other
    mv a c
    mkdir -p d/e; echo gone >d/e/file; rm -r d`);
  assertEquals(
    await shell(`cd ${device}; find . -type f | sort | xargs grep .`),
    "./b/moved:one\n./c/other:three\n./c/other:four\n",
  );
  assertEquals(await shell(`ls ${device}`), "b\nc\n");
});
