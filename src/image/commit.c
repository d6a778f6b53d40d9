#include "image/commit.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/packed.h"
#include "image/stored.h"
#include "oci/image.h"
#include "storage/image.h"
#include "storage/pack.h"
#include "storage/store.h"

struct commit {
	const struct image_invocation *invocation;
	const struct store *store;
	struct oci_image_config config;
	struct oci_manifest manifest;
};

static void commit_clear(struct commit *commit)
{
	oci_image_config_clear(&commit->config);
	oci_manifest_clear(&commit->manifest);
}

/* ---- what is there ---- */

static int read_config(struct commit *commit, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_json struct json_object *object = NULL;

	int r = fd_read_all(commit->invocation->request_fd, OCI_IMAGE_CONFIG_MAX, &text, e);
	if (r == 0)
		r = json_parse(&object, text.text ? text.text : "", text.length, "config", e);
	return r < 0 ? r : shape_read(&oci_image_config_shape, object, &commit->config, e);
}

static int read_parent(struct commit *commit, const char *digest, struct err *e)
{
	struct storage_image parent = { 0 };

	if (!*digest)
		return 0;
	int r = storage_image_read(&parent, commit->store, digest, e);
	if (r == 0) {
		commit->manifest = parent.manifest;
		parent.manifest = (struct oci_manifest){ 0 };
	}
	storage_image_clear(&parent);
	return r;
}

/* ---- layers ---- */

static int pack_own(struct commit *commit, bool whole, struct err *e)
{
	const struct image_invocation *invocation = commit->invocation;
	const struct pack_options options = {
		.whiteouts = !whole,
		.one_filesystem = whole,
		.ids = &invocation->ids,
		.left_out = (const char *const *)invocation->left_out.items,
	};
	struct oci_descriptor layer;

	int r = image_packed_layer(&layer, commit->store, invocation->folder_fd, &options, e);
	if (r < 0)
		return r;
	*shape_list_add(&commit->manifest.layers) = layer; /* the manifest's now */
	strv_add(&commit->config.rootfs.diff_ids, layer.digest);
	return 0;
}

/* What was read of one that was removed meanwhile is not all of it. */
static int check_container(const struct commit *commit, const char *id, struct err *e)
{
	own_free char *path = mem_format("containers/%s", id);

	if (faccessat(commit->store->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return err_set(e, ERR_STATE, "the container was removed meanwhile");
}

static int commit_locked(struct commit *commit, char *const *operands, struct err *e)
{
	const struct image_stored stored = { commit->store, commit->invocation->report };
	char digest[DIGEST_TEXT_SIZE];

	int r = image_jail_enter(commit->store, e);
	if (r == 0)
		r = read_config(commit, e);
	if (r == 0)
		r = read_parent(commit, operands[1], e);
	if (r == 0)
		r = image_packed_parents(commit->store, &commit->manifest, &commit->config, e);
	if (r == 0)
		r = pack_own(commit, !*operands[1], e);
	if (r == 0)
		r = image_packed_documents(commit->store, &commit->manifest, &commit->config,
					   commit->invocation->docker_types, digest, e);
	if (r == 0)
		r = check_container(commit, operands[0], e);
	return r < 0 ? r : image_stored_name(&stored, digest, operands[2], e);
}

int image_commit_verb(const struct image_invocation *invocation, struct err *e)
{
	own_clear(commit_clear) struct commit commit = {
		.invocation = invocation,
		.store = invocation->store,
	};

	if (invocation->count < 2 || invocation->count > 3 || invocation->folder_fd < 0 ||
	    invocation->request_fd < 0)
		return err_set(e, ERR_INVALID, "commit takes a container, an image, two files");
	own_fd int lock = store_lock_layers_shared(commit.store, e);
	if (lock < 0)
		return lock;
	int r = commit_locked(&commit, invocation->operands, e);
	close(take_fd(&lock));
	if (r < 0)
		image_stored_clean_up(commit.store);
	return r;
}
