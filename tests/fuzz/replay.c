/* replay.c - the main() of a fuzz target where libFuzzer is not: feeds it nothing, and every file
 * of the folders given. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static int replay_file(const char *folder, const char *name)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	if (!file || fstat(fileno(file), &st) < 0) {
		perror(path);
		return -1;
	}

	/* a block of just this size, so that the sanitizer sees a read behind its end */
	uint8_t *bytes = malloc((size_t)st.st_size + 1);
	size_t length = bytes ? fread(bytes, 1, (size_t)st.st_size, file) : 0;
	uint8_t *exact = realloc(bytes, length ? length : 1);
	fclose(file);
	fprintf(stderr, "%s\n", path);
	if (exact)
		LLVMFuzzerTestOneInput(exact, length);
	free(exact);
	return exact ? 1 : -1;
}

static int replay_folder(const char *folder)
{
	int files = 0;
	DIR *dir = opendir(folder);
	if (!dir) {
		perror(folder);
		return -1;
	}

	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (entry->d_name[0] == '.')
			continue;
		if (replay_file(folder, entry->d_name) < 0) {
			files = -1;
			break;
		}
		files++;
	}
	closedir(dir);
	return files;
}

int main(int argc, char **argv)
{
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++) {
		int files = replay_folder(argv[i]);
		if (files <= 0) {
			fprintf(stderr, "%s: no corpus\n", argv[i]);
			return 1;
		}
		printf("%s: %d files replayed\n", argv[i], files);
	}
	return 0;
}
