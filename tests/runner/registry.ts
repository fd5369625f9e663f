/**
 * A package registry on this machine, with the protocol of JSR: what
 * `deno publish` would upload from this checkout.
 *
 * @module
 */

/** The checkout. */
const ROOT = new URL("../../", import.meta.url);

/** A package in one version. */
interface Package {
  readonly version: string;
  /** Paths of modules by entry point. */
  readonly exports: Readonly<Record<string, string>>;
  /** Files by their paths in the package, such as `/mod.ts`. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** A registry that runs. */
export interface Registry extends AsyncDisposable {
  /** For the variable `JSR_URL`. */
  readonly url: string;
  /** Where the files of this package are. */
  readonly packageUrl: string;
}

/** Serves this package, and the adapters in place of `@std` packages. */
export async function startRegistry(): Promise<Registry> {
  const gadget = await thisPackage();
  const packages = new Map([
    ["@usb/gadget", gadget],
    ["@std/assert", await adapter("tests/support/adapters/assert.ts")],
  ]);
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, (request) => answer(packages, new URL(request.url).pathname));
  const url = `http://127.0.0.1:${server.addr.port}/`;
  return {
    url,
    packageUrl: `${url}@usb/gadget/${gadget.version}/`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function answer(
  packages: ReadonlyMap<string, Package>,
  path: string,
): Promise<Response> {
  const [, name, rest] = /^\/(@[^/]+\/[^/]+)\/(.*)$/.exec(path) ?? [];
  const found = packages.get(name);
  if (found === undefined) return new Response(null, { status: 404 });
  const { version, exports, files } = found;
  if (rest === "meta.json") {
    const [scope, short] = name.slice(1).split("/");
    return Response.json({
      scope,
      name: short,
      latest: version,
      versions: { [version]: {} },
    });
  }
  if (rest === `${version}_meta.json`) {
    return Response.json({ exports, manifest: await manifest(files) });
  }
  const bytes = files.get(rest.slice(version.length));
  if (bytes === undefined) return new Response(null, { status: 404 });
  const type = rest.endsWith(".ts") ? "text/typescript" : "text/plain";
  return new Response(bytes, { headers: { "content-type": type } });
}

/** Sizes and checksums, which Deno compares with what it downloads. */
async function manifest(files: Package["files"]) {
  const entries = [...files].map(async ([path, bytes]) => {
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    const checksum = `sha256-${new Uint8Array(digest).toHex()}`;
    return [path, { size: bytes.length, checksum }];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** What `publish` in deno.json includes. */
async function thisPackage(): Promise<Package> {
  const { version, exports, publish } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const path of publish.include) {
    for await (const file of filesIn(path)) {
      files.set(`/${file}`, await Deno.readFile(new URL(file, ROOT)));
    }
  }
  return { version, exports, files };
}

async function* filesIn(path: string): AsyncGenerator<string> {
  if ((await Deno.stat(new URL(path, ROOT))).isFile) return yield path;
  for await (const { name } of Deno.readDir(new URL(path, ROOT))) {
    yield* filesIn(`${path}/${name}`);
  }
}

async function adapter(path: string): Promise<Package> {
  const bytes = await Deno.readFile(new URL(path, ROOT));
  return {
    version: "1.0.0",
    exports: { ".": "./mod.ts" },
    files: new Map([["/mod.ts", bytes]]),
  };
}
