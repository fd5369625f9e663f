/**
 * Brings a gadget's directory into line with its model, by as few changes as
 * possible.
 *
 * @module
 */
import { Errno, errorOf } from "../../../ffi/errno.ts";
import { exists, readlink } from "../../../ffi/file.ts";
import { kernelRelease } from "../../../ffi/kernel_release.ts";
import { type CompareOptions, TreeComparison } from "./compare.ts";
import { addFunction, changeFunction } from "./function.ts";
import type { AttributeNode, FunctionNode, GadgetModel } from "./tree.ts";
import { directoriesIn, linksIn } from "./links.ts";
import { removeConfiguration, removeFunction } from "./remove.ts";
import { REMOVED, type TreeWriter } from "./writer.ts";

/** A change that is to be made. */
interface Step {
  /** The kernel takes it only while the gadget is not bound. */
  readonly unbound: boolean;
  /** The host sees it only when it enumerates the device again. */
  readonly enumerated: boolean;
  run(): void;
}

/** The changes to be made. */
export interface ApplyPlan {
  /** Whether the gadget must be unbound for them. */
  readonly unbound: boolean;
  /** Whether the host sees them only when it enumerates the device again. */
  readonly enumerated: boolean;
  /** Makes them. */
  run(): void;
}

/** What the plan depends on, apart from the directory and the model. */
export interface ApplyOptions extends CompareOptions {
  /** Called before the directory of a function is removed. */
  readonly onRemove?: (directory: string) => void;
}

/** Attributes of a function in use that the kernel changes at once. */
const LIVE = /^lun\.\d+\//;

/** Compares a directory with its model, and changes nothing yet. */
export function planApply(
  writer: TreeWriter,
  model: GadgetModel,
  options: ApplyOptions = {},
): ApplyPlan {
  const steps = new Planner(writer, model, options).plan();
  return {
    unbound: steps.some((step) => step.unbound),
    enumerated: steps.some((step) => step.enumerated),
    run: () => steps.forEach((step) => step.run()),
  };
}

class Planner {
  readonly #writer: TreeWriter;
  readonly #model: GadgetModel;
  readonly #options: ApplyOptions;
  readonly #values: TreeComparison;
  readonly #steps: Step[] = [];
  /** The directories of functions that must leave their configurations. */
  readonly #relink = new Set<string>();

  constructor(writer: TreeWriter, model: GadgetModel, options: ApplyOptions) {
    this.#writer = writer;
    this.#model = model;
    this.#options = options;
    this.#values = new TreeComparison(writer, options);
  }

  plan(): Step[] {
    this.#checkThere();
    this.#checkWebUsb();
    const { configurations, functions, osConfiguration } = this.#model;
    const names = new Set(functions.map((it) => it.directory));
    const gone = directoriesIn(this.#writer, "functions")
      .filter((name) => !names.has(name));
    const make = functions.flatMap((it) => this.#planFunction(it));
    const kept = configurations.map((it) => this.#keptLinks(it));
    const wanted = configurations.map((it) => it.directory);
    const goneConfigurations = directoriesIn(this.#writer, "configs")
      .filter((name) => !wanted.includes(name));

    // Links first: a linked directory cannot be removed or changed.
    for (const link of linksIn(this.#writer, "os_desc")) {
      if (link === osConfiguration) continue;
      this.#add(() => this.#writer.unlink(`os_desc/${link}`));
    }
    goneConfigurations.forEach((name) => this.#unlinkFrom(name, 0));
    wanted.forEach((name, index) => this.#unlinkFrom(name, kept[index]));
    for (const name of goneConfigurations) {
      this.#add(() => removeConfiguration(this.#writer, name));
    }
    for (const name of gone) this.#add(() => this.#removeFunction(name));
    this.#steps.push(...make);

    this.#attributes("", this.#model.attributes);
    this.#strings("strings", this.#model.strings);
    configurations.forEach((it, index) => {
      const path = `configs/${it.directory}`;
      if (!this.#exists(path)) this.#add(() => this.#writer.make(path));
      this.#attributes(path, it.attributes);
      this.#strings(`${path}/strings`, it.strings);
      for (const [link, directory] of it.links.slice(kept[index])) {
        this.#add(() =>
          this.#writer.link(`functions/${directory}`, `${path}/${link}`)
        );
      }
    });
    if (osConfiguration !== undefined) {
      const path = `os_desc/${osConfiguration}`;
      if (!this.#exists(path)) {
        this.#add(() => this.#writer.link(`configs/${osConfiguration}`, path));
      }
    }
    return this.#steps;
  }

  #checkThere(): void {
    const path = this.#writer.root;
    if (exists(path)) return;
    throw errorOf(
      Errno.ENOENT,
      `Cannot change gadget: its directory does not exist: ${path}: ${REMOVED}`,
      { syscall: "access", path },
    );
  }

  #checkWebUsb(): void {
    const wanted = this.#model.attributes.some(({ path, value }) =>
      path === "webusb/use" && value === 1
    );
    if (!wanted || this.#exists("webusb")) return;
    throw errorOf(
      Errno.EOPNOTSUPP,
      `Cannot make gadget: "webUsb" needs Linux 6.3 or newer, this is ${kernelRelease()}`,
      { syscall: "write" },
    );
  }

  #planFunction(node: FunctionNode): Step[] {
    const path = `functions/${node.directory}`;
    const before = this.#options.previous?.functions
      .find((it) => it.directory === node.directory);
    const fresh = !this.#exists(path);
    const paths = node.attributes.map((it) => it.path);
    const forgotten = before?.attributes.some((it) =>
      !paths.includes(it.path) &&
      !this.#values.isWriteOnly(`${path}/${it.path}`)
    );
    const different = fresh
      ? []
      : node.attributes.filter((it) => !this.#same(path, it));
    const live = different.every((it) => LIVE.test(it.path));
    // A function with links inside takes no more changes.
    const locked = !live && node.links.length > 0;
    if (fresh || forgotten || locked || linksDiffer(before, node)) {
      this.#relink.add(node.directory);
      return [{
        unbound: true,
        enumerated: true,
        run: () => {
          if (!fresh) this.#removeFunction(node.directory);
          addFunction(this.#writer, node);
        },
      }];
    }
    if (different.length === 0) return [];
    if (!live) this.#relink.add(node.directory);
    return [{
      unbound: !live,
      enumerated: !live,
      run: () => changeFunction(this.#writer, node, different),
    }];
  }

  #removeFunction(directory: string): void {
    this.#options.onRemove?.(directory);
    removeFunction(this.#writer, directory);
  }

  /** How many links at the beginning can stay. */
  #keptLinks(
    { directory, links }: GadgetModel["configurations"][number],
  ): number {
    const path = `configs/${directory}`;
    const actual = linksIn(this.#writer, path);
    const index = actual.findIndex((name, index) => {
      const [link, target] = links[index] ?? [];
      if (name !== link || this.#relink.has(target)) return true;
      const leads = readlink(this.#writer.resolve(`${path}/${name}`));
      return !leads.endsWith(`/${target}`);
    });
    return index < 0 ? actual.length : index;
  }

  #unlinkFrom(configuration: string, kept: number): void {
    const path = `configs/${configuration}`;
    for (const link of linksIn(this.#writer, path).slice(kept).reverse()) {
      this.#add(() => this.#writer.unlink(`${path}/${link}`));
    }
  }

  #attributes(directory: string, nodes: readonly AttributeNode[]): void {
    for (const node of nodes) {
      const path = directory === "" ? node.path : `${directory}/${node.path}`;
      // Older kernels have no max_speed and no webusb.
      const optional = /^(max_speed|webusb\/use)$/.test(path);
      const missing = optional && !this.#exists(path);
      if (missing && /^(0|super-speed-plus)$/.test(String(node.value))) {
        continue;
      }
      if (this.#same(directory, node) || this.#isOverruled(path, node)) {
        continue;
      }
      this.#add(() => this.#writer.set(directory, node), path === "max_speed");
    }
  }

  /** The kernel replaces bcdUSB when a host reads it, so the previous definition counts. */
  #isOverruled(path: string, node: AttributeNode): boolean {
    if (path !== "bcdUSB") return false;
    const { previous } = this.#options;
    if (previous === undefined) return this.#writer.udc !== "";
    const before = previous.attributes.find((it) => it.path === path);
    return before?.value === node.value;
  }

  #strings(
    directory: string,
    languages: ReadonlyMap<string, readonly AttributeNode[]>,
  ): void {
    for (const language of directoriesIn(this.#writer, directory)) {
      if (languages.has(language)) continue;
      this.#add(() => this.#writer.remove(`${directory}/${language}`));
    }
    for (const [language, nodes] of languages) {
      const path = `${directory}/${language}`;
      const fresh = !this.#exists(path);
      if (fresh) this.#add(() => this.#writer.make(path));
      for (const node of nodes) {
        const same = fresh ? node.value === "" : this.#same(path, node);
        if (same) continue;
        this.#add(() => this.#writer.set(path, node), false);
      }
    }
  }

  #same(directory: string, node: AttributeNode): boolean {
    return this.#values.same(directory, node);
  }

  #exists(path: string): boolean {
    return exists(this.#writer.resolve(path));
  }

  #add(run: () => void, unbound = true): void {
    this.#steps.push({ unbound, enumerated: true, run });
  }
}

function linksDiffer(before: FunctionNode | undefined, now: FunctionNode) {
  if (before === undefined) return false;
  return before.links.flat().join("\n") !== now.links.flat().join("\n");
}
