#include "oci/image.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

#define HEX                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A                        "sha256:" HEX
#define D                        "{\"mediaType\":\"m\",\"digest\":\"" A "\",\"size\":1}"
#define DESCRIPTOR(digest, size) "{\"mediaType\":\"m\",\"digest\":\"" digest "\",\"size\":" size "}"
#define MANIFEST(layers)         "{\"schemaVersion\":2,\"config\":" D ",\"layers\":" layers "}"

START_TEST(a_manifest_is_read_and_written_back)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_MANIFEST "\",\"config\":" D
		",\"layers\":[" D "," D "],\"annotations\":{\"k\":\"v\"}}";
	struct oci_manifest manifest = { 0 };
	struct err e = { 0 };

	ck_assert_msg(oci_manifest_parse(&manifest, text, strlen(text), &e) == 0, "%s", e.text);
	ck_assert_uint_eq(manifest.layers.count, 2);
	own_json struct json_object *object = shape_write(&oci_manifest_shape, &manifest);
	ck_assert_str_eq(json_text(object), text);
	oci_manifest_clear(&manifest);
}
END_TEST

static const struct {
	const char *text;
	const char *message;
} bad_manifests[] = {
	{ "", "unexpected end" },
	{ "null", "not an object" },
	{ "[]", "not an object" },
	{ "{}", "neither" },
	{ "{\"schemaVersion\":2,\"config\":" D ",\"layers\":[],\"manifests\":[]}", "both" },
	{ "{\"schemaVersion\":2,\"manifests\":[]}", "an image index where a manifest" },
	{ "{\"schemaVersion\":1,\"fsLayers\":[]}", "schema 1" },
	{ "{\"schemaVersion\":1,\"config\":" D ",\"layers\":[]}", "schemaVersion is 1" },
	{ "{\"mediaType\":\"" OCI_MEDIA_INDEX "\",\"schemaVersion\":2,\"config\":" D
	  ",\"layers\":[]}",
	  "which this document is not" },
	{ "{\"mediaType\":\"x\",\"schemaVersion\":2,\"config\":" D ",\"layers\":[]}", "unknown" },
	{ "{\"mediaType\":1,\"schemaVersion\":2,\"config\":" D ",\"layers\":[]}", "not a string" },
	{ MANIFEST("{}"), "layers: not an array" },
	{ MANIFEST("[1]"), "[0]: not an object" },
	{ MANIFEST("[{}]"), "layers[0]: layer: no digest" },
	{ MANIFEST("[" DESCRIPTOR("sha256:../../x", "1") "]"), "is not a digest" },
	{ MANIFEST("[" DESCRIPTOR("", "1") "]"), "is not a digest" },
	{ MANIFEST("[" DESCRIPTOR("sha512:ab", "1") "]"), "only sha256" },
	{ MANIFEST("[" DESCRIPTOR(A "a", "1") "]"), "is not a digest" },
	{ MANIFEST("[" DESCRIPTOR(A, "-1") "]"), "a size of -1" },
	{ MANIFEST("[" DESCRIPTOR(A, "1.5") "]"), "not a whole number" },
	{ MANIFEST("[" DESCRIPTOR(A, "18446744073709551615") "]"), "more than" },
	{ MANIFEST("[" DESCRIPTOR(A, "1099511627777") "]"), "a size of" },
	{ MANIFEST("[" DESCRIPTOR(A, "\"1\"") "]"), "not a whole number" },
	{ MANIFEST("[{\"digest\":\"" A "\",\"size\":1}]"), "no mediaType" },
	{ MANIFEST("[" DESCRIPTOR("a\\u0000b", "1") "]"), "NUL" },
	{ MANIFEST("[]") "x", "not JSON at byte 150" },
	{ MANIFEST("[" DESCRIPTOR("\\ud800", "1") "]"), "" },
};

START_TEST(a_bad_manifest_is_refused)
{
	struct oci_manifest manifest = { 0 };
	struct err e = { 0 };

	ck_assert_int_lt(oci_manifest_parse(&manifest, bad_manifests[_i].text,
					    strlen(bad_manifests[_i].text), &e),
			 0);
	ck_assert_msg(strstr(e.text, bad_manifests[_i].message), "%s", e.text);
	ck_assert_ptr_null(manifest.layers.items);
}
END_TEST

static void refuse_large(const char *text, size_t length, const char *message)
{
	struct oci_manifest manifest = { 0 };
	struct err e = { 0 };

	ck_assert_int_lt(oci_manifest_parse(&manifest, text, length, &e), 0);
	ck_assert_msg(strstr(e.text, message), "%s", e.text);
}

START_TEST(size_depth_and_layers_are_bounded)
{
	own_clear(str_clear) struct str layers = { 0 };
	own_clear(str_clear) struct str deep = { 0 };
	own_clear(str_clear) struct str huge = { 0 };

	str_add(&layers, "{\"schemaVersion\":2,\"config\":" D ",\"layers\":[" D);
	for (int i = 0; i < 10000; i++)
		str_add(&layers, "," D);
	str_add(&layers, "]}");
	refuse_large(layers.text, layers.length, "10001 layers, more than 512");
	for (int i = 0; i < 300000; i++)
		str_add(&deep, "[");
	refuse_large(deep.text, deep.length, "not JSON");
	memset(str_room(&huge, 64 << 20), ' ', 64 << 20);
	huge.length = 64 << 20;
	refuse_large(huge.text, huge.length, "too long");
}
END_TEST

#define CONFIG(rootfs) "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":" rootfs "}"

START_TEST(a_config_in_dockers_shape_is_read)
{
	static const char text[] =
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"User\":\"www\","
		"\"ExposedPorts\":{\"80/tcp\":{}},\"Env\":[\"A=b\"],\"Entrypoint\":null,"
		"\"Cmd\":[\"x\"],\"Volumes\":{\"/data\":{}},\"WorkingDir\":\"/w\","
		"\"Labels\":{\"l\":\"m\"},\"StopSignal\":\"SIGQUIT\",\"StopTimeout\":3,"
		"\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"],\"Interval\":1000000000},"
		"\"Hostname\":\"\",\"Tty\":false,\"ArgsEscaped\":true,\"Shell\":[\"sh\"]},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" A "\"]},"
		"\"history\":[{\"created_by\":\"x\",\"empty_layer\":true}]}";
	struct oci_image_config config = { 0 };
	struct err e = { 0 };

	ck_assert_msg(oci_image_config_parse(&config, text, strlen(text), &e) == 0, "%s", e.text);
	ck_assert_str_eq(config.config.user, "www");
	ck_assert_str_eq(config.config.exposed_ports.items[0], "80/tcp");
	ck_assert_str_eq(config.config.volumes.items[0], "/data");
	ck_assert_int_eq(*config.config.stop_timeout, 3);
	ck_assert_int_eq(config.config.healthcheck->interval, 1000000000);
	ck_assert(config.history.items[0].empty_layer);
	ck_assert_uint_eq(config.rootfs.diff_ids.count, 1);
	oci_image_config_clear(&config);
}
END_TEST

static const struct {
	const char *text;
	const char *message;
} bad_configs[] = {
	{ "{}", "rootfs.type" },
	{ CONFIG("{\"type\":\"layers\",\"diff_ids\":[\"sha256:x\"]}"), "diff_ids[0]" },
	{ CONFIG("{\"type\":\"layers\",\"diff_ids\":[1]}"), "not a string" },
	{ CONFIG("{\"type\":\"layers\",\"diff_ids\":{}}"), "not an array" },
	{ CONFIG("{\"type\":\"tree\",\"diff_ids\":[]}"), "'tree'" },
	{ "{\"rootfs\":{\"type\":\"layers\"},\"config\":{\"Env\":\"A=b\"}}", "Env: not an array" },
	{ "{\"rootfs\":{\"type\":\"layers\"},\"config\":{\"Volumes\":[]}}", "not an object" },
	{ "{\"rootfs\":{\"type\":\"layers\"},\"config\":{\"User\":\"a\\u0000\"}}", "NUL" },
};

START_TEST(a_bad_config_is_refused)
{
	struct oci_image_config config = { 0 };
	struct err e = { 0 };

	ck_assert_int_lt(oci_image_config_parse(&config, bad_configs[_i].text,
						strlen(bad_configs[_i].text), &e),
			 0);
	ck_assert_msg(strstr(e.text, bad_configs[_i].message), "%s", e.text);
}
END_TEST

#define P(os, arch, more)                                                                          \
	"{\"mediaType\":\"m\",\"digest\":\"" A "\",\"size\":1,\"platform\":{\"os\":\"" os          \
	"\",\"architecture\":\"" arch "\"" more "}}"
#define V(v) ",\"variant\":\"" v "\""

static const struct {
	const char *manifests;
	const char *want;
	int chosen; /* -1: none */
} choices[] = {
	{ P("linux", "arm64", "") "," P("linux", "amd64", ""), "linux/amd64", 1 },
	{ P("linux", "arm64", V("v8")), "arm64", 0 },
	{ P("linux", "arm64", ""), "linux/arm64/v8", 0 },
	{ P("linux", "arm", V("v5")) "," P("linux", "arm", V("v6")) "," P("linux", "arm", V("v7")),
	  "linux/arm/v6", 1 },
	{ P("linux", "arm", V("v5")) "," P("linux", "arm", V("v6")), "linux/arm/v7", 1 },
	{ P("linux", "arm", V("v7")), "linux/arm/v6", -1 },
	{ P("unknown", "unknown", "") "," P("linux", "amd64", ""), "x86_64", 1 },
	{ P("windows", "amd64", ""), "linux/amd64", -1 },
	{ D, "linux/amd64", 0 },
	{ D "," D, "linux/amd64", -1 },
	{ "", "linux/amd64", -1 },
};

START_TEST(the_platform_chooses_the_manifest)
{
	own_clear(oci_platform_clear) struct oci_platform want = { 0 };
	own_clear(oci_index_clear) struct oci_index index = { 0 };
	own_free char *text =
		mem_format("{\"schemaVersion\":2,\"manifests\":[%s]}", choices[_i].manifests);
	struct err e = { 0 };

	ck_assert_int_eq(oci_platform_parse(&want, choices[_i].want, &e), 0);
	ck_assert_msg(oci_index_parse(&index, text, strlen(text), &e) == 0, "%s", e.text);
	int r = oci_index_choose(&index, &want, &e);
	ck_assert_int_eq(r < 0 ? -1 : r, choices[_i].chosen);
	if (r < 0)
		ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
}
END_TEST

static const char *const bad_platforms[] = { "", "/", "linux/", "/amd64", "a/b/c/d", "linux//v7" };

START_TEST(what_is_no_platform_is_refused)
{
	own_clear(oci_platform_clear) struct oci_platform want = { 0 };
	struct err e;

	ck_assert_int_lt(oci_platform_parse(&want, bad_platforms[_i], &e), 0);
	ck_assert_int_eq(e.kind, ERR_INVALID);
}
END_TEST

UNIT_MAIN("oci/image", UNIT(a_manifest_is_read_and_written_back),
	  UNIT_LOOP(a_bad_manifest_is_refused, COUNT_OF(bad_manifests)),
	  UNIT(size_depth_and_layers_are_bounded), UNIT(a_config_in_dockers_shape_is_read),
	  UNIT_LOOP(a_bad_config_is_refused, COUNT_OF(bad_configs)),
	  UNIT_LOOP(the_platform_chooses_the_manifest, COUNT_OF(choices)),
	  UNIT_LOOP(what_is_no_platform_is_refused, COUNT_OF(bad_platforms)))
