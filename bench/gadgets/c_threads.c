/*
 * A gadget of two threads with blocking read() and write(), one for each
 * direction: the way of the kernel's own ffs-test. See gadget.h.
 */
#include "gadget.h"

struct work {
	int fd;
	int writes;
	size_t size;
	long count;
};

static void *run(void *argument)
{
	struct work *work = argument;
	char *buffer = aligned_alloc(4096, (work->size + 4095) & ~4095ul);

	memset(buffer, 0, work->size);
	while (work->count-- > 0) {
		ssize_t done = work->writes ?
				       write(work->fd, buffer, work->size) :
				       read(work->fd, buffer, work->size);

		if (done != (ssize_t)work->size)
			fail("transfer");
	}
	free(buffer);
	return NULL;
}

static void ping(size_t size, long count)
{
	char *buffer = calloc(1, size < 1024 ? 1024 : size);

	/* A read must be a multiple of the packet size. */
	while (count-- > 0)
		if (read(out_fd, buffer, size < 1024 ? 1024 : size) < 0 ||
		    write(in_fd, buffer, size) < 0)
			fail("transfer");
	free(buffer);
}

int main(int argc, char **argv)
{
	char line[128], kind[16];
	size_t size;
	int depth;
	long count;

	start(argc, argv);
	while (fgets(line, sizeof(line), stdin)) {
		pthread_t threads[2];
		int started = 0;

		if (sscanf(line, "%15s %zu %d %ld", kind, &size, &depth,
			   &count) != 4)
			fail(line);
		struct work in = { in_fd, 1, size, count };
		struct work out = { out_fd, 0, size, count };

		if (!strcmp(kind, "ping")) {
			puts("ready");
			ping(size, count);
			puts("done");
			continue;
		}
		if (strcmp(kind, "out"))
			pthread_create(&threads[started++], NULL, run, &in);
		if (strcmp(kind, "in"))
			pthread_create(&threads[started++], NULL, run, &out);
		puts("ready");
		while (started > 0)
			pthread_join(threads[--started], NULL);
		puts("done");
	}
	return 0;
}
