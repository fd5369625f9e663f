/**
 * Turns dummy_hcd into a device controller that can scatter-gather, as those
 * of real boards can (dwc3, cdns3, ...): FunctionFS wants that for DMABUF.
 *
 * The stock driver copies between a URB and `req->buf`, which a request with a
 * scatter list does not have. Here all copies go through one function that
 * handles both. Each edit checks the source that it changes; no part of the
 * source is kept here.
 *
 * @module
 */

import { SourceEdit } from "./source_edit.ts";

/** Copies `length` bytes at `offset` of a request to or from `memory`. */
export const COPY = `
static void copy_request(const struct usb_request *req, size_t offset,
			 void *memory, size_t length, bool from_request)
{
	if (req->num_sgs && from_request)
		sg_pcopy_to_buffer(req->sg, req->num_sgs, memory, length,
				   offset);
	else if (req->num_sgs)
		sg_pcopy_from_buffer(req->sg, req->num_sgs, memory, length,
				     offset);
	else if (from_request)
		memcpy(memory, req->buf + offset, length);
	else
		memcpy(req->buf + offset, memory, length);
}
`;

/**
 * Edits the source of dummy_hcd.
 *
 * @param source the text of `dummy_hcd.c`
 * @throws {VmError} if it does not look as the edits expect
 */
export function addScatterGather(source: string): string {
  const edit = new SourceEdit(source, "dummy_hcd.c");
  edit.include("linux/scatterlist.h", "linux/dma-mapping.h");
  edit.insertBefore("dummy_queue", COPY);

  // The FIFO of 64 bytes takes a copy of a small request.
  edit.inFunction("dummy_queue", (replace) => {
    replace(
      /memcpy\(dum->fifo_buf, _req->buf, _req->length\);/g,
      "req->req.num_sgs = 0;\n\t\t" +
        "copy_request(_req, 0, dum->fifo_buf, _req->length, true);",
    );
  });

  // A URB with a scatter list is copied in pieces, hence the position.
  edit.inFunction("dummy_perform_transfer", (replace) => {
    replace(/void \*ubuf, \*rbuf;/g, "void *ubuf;\n\tsize_t at;");
    replace(
      /rbuf = req->req\.buf \+ req->req\.actual;/g,
      "at = req->req.actual;",
    );
    replace(
      /memcpy\(ubuf, rbuf, (\w+)\);/g,
      "copy_request(&req->req, at, ubuf, $1, true);",
      2,
    );
    replace(
      /memcpy\(rbuf, ubuf, (\w+)\);/g,
      "copy_request(&req->req, at, ubuf, $1, false);",
      2,
    );
    replace(/rbuf \+= this_sg;/g, "at += this_sg;");
  });
  edit.expectNone("dummy_perform_transfer", /\brbuf\b|\bbuf\b/);

  // Without the mask a buffer above 4 GiB could not be attached.
  edit.inFunction("dummy_udc_probe", (replace) => {
    replace(
      /\n\trc = usb_add_gadget_udc\(/g,
      "\n\trc = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));\n" +
        "\tif (rc)\n\t\treturn rc;\n" +
        "\tdum->gadget.sg_supported = 1;\n$&",
    );
  });
  return edit.text;
}
