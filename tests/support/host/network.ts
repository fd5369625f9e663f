/**
 * The network of a gadget with an Ethernet function. The host's end of the cable is
 * in a namespace of its own: else the kernel would deliver everything locally.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { list, readlinkIfThere, readTextFile } from "../../../ffi/file.ts";
import { pause, unlessGone } from "../../../src/testing/usbfs/sysfs.ts";
import { shell } from "../machine/shell.ts";
import { until } from "../waiting/until.ts";

const TIMEOUT_MS = 180_000;
const CLASS = "/sys/class/net";
const GADGET_IP = "10.9.0.1";
const HOST_IP = "10.9.0.2";

/** The MAC addresses of both ends. */
export interface NetworkEnds {
  readonly gadget: string;
  readonly host: string;
}

/** A cable with addresses at both ends. */
export class Network implements AsyncDisposable {
  readonly #host: Deno.ChildProcess;
  readonly #files: string;
  readonly #end: string;

  /** Waits until both ends exist, and connects them. */
  static async open(ends: NetworkEnds): Promise<Network> {
    const gadget = await interfaceOf(ends.gadget);
    const host = await interfaceOf(ends.host);
    // A process that has the namespace, while the cable is in use.
    const holder = new Deno.Command("unshare", {
      args: ["-n", "sleep", "infinity"],
    }).spawn();
    const namespaceOf = (id: string | number) =>
      readlinkIfThere(`/proc/${id}/ns/net`);
    await until(
      () => namespaceOf(holder.pid) !== namespaceOf("self"),
      "there is another network namespace",
    );
    const network = new Network(holder, await Deno.makeTempDir(), gadget);
    try {
      await shell(`
        ip link set ${host} netns ${holder.pid}
        ${network.#inHost} ip address add ${HOST_IP}/24 dev ${host}
        ${network.#inHost} ip link set ${host} up
        ip address add ${GADGET_IP}/24 dev ${gadget}
        ip link set ${gadget} up`);
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
    return network;
  }

  /** Use {@linkcode open}. */
  private constructor(host: Deno.ChildProcess, files: string, end: string) {
    this.#host = host;
    this.#files = files;
    this.#end = end;
  }

  get #inHost(): string {
    return `nsenter -t ${this.#host.pid} -n`;
  }

  /** Sends so many echo requests from the gadget, and expects all answers. */
  async ping(count = 2): Promise<void> {
    const output = await shell(`busybox ping -c ${count} ${HOST_IP}`);
    assertStringIncludes(output, " 0% packet loss");
  }

  /** The host sends random bytes over TCP, the gadget sends them back. */
  async exchange(byteLength: number): Promise<void> {
    using listener = Deno.listen({ hostname: GADGET_IP, port: 0 });
    const echo = async () => {
      const { readable, writable } = await listener.accept();
      await readable.pipeTo(writable);
    };
    const [sent, received] = ["sent", "received"].map((it) =>
      `${this.#files}/${it}`
    );
    const [, sums] = await Promise.all([
      echo(),
      shell(`
        head -c ${byteLength} /dev/urandom >${sent}
        ${this.#inHost} busybox nc ${GADGET_IP} ${listener.addr.port} \\
          <${sent} >${received}
        cksum <${sent}
        cksum <${received}`),
    ]);
    const [before, after] = sums.split("\n");
    assertEquals(after, before);
    assertEquals(after.split(" ")[1], String(byteLength));
  }

  /** The host's end returns to where it was, unless the cable is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#host.kill("SIGKILL");
    await this.#host.status;
    await Deno.remove(this.#files, { recursive: true });
    await shell(
      `ip address flush dev ${this.#end} 2>/dev/null || test ! -e ${CLASS}/${this.#end}`,
    );
  }
}

/** Waits for the network interface with a MAC address. */
async function interfaceOf(address: string): Promise<string> {
  const end = performance.now() + TIMEOUT_MS;
  for (;;) {
    const found = list(CLASS).map(({ name }) => name).find((name) => {
      const text = unlessGone(() => readTextFile(`${CLASS}/${name}/address`));
      return text?.trim() === address;
    });
    if (found !== undefined) return found;
    if (performance.now() > end) {
      throw new Error(`There is no network interface ${address}`);
    }
    // Seldom: programs that are about to start need the processor.
    await pause(100);
  }
}
