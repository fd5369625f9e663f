/**
 * A CUPS scheduler of a test, with one raw queue: programs print to it with `lp`.
 *
 * @module
 */
import { shell } from "../machine/shell.ts";
import { until } from "../waiting/until.ts";

const QUEUE = "test";

/** The part of a printer's URI that is not in its serial number. */
export interface CupsPrinter {
  readonly manufacturer: string;
  readonly model: string;
  readonly serialNumber: string;
}

/** A running scheduler. */
export class Cups implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #folder: string;

  /**
   * Starts a scheduler, finds the printer, and makes a queue for it.
   *
   * @param folder An empty folder for all of its files, in memory.
   */
  static async start(folder: string, printer: CupsPrinter): Promise<Cups> {
    await shell(
      `mkdir -p ${folder}/cache ${folder}/run/certs ${folder}/spool/tmp`,
    );
    await Deno.writeTextFile(
      `${folder}/cupsd.conf`,
      `LogLevel debug
Listen ${folder}/run/cups.sock
Browsing Off
WebInterface No
<Location />
  Order allow,deny
  Allow all
</Location>
<Policy default>
  <Limit All>
    Order allow,deny
    Allow all
  </Limit>
</Policy>
`,
    );
    await Deno.writeTextFile(
      `${folder}/cups-files.conf`,
      `ServerRoot ${folder}
StateDir ${folder}/run
CacheDir ${folder}/cache
RequestRoot ${folder}/spool
TempDir ${folder}/spool/tmp
AccessLog ${folder}/access_log
ErrorLog ${folder}/error_log
PageLog ${folder}/page_log
`,
    );
    const process = new Deno.Command("cupsd", {
      args: [
        "-f",
        "-c",
        `${folder}/cupsd.conf`,
        "-s",
        `${folder}/cups-files.conf`,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const cups = new Cups(process, folder);
    try {
      await cups.#makeQueue(printer);
    } catch (error) {
      await cups[Symbol.asyncDispose]();
      throw error;
    }
    return cups;
  }

  /** Use {@linkcode start}. */
  private constructor(process: Deno.ChildProcess, folder: string) {
    this.#process = process;
    this.#folder = folder;
  }

  /** Runs a script in which `lp` and its like use this scheduler. */
  run(script: string): Promise<string> {
    return shell(`export CUPS_SERVER=${this.#folder}/run/cups.sock
      ${script}`);
  }

  /** Hands a file to the queue, to be printed as it is. */
  async print(file: string, options = ""): Promise<void> {
    await this.run(`lp -d ${QUEUE} -o raw ${options} ${file}`);
  }

  /** Whether all jobs are done. */
  async isIdle(): Promise<boolean> {
    return await this.run("lpstat -W not-completed -o") === "";
  }

  /** What the scheduler and its backends have logged. */
  log(): string {
    return Deno.readTextFileSync(`${this.#folder}/error_log`);
  }

  /** Process IDs of the backend that sends jobs to printers. */
  backends(): number[] {
    const found: number[] = [];
    for (const { name } of Deno.readDirSync("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const line = Deno.readTextFileSync(`/proc/${name}/cmdline`);
        if (line.startsWith("usb://")) found.push(Number(name));
      } catch {
        // It has ended.
      }
    }
    return found;
  }

  /** Ends the scheduler. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await this.#process.status;
  }

  async #makeQueue(printer: CupsPrinter): Promise<void> {
    const { manufacturer, model, serialNumber } = printer;
    const uri = `usb://${manufacturer}/${model}?serial=${serialNumber}`;
    const socket = `${this.#folder}/run/cups.sock`;
    const isThere = () => {
      try {
        return Deno.statSync(socket).isSocket ?? true;
      } catch {
        return false;
      }
    };
    await until(isThere, "the scheduler listens");
    const found = await this.run("lpinfo --include-schemes usb -v");
    if (!found.split("\n").includes(`direct ${uri}`)) {
      throw new Error(`CUPS does not find ${uri}: ${found}\n${this.log()}`);
    }
    await this.run(`lpadmin -p ${QUEUE} -E -v '${uri}' -m raw`);
  }
}
