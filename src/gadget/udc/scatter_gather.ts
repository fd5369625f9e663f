/**
 * Which device controllers can scatter-gather, which DMABUF transfers need.
 *
 * The kernel does not tell it before a function is bound
 * (`FunctionFs.dmabufSupport` asks then). The drivers are those of Linux 7.3
 * that set `sg_supported`.
 *
 * @module
 */

/** Begins of the names of drivers that can: dwc3 with its glue, cdns2 and cdns3, chipidea. */
const ABLE = ["dwc3", "cdns", "ci_hdrc"];

/** Says whether the controllers of a driver can scatter-gather. */
export function describeScatterGather(driver: string): string {
  if (ABLE.some((begin) => driver.startsWith(begin))) {
    return "scatter-gather for DMABUF";
  }
  return driver === "dwc2"
    ? "scatter-gather for DMABUF if its hardware has descriptor DMA"
    : "no scatter-gather, so no DMABUF";
}
