/*
 * Both ends of control requests in C, as the reference for this package: a gadget
 * that answers with blocking reads and writes, and a host that sends requests.
 *
 *   control_gadget serve MOUNT DESCRIPTORS STRINGS
 *     Serves the FunctionFS instance mounted at MOUNT until it is killed. The
 *     other two files are written to ep0. Then it prints "ready".
 *
 *   control_gadget ask DEVICE COUNT LENGTH
 *     Requests LENGTH bytes COUNT times from the USB device, a file in usbfs, with
 *     a vendor request to interface 0, and prints the duration in seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/usb/functionfs.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static char data[4096];

static void fail(const char *what)
{
	fprintf(stderr, "control_gadget: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void copy_to(int ep0, const char *name)
{
	static char block[65536];
	int file = open(name, O_RDONLY);
	ssize_t length = file < 0 ? -1 : read(file, block, sizeof block);

	if (length < 0 || write(ep0, block, length) != length)
		fail(name);
	close(file);
}

static void answer(int ep0, const struct usb_ctrlrequest *setup)
{
	int length = setup->wLength;

	/* It fails where the host has given up: then there is nothing to do. */
	if ((setup->bRequestType & USB_DIR_IN ? write(ep0, data, length)
					      : read(ep0, data, length)) < 0)
		perror("control_gadget: answer");
}

static void serve(char **arguments)
{
	struct usb_functionfs_event events[4];
	char path[4096];
	ssize_t length;
	int ep0, i;

	snprintf(path, sizeof path, "%s/ep0", arguments[0]);
	ep0 = open(path, O_RDWR);
	if (ep0 < 0)
		fail(path);
	copy_to(ep0, arguments[1]);
	copy_to(ep0, arguments[2]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		length = read(ep0, events, sizeof events);
		if (length < 0 && errno != EINTR && errno != EIDRM)
			fail("read events");
		for (i = 0; i < length / (ssize_t)sizeof *events; i++)
			if (events[i].type == FUNCTIONFS_SETUP)
				answer(ep0, &events[i].u.setup);
	}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static int ask(char **arguments)
{
	struct usbdevfs_ctrltransfer transfer = {
		.bRequestType = USB_DIR_IN | USB_TYPE_VENDOR |
				USB_RECIP_INTERFACE,
		.bRequest = 1,
		.wLength = atoi(arguments[2]),
		.timeout = 5000,
		.data = data,
	};
	int device = open(arguments[0], O_RDWR);
	int count = atoi(arguments[1]);
	unsigned interface = 0;
	double start;

	if (device < 0)
		fail(arguments[0]);
	if (ioctl(device, USBDEVFS_CLAIMINTERFACE, &interface) < 0)
		fail("claim interface 0");
	start = now();
	for (int i = 0; i < count; i++)
		if (ioctl(device, USBDEVFS_CONTROL, &transfer) != transfer.wLength)
			fail("ask");
	printf("%f\n", now() - start);
	return 0;
}

int main(int count, char **arguments)
{
	if (count == 5 && strcmp(arguments[1], "serve") == 0)
		serve(arguments + 2);
	if (count == 5 && strcmp(arguments[1], "ask") == 0)
		return ask(arguments + 2);
	fprintf(stderr, "usage: control_gadget serve MOUNT DESCRIPTORS STRINGS\n"
			"       control_gadget ask DEVICE COUNT LENGTH\n");
	return 2;
}
