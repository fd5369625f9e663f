/*
 * The C program of the engine benchmark: transfers to /dev/null and from
 * /dev/zero by libaio, on one thread, with memory that is used again.
 *
 * Each line on its standard input is a cell: KIND SIZE DEPTH COUNT. It answers
 * with the wall time and the CPU time of the cell in microseconds.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_DEPTH 128

static io_context_t context;

static double microseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

/* Makes `count` transfers, `depth` of them at once. */
static void transfer(int fd, int writes, size_t size, int depth, long count)
{
	struct iocb iocbs[MAX_DEPTH], *batch[MAX_DEPTH];
	struct io_event events[MAX_DEPTH];
	long unsent = count, undone = count;
	int batched = 0;
	/* All writes may send the same data. */
	size_t step = writes ? 0 : size;
	char *memory = calloc(writes ? 1 : depth, size);

	if (memory == NULL)
		errx(1, "no memory for %d transfers of %zu bytes", depth, size);
	for (; batched < depth && unsent > 0; unsent--) {
		char *data = memory + batched * step;

		if (writes)
			io_prep_pwrite(&iocbs[batched], fd, data, size, 0);
		else
			io_prep_pread(&iocbs[batched], fd, data, size, 0);
		batch[batched] = &iocbs[batched];
		batched++;
	}
	while (undone > 0) {
		int result = batched ? io_submit(context, batched, batch) : 0;
		int done;

		if (result != batched)
			errx(1, "io_submit returns %d", result);
		done = io_getevents(context, 1, MAX_DEPTH, events, NULL);
		if (done < 0)
			errx(1, "io_getevents: %s", strerror(-done));
		undone -= done;
		for (batched = 0; batched < done && unsent > 0; unsent--) {
			batch[batched] = events[batched].obj;
			batched++;
		}
	}
	free(memory);
}

int main(void)
{
	int sink = open("/dev/null", O_WRONLY);
	int source = open("/dev/zero", O_RDONLY);
	char kind[32];
	size_t size;
	int depth;
	long count;

	if (sink < 0 || source < 0)
		err(1, "open");
	errno = -io_setup(MAX_DEPTH, &context);
	if (errno)
		err(1, "io_setup");
	while (scanf("%31s %zu %d %ld", kind, &size, &depth, &count) == 4) {
		int writes = !strcmp(kind, "write");
		double wall, cpu;

		if (depth < 1 || depth > MAX_DEPTH)
			errx(1, "the depth is %d", depth);
		wall = microseconds(CLOCK_MONOTONIC);
		cpu = microseconds(CLOCK_PROCESS_CPUTIME_ID);
		transfer(writes ? sink : source, writes, size, depth, count);
		wall = microseconds(CLOCK_MONOTONIC) - wall;
		cpu = microseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		printf("%.3f %.3f\n", wall, cpu);
		fflush(stdout);
	}
	return 0;
}
