/*
 * A program that knows nothing about USB: it opens a file, reads from it and writes
 * to it, and blocks where these block. It represents programs that were written for
 * a character device.
 *
 *   pair_program FILE
 *
 * It writes back what it reads, except for two messages: "write N" makes it write N
 * bytes in one call (byte i is i % 251), and "quit" makes it exit. It prints a line
 * after each write.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char message[1 << 20];

static void put(int fd, const char *bytes, size_t size)
{
	ssize_t count = write(fd, bytes, size);

	if (count != (ssize_t)size) {
		perror("write");
		exit(1);
	}
	printf("wrote %zu\n", size);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;

	if (fd < 0) {
		perror("open");
		return 1;
	}
	for (;;) {
		ssize_t count = read(fd, message, sizeof(message) - 1);

		if (count < 0) {
			perror("read");
			return 1;
		}
		message[count] = 0;
		if (strcmp(message, "quit") == 0)
			return 0;
		if (strncmp(message, "write ", 6) == 0) {
			size_t size = strtoul(message + 6, NULL, 10);
			char *bytes = malloc(size + 1);

			for (size_t i = 0; i < size; i++)
				bytes[i] = i % 251;
			put(fd, bytes, size);
			free(bytes);
		} else {
			put(fd, message, count);
		}
	}
}
