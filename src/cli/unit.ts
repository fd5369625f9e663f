/**
 * Writes units for systemd.
 *
 * @module
 */
import { readlink, realPath } from "../../ffi/file.ts";
import {
  type GadgetFile,
  loadGadgetFile,
  servesFunctions,
  staysRunning,
} from "./gadget_file/load.ts";

/**
 * Writes the unit that makes the gadget of a file at boot.
 *
 * @param cli The URL of the module that this program was started with.
 */
export async function unit(path: string, cli: string): Promise<string> {
  const file = await loadGadgetFile(path);
  const program = readlink("/proc/self/exe");
  const command = Deno.build.standalone ? [program] : [
    program,
    "run",
    "--allow-ffi",
    // To import the modules of its functions.
    ...(servesFunctions(file) ? ["--allow-read"] : []),
    specifierOf(cli),
  ];
  return formatUnit(file, realPath(path), command.map(escape).join(" "));
}

/** How a command line names the module with this URL. */
export function specifierOf(url: string): string {
  const [, version] = /\/@usb\/gadget\/([^/]+)\/cli\.ts$/.exec(url) ?? [];
  if (!url.startsWith("file:") && version !== undefined) {
    return `jsr:@usb/gadget@${version}/cli`;
  }
  return url.startsWith("file:") ? decodeURI(new URL(url).pathname) : url;
}

/** Writes a unit. */
export function formatUnit(
  gadget: GadgetFile,
  path: string,
  command: string,
): string {
  const { definition: { product }, options } = gadget;
  const title = typeof product === "string" ? product : options.name;
  const file = escape(path);
  const stays = staysRunning(gadget);
  const service = [
    ...(stays
      ? ["Type=exec", "Restart=on-failure", "RestartSec=1"]
      : ["Type=oneshot", "RemainAfterExit=yes"]),
    "ExecStartPre=/sbin/modprobe libcomposite",
    `ExecStart=${command} up --wait ${file}`,
    ...(stays ? [] : [`ExecReload=${command} up ${file}`]),
    // A process that serves functions takes them with it.
    ...(servesFunctions(gadget)
      ? []
      : [`ExecStopPost=${command} down ${escape(options.name)}`]),
  ];
  return `[Unit]
Description=USB gadget: ${title.replaceAll("%", "%%")}
Requires=sys-kernel-config.mount
After=sys-kernel-config.mount
RequiresMountsFor=${file}

[Service]
${service.join("\n")}

[Install]
WantedBy=multi-user.target
`;
}

/** A word of a command line, as systemd reads it (systemd.service(5)). */
function escape(word: string): string {
  const text = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w/.:@%$+=-]+$/.test(text)
    ? text
    : `"${text.replace(/["\\]/g, "\\$&")}"`;
}
