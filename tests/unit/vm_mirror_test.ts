import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { UsageError, VmError } from "../../src/vm/errors.ts";
import { PrivateApt } from "../../src/vm/debian/apt.ts";
import {
  DEBIAN_KEYS,
  debianKeys,
  findKeyring,
  splitKeyring,
} from "../../src/vm/debian/keyring.ts";
import {
  givenMirror,
  mirrorAmong,
  readTargets,
} from "../../src/vm/debian/mirror.ts";
import { findProgram, run } from "../../src/vm/process.ts";
import { silent } from "../../src/vm/progress.ts";

const withoutApt = await findProgram("apt-get") === undefined;
const job = { progress: silent };

/** What a suite says of itself, by a part of its address. */
type Releases = Readonly<Record<string, { origin: string; label: string }>>;

const DEBIAN = { origin: "Debian", label: "Debian" };
const SECURITY = { origin: "Debian", label: "Debian-Security" };
const UBUNTU = { origin: "Ubuntu", label: "Ubuntu" };

/** Makes a machine with sources of packages, and the lists that apt has fetched from them. */
async function machine(
  folder: string,
  sources: Readonly<Record<string, string>>,
  releases: Releases,
): Promise<Record<string, string>> {
  for (
    const name of [
      "etc/apt/sources.list.d",
      "etc/apt/apt.conf.d",
      "etc/apt/preferences.d",
      "var/lib/apt/lists/partial",
      "var/lib/dpkg",
      "var/cache/apt/archives/partial",
    ]
  ) {
    await Deno.mkdir(`${folder}/${name}`, { recursive: true });
  }
  await Deno.writeTextFile(`${folder}/var/lib/dpkg/status`, "");
  await Deno.writeTextFile(`${folder}/apt.conf`, `Dir "${folder}";\n`);
  for (const [name, text] of Object.entries(sources)) {
    await Deno.writeTextFile(`${folder}/etc/apt/${name}`, text);
  }
  const env = { APT_CONFIG: `${folder}/apt.conf` };
  const uris = new TextDecoder().decode(
    await run("apt-get", ["--print-uris", "update"], { env }),
  );
  for (const [, uri, name] of uris.matchAll(/^'(.*)' (\S+) 0/gm)) {
    const release = Object.entries(releases)
      .find(([part]) => uri.includes(part))?.[1];
    if (release === undefined) continue;
    const file = `${folder}/var/lib/apt/lists/${name}`;
    if (/binary-\w+_Packages$/.test(name)) await Deno.writeTextFile(file, "");
    if (!name.endsWith("InRelease")) continue;
    await Deno.writeTextFile(
      file,
      `Origin: ${release.origin}
Label: ${release.label}
Suite: stable
Codename: any
Date: Sat, 10 Jan 2026 10:00:00 UTC
Architectures: all amd64 arm64
Components: main universe
SHA256:
 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages
`,
    );
  }
  return env;
}

const BOOKWORM = `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

const configurations: {
  name: string;
  sources: Readonly<Record<string, string>>;
  releases: Releases;
  mirror?: string;
  message?: string;
}[] = [{
  name: "a container with bookworm",
  sources: { "sources.list.d/debian.sources": BOOKWORM },
  releases: { "/debian-security/": SECURITY, "/debian/": DEBIAN },
  mirror: "http://mirror.example/debian",
}, {
  name: "a container with bookworm, whose lists were removed",
  sources: { "sources.list.d/debian.sources": BOOKWORM },
  releases: {},
  message: 'run "sudo apt-get update"',
}, {
  name: "trixie, with a disabled source and one of another vendor before it",
  sources: {
    "sources.list.d/a-vendor.sources": `Types: deb
URIs: https://vendor.example/linux/debian/
Suites: trixie
Components: main
Architectures: amd64 arm64
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEU/NfCxYJKwYBBAHaRw8BAQdAPwmJlL3ZFu1AUxl5NOSofIBzOhKA1i+AEJku
 Q+47JAY=
 -----END PGP PUBLIC KEY BLOCK-----
`,
    "sources.list.d/debian.sources": `Enabled: no
Types: deb
URIs: https://old.example/debian/
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp

Types: deb deb-src
URIs: https://mirror.example/debian/
Suites: trixie trixie-updates trixie-backports
Components: main contrib non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp

Types: deb deb-src
URIs: https://mirror.example/debian-security/
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp
`,
  },
  releases: {
    "//vendor.": { origin: "Vendor", label: "Vendor CE" },
    "//old.": DEBIAN,
    "/debian-security/": SECURITY,
    "/debian/": DEBIAN,
  },
  mirror: "https://mirror.example/debian",
}, {
  name: "bookworm from a medium, with a list of lines and a password",
  sources: {
    "sources.list":
      `deb cdrom:[Debian_12.5.0_Bookworm_-_Official_amd64_NETINST]/ bookworm main
deb http://mirror.example/debian-security bookworm-security main
# deb http://commented.example/debian bookworm main
deb [arch=amd64,arm64] http://user:secret@mirror.example:8080/pub/debian/ bookworm main
`,
  },
  releases: {
    "cdrom:": DEBIAN,
    "/debian-security/": SECURITY,
    "/debian/": DEBIAN,
  },
  mirror: "http://user:secret@mirror.example:8080/pub/debian",
}, {
  name: "a cloud image with a list of mirrors",
  sources: {
    "sources.list.d/debian.sources": `Types: deb deb-src
URIs: mirror+file:///etc/apt/mirrors/debian.list
Suites: bookworm bookworm-updates bookworm-backports
Components: main
`,
  },
  releases: { "/debian.list/": DEBIAN },
  mirror: "mirror+file:/etc/apt/mirrors/debian.list",
}, {
  name: "a snapshot of the archive",
  sources: {
    "sources.list":
      "deb [check-valid-until=no] http://mirror.example/archive/debian/20250520T000000Z bookworm main\n",
  },
  releases: { "/archive/debian/": DEBIAN },
  mirror: "http://mirror.example/archive/debian/20250520T000000Z",
}, {
  name: "Ubuntu 24.04",
  sources: {
    "sources.list": "# Ubuntu sources have moved\n",
    "sources.list.d/ubuntu.sources": `Types: deb
URIs: http://mirror.example/ubuntu/
Suites: noble noble-updates noble-backports
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: http://security.example/ubuntu/
Suites: noble-security
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
`,
  },
  releases: { "/ubuntu/": UBUNTU },
  message: "among the sources of apt: name one with --mirror URL",
}, {
  name: "Ubuntu 22.04",
  sources: {
    "sources.list": `deb http://mirror.example/ubuntu/ jammy main restricted
deb http://mirror.example/ubuntu/ jammy universe
deb http://mirror.example/ubuntu/ jammy-security main restricted
`,
  },
  releases: { "/ubuntu/": UBUNTU },
  message: "among the sources of apt: name one with --mirror URL",
}];

for (const { name, sources, releases, mirror, message } of configurations) {
  Deno.test({
    name: `the Debian archive of ${name} is ${mirror ?? "none"}`,
    ignore: withoutApt,
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        const env = await machine(folder, sources, releases);
        const targets = await readTargets(env);
        if (mirror !== undefined) assertEquals(mirrorAmong(targets), mirror);
        else assertThrows(() => mirrorAmong(targets), VmError, message);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test("without a Debian archive, the message lists what else works", () => {
  const { message } = assertThrows(
    () => mirrorAmong("Ubuntu|Ubuntu|http://mirror.example/ubuntu/\n"),
    VmError,
  );
  assertEquals(
    message,
    "Cannot find a Debian archive among the sources of apt: name one with --mirror URL or the variable USB_GADGET_VM_MIRROR, or use a kernel of your own with --vmlinuz FILE --modules-dir DIR",
  );
});

Deno.test("givenMirror() prefers the option to the variable, and takes addresses only", () => {
  const variable = "http://variable.example/debian";
  assertEquals(
    givenMirror("https://option.example/debian/", variable),
    "https://option.example/debian",
  );
  assertEquals(givenMirror(undefined, variable), variable);
  assertEquals(givenMirror(undefined, ""), undefined);
  assertEquals(givenMirror("file:/srv/debian"), "file:/srv/debian");
  for (const wrong of ["", "mirror.example", "[trusted=yes] http://a/b", "/"]) {
    assertThrows(() => givenMirror(wrong), UsageError, "expected an address");
  }
});

// Keys

/** The key of RFC 9580, appendix A.1. */
const SAMPLE = Uint8Array.fromBase64(
  "mDMEU/NfCxYJKwYBBAHaRw8BAQdAPwmJlL3ZFu1AUxl5NOSofIBzOhKA1i+AEJkuQ+47JAY=",
);
const SAMPLE_FINGERPRINT = "c959bdbafa32a2f89a153b678cfde12197965a9a";

/** Another key, in a packet of the newer form, with a user ID. */
const OTHER = new Uint8Array([
  0xc6,
  ...SAMPLE.slice(1, -1),
  7,
  0xcd,
  2,
  ...new TextEncoder().encode("me"),
]);

Deno.test("splitKeyring() computes the fingerprint of each key", async () => {
  const keys = await splitKeyring(new Uint8Array([...SAMPLE, ...OTHER]));
  assertEquals(keys.map(({ bytes }) => bytes), [SAMPLE, OTHER]);
  assertEquals(keys[0].fingerprint, SAMPLE_FINGERPRINT);
  assertEquals(keys[1].fingerprint === SAMPLE_FINGERPRINT, false);
});

Deno.test("splitKeyring() refuses what is no keyring", async () => {
  for (const bytes of [[1], [0x98], [0x98, 200], [0x98, 1, 3], [0x9b, 4]]) {
    await assertRejects(() => splitKeyring(new Uint8Array(bytes)), RangeError);
  }
});

Deno.test("debianKeys() keeps the known keys, with what belongs to them", async () => {
  const keyring = new Uint8Array([...OTHER, ...SAMPLE, ...OTHER]);
  assertEquals(await debianKeys(keyring, [SAMPLE_FINGERPRINT]), SAMPLE);
  assertEquals((await debianKeys(keyring)).length, 0);
});

const keyring = await findKeyring();

Deno.test({
  name: "the known fingerprints are those of this machine's package",
  ignore: keyring === undefined,
  async fn() {
    const keys = await splitKeyring(await Deno.readFile(keyring!));
    const found = keys.map(({ fingerprint }) => fingerprint);
    assertEquals(DEBIAN_KEYS.filter((it) => !found.includes(it)), []);
  },
});

/** Makes an archive with one package, the keys, that nothing signs. */
async function archiveWith(folder: string, keys: Uint8Array): Promise<void> {
  const root = `${folder}/package`;
  await Deno.mkdir(`${root}/DEBIAN`, { recursive: true });
  await Deno.mkdir(`${root}/usr/share/keyrings`, { recursive: true });
  await Deno.writeFile(
    `${root}/usr/share/keyrings/debian-archive-keyring.gpg`,
    keys,
  );
  const control = `Package: debian-archive-keyring
Version: 1
Architecture: all
Maintainer: me <me@mirror.example>
Description: keys
`;
  await Deno.writeTextFile(`${root}/DEBIAN/control`, control);
  await run("dpkg-deb", ["--build", root, `${folder}/keys.deb`]);
  const deb = await Deno.readFile(`${folder}/keys.deb`);
  const lists = `${folder}/dists/trixie/main/binary-amd64`;
  await Deno.mkdir(lists, { recursive: true });
  const sha256 = async (bytes: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  const packages = new TextEncoder().encode(
    `${control}Filename: keys.deb\nSize: ${deb.length}\nSHA256: ${await sha256(
      deb,
    )}\n`,
  );
  await Deno.writeFile(`${lists}/Packages`, packages);
  await Deno.writeTextFile(
    `${folder}/dists/trixie/Release`,
    `Origin: Debian
Label: Debian
Suite: trixie
Codename: trixie
Date: Sat, 10 Jan 2026 10:00:00 UTC
Architectures: all amd64
Components: main
SHA256:
 ${await sha256(packages)} ${packages.length} main/binary-amd64/Packages
`,
  );
}

/** Why a machine without Debian's keys does not use an archive that has these. */
async function refusal(keys: Uint8Array): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await archiveWith(`${folder}/archive`, keys);
    const apt = new PrivateApt({
      folder: `${folder}/apt`,
      architecture: "amd64",
      suite: "trixie",
      mirror: `file:${folder}/archive`,
      machine: folder,
      job,
    });
    const error = await assertRejects(() => apt.update(), VmError);
    return error.message;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "an archive whose package of keys has unknown keys is not used",
  ignore: withoutApt,
  async fn() {
    assertStringIncludes(await refusal(SAMPLE), "its keys are not Debian's");
  },
});

Deno.test({
  name: "an archive with Debian's keys, but without signatures, is not used",
  ignore: withoutApt || keyring === undefined,
  async fn() {
    assertStringIncludes(
      await refusal(await Deno.readFile(keyring!)),
      "is not signed",
    );
  },
});
