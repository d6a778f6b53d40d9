#include "image/import.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "image/decompress.h"
#include "image/http.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/layer.h"
#include "image/load_format.h"
#include "image/read.h"
#include "image/ring.h"
#include "image/stored.h"
#include "oci/image.h"
#include "oci/instruction.h"
#include "storage/blob.h"
#include "storage/pack.h"
#include "storage/store.h"

enum { RING_BYTES = 4 << 20 };

/* The bytes of the layer go into a blob on their way to the unpacking. */
struct tee {
	struct byte_source from;
	struct blob_writer *blob;
	unsigned char magic[4];
	bool started;
};

static ssize_t tee_next(void *context, const void **block, struct err *e)
{
	struct tee *tee = context;

	ssize_t n = tee->from.next(tee->from.context, block, e);
	if (n <= 0)
		return n;
	if (!tee->started)
		memcpy(tee->magic, *block,
		       (size_t)n < sizeof(tee->magic) ? (size_t)n : sizeof(tee->magic));
	tee->started = true;
	int r = storage_blob_write(tee->blob, *block, (size_t)n, e);
	return r < 0 ? r : n;
}

static const char *media_type(const struct tee *tee)
{
	if (tee->magic[0] == 0x1f && tee->magic[1] == 0x8b)
		return OCI_MEDIA_LAYER_GZIP;
	if (memcmp(tee->magic, "\x28\xb5\x2f\xfd", sizeof(tee->magic)) == 0)
		return OCI_MEDIA_LAYER_ZSTD;
	return OCI_MEDIA_LAYER;
}

/* ---- the documents ---- */

static int copy_process(struct oci_image_process *to, const struct oci_image_process *from,
			struct err *e)
{
	own_json struct json_object *object = shape_write(&oci_image_process_shape, from);

	return shape_read(&oci_image_process_shape, object, to, e);
}

static void take_platform(struct oci_image_config *to, const struct oci_platform *from)
{
	own_clear(oci_platform_clear) struct oci_platform host = { 0 };

	if (!from)
		oci_platform_host(&host);
	from = from ? from : &host;
	to->architecture = mem_text(from->architecture);
	to->variant = mem_text(from->variant);
	to->os = mem_text(from->os);
}

static int put_config(const struct image_import *import, const char *diff_id,
		      struct oci_descriptor *to, struct err *e)
{
	own_clear(oci_image_config_clear) struct oci_image_config config = { 0 };
	char now[MOMENT_TEXT_SIZE], digest[DIGEST_TEXT_SIZE];

	take_platform(&config, import->platform);
	moment_format(now, moment_now_ns());
	config.created = mem_text(now);
	config.rootfs.type = mem_text("layers");
	strv_add(&config.rootfs.diff_ids, diff_id);
	struct oci_image_history *history = shape_list_add(&config.history);
	history->created = mem_text(now);
	history->comment = import->comment ? mem_text(import->comment)
					   : mem_format("Imported from %s", import->path);
	int r = import->process ? copy_process(&config.config, import->process, e) : 0;
	if (r < 0)
		return r;
	own_json struct json_object *object = shape_write(&oci_image_config_shape, &config);
	const char *text = json_text(object);
	r = storage_blob_put(import->store, text, strlen(text), digest, e);
	to->media_type = mem_text(OCI_MEDIA_CONFIG);
	to->digest = mem_text(digest);
	to->size = (int64_t)strlen(text);
	return r;
}

static int put_manifest(const struct image_import *import, const char *diff_id,
			const struct oci_descriptor *layer, char *digest, struct err *e)
{
	own_clear(oci_manifest_clear) struct oci_manifest manifest = { .schema_version = 2 };

	manifest.media_type = mem_text(OCI_MEDIA_MANIFEST);
	*shape_list_add(&manifest.layers) = *layer; /* the manifest's now */
	int r = put_config(import, diff_id, &manifest.config, e);
	if (r < 0)
		return r;
	own_json struct json_object *object = shape_write(&oci_manifest_shape, &manifest);
	const char *text = json_text(object);
	return storage_blob_put(import->store, text, strlen(text), digest, e);
}

/* ---- the layer ---- */

static int import_source(const struct image_import *import, const struct byte_source *from,
			 struct err *e)
{
	own(storage_blob_end) struct blob_writer *blob = NULL;
	own(image_decompress_free) struct image_decompress *packed = NULL;
	struct image_layer_limits limits = { 0 };
	struct image_stored stored = { import->store, import->report };
	struct oci_descriptor layer = { 0 };
	char diff_id[DIGEST_TEXT_SIZE], digest[DIGEST_TEXT_SIZE], manifest[DIGEST_TEXT_SIZE];

	int r = image_layer_limits(&limits, e);
	if (r == 0)
		r = storage_blob_begin(&blob, import->store, NULL, -1, OCI_IMAGE_BLOB_MAX, true, e);
	if (r < 0)
		return r;
	packed = image_decompress_new(from, limits.ratio_max);
	image_decompress_only_others(packed);
	struct tee tee = { .from = image_decompress_source(packed), .blob = blob };
	struct byte_source source = { tee_next, &tee };
	r = image_layer_import(import->store, &source, diff_id, e);
	if (r == 0 && !tee.started)
		r = err_set(e, ERR_CORRUPT, "it is empty");
	if (r == 0)
		r = storage_blob_commit(blob, digest, &layer.size, e);
	if (r < 0)
		return r;
	layer.media_type = mem_text(media_type(&tee));
	layer.digest = mem_text(digest);
	r = put_manifest(import, diff_id, &layer, manifest, e);
	return r < 0 ? r : image_stored_finish(&stored, manifest, import->reference, e);
}

/* ---- a folder, or an address: a thread of its own brings the bytes ---- */

struct bringing {
	int folder_fd; /* of a folder */
	const struct oci_id_map *ids;
	const char *url;
	struct image_ring *ring;
};

static int ring_write(void *context, const void *bytes, size_t length, struct err *e)
{
	int r = image_ring_write(context, bytes, length);
	return r < 0 ? err_number(e, -r, "pass the bytes on") : 0;
}

static void *pack_thread(void *argument)
{
	const struct bringing *job = argument;
	const struct pack_options options = { .one_filesystem = true, .ids = job->ids };
	struct byte_sink sink = { ring_write, job->ring };
	struct err e;

	int r = storage_pack(job->folder_fd, &options, &sink, &e);
	image_ring_finish(job->ring, r < 0 ? &e : NULL);
	return NULL;
}

static void *fetch_thread(void *argument)
{
	const struct bringing *job = argument;
	struct byte_sink sink = { ring_write, job->ring };
	struct err e;

	int r = image_http_get(job->url, &sink, &e);
	image_ring_finish(job->ring, r < 0 ? &e : NULL);
	return NULL;
}

static int import_brought(const struct image_import *import, void *(*bring)(void *),
			  struct bringing *job, struct err *e)
{
	own(image_ring_free) struct image_ring *ring = image_ring_new(RING_BYTES);
	struct byte_source source = image_ring_source(ring);
	pthread_t thread;

	job->ring = ring;
	int number = pthread_create(&thread, NULL, bring, job);
	if (number)
		return err_number(e, number, "start a thread");
	int r = import_source(import, &source, e);
	image_ring_leave(ring);
	pthread_join(thread, NULL);
	return r;
}

static bool is_url(const char *path)
{
	return str_starts(path, "http://") || str_starts(path, "https://");
}

static int import_fd(const struct image_import *import, int fd, struct err *e)
{
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(fd, NULL, NULL);
	struct byte_source source = image_fd_source(bytes);
	struct bringing folder = { .folder_fd = fd, .ids = import->ids };
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		return import_brought(import, pack_thread, &folder, e);
	return import_source(import, &source, e);
}

/* fd is -1 for an address. */
static int import_locked(const struct image_import *import, int fd, struct err *e)
{
	struct bringing address = { .folder_fd = -1, .url = import->path };

	own_fd int lock = store_lock_layers_shared(import->store, e);
	if (lock < 0)
		return lock;
	int r = image_jail_enter(import->store, e);
	if (r < 0)
		return r;
	return fd < 0 ? import_brought(import, fetch_thread, &address, e)
		      : import_fd(import, fd, e);
}

static int open_path(const char *path)
{
	if (strcmp(path, "-") == 0)
		return dup(STDIN_FILENO);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int image_import(const struct image_import *import, struct err *e)
{
	bool from_url = !import->folder_fd && is_url(import->path);
	own_fd int fd = from_url            ? -1
			: import->folder_fd ? import->folder_fd
					    : open_path(import->path);
	if (fd < 0 && !from_url)
		return err_sys(e, "open %s", import->path);
	int r = import_locked(import, fd, e);
	if (r >= 0)
		return 0;
	image_stored_clean_up(import->store);
	return err_add(e, "%s", strcmp(import->path, "-") == 0 ? "standard input" : import->path);
}

static void process_clear(struct oci_image_process *process)
{
	shape_clear(&oci_image_process_shape, process);
}

int image_import_verb(const struct image_invocation *invocation, struct err *e)
{
	static const char folder[] = "dir:";
	struct image_import import = {
		.store = invocation->store,
		.report = invocation->report,
		.platform = &invocation->platform,
		.comment = invocation->message,
		.folder_fd = invocation->folder_fd > 0 ? invocation->folder_fd : 0,
		.ids = &invocation->ids,
	};
	own_free char *reference = NULL;
	own_clear(process_clear) struct oci_image_process process = { 0 };

	import.process = &process;
	for (size_t i = 0; i < invocation->changes.count; i++)
		if (oci_instruction_apply(&process, invocation->changes.items[i], e) < 0)
			return err_add(e, "--change");
	if (invocation->count < 1 || invocation->count > 2)
		return err_set(e, ERR_INVALID, "import takes a tar or a folder, and maybe a name");
	import.path = invocation->operands[0];
	if (str_starts(import.path, folder))
		import.path += strlen(folder);
	if (invocation->count == 2) {
		reference = image_load_reference(invocation->operands[1]);
		if (!reference)
			return err_set(e, ERR_INVALID, "'%.200s' is not a name for an image",
				       invocation->operands[1]);
		import.reference = reference;
	}
	return image_import(&import, e);
}
