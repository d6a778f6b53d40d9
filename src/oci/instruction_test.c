#include "oci/instruction.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/unit.h"
#include "oci/image.h"

/* In: instructions; out: the image's "config" in JSON. */
static const struct {
	const char *text;
	const char *config;
} good[] = {
	{ "CMD [\"a\", \"b c\"]", "{\"Cmd\":[\"a\",\"b c\"]}" },
	{ "CMD a  $b | c ", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"a  $b | c\"]}" },
	{ "cmd [ -e /x ] && y", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"[ -e /x ] && y\"]}" },
	{ "ENTRYPOINT [\"/x\"]\nCMD []", "{\"Entrypoint\":[\"/x\"]}" },
	{ "ENV a=1 b=\"2 3\" c='$a' d=\\ e", "{\"Env\":[\"a=1\",\"b=2 3\",\"c=$a\",\"d= e\"]}" },
	{ "ENV PATH /bin\nENV PATH=/x:$PATH:${PATH}", "{\"Env\":[\"PATH=/x:/bin:/bin\"]}" },
	{ "ENV a some \"old\" form", "{\"Env\":[\"a=some old form\"]}" },
	{ "ENV a=x\nENV b=${a:-n} c=${z:-n} d=${a:+y} e=${z:+y} f=$z",
	  "{\"Env\":[\"a=x\",\"b=x\",\"c=n\",\"d=y\",\"e=\",\"f=\"]}" },
	{ "ENV a=1 \\\n  b=2\n# a comment\n\nENV c=\"\\\"\\$\"",
	  "{\"Env\":[\"a=1\",\"b=2\",\"c=\\\"$\"]}" },
	{ "EXPOSE 80 53/udp 8000-8001", "{\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{},"
					"\"8000/tcp\":{},\"8001/tcp\":{}}}" },
	{ "LABEL a.b=c \"d e\"=f", "{\"Labels\":{\"a.b\":\"c\",\"d e\":\"f\"}}" },
	{ "USER nobody:nogroup", "{\"User\":\"nobody:nogroup\"}" },
	{ "VOLUME [\"/a b\"]\nVOLUME /c /d /c", "{\"Volumes\":{\"/a b\":{},\"/c\":{},\"/d\":{}}}" },
	{ "WORKDIR /a\nWORKDIR b/../c", "{\"WorkingDir\":\"/a/c\"}" },
	{ "STOPSIGNAL SIGQUIT", "{\"StopSignal\":\"SIGQUIT\"}" },
	{ "ONBUILD RUN make", "{\"OnBuild\":[\"RUN make\"]}" },
	{ "HEALTHCHECK NONE", "{\"Healthcheck\":{\"Test\":[\"NONE\"]}}" },
	{ "HEALTHCHECK --interval=5s --retries=2 CMD curl -f x",
	  "{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"curl -f x\"],\"Interval\":5000000000,"
	  "\"Retries\":2}}" },
	{ "HEALTHCHECK CMD [\"a\"]", "{\"Healthcheck\":{\"Test\":[\"CMD\",\"a\"]}}" },
};

START_TEST(an_instruction_changes_the_config)
{
	struct oci_image_process process = { 0 };
	struct err e;

	ck_assert_msg(oci_instruction_apply(&process, good[_i].text, &e) == 0, "%s", e.text);
	own_json struct json_object *object = shape_write(&oci_image_process_shape, &process);
	ck_assert_str_eq(json_text(object), good[_i].config);
	shape_clear(&oci_image_process_shape, &process);
}
END_TEST

static const struct {
	const char *text;
	const char *message;
} bad[] = {
	{ "FROM x", "FROM: none of CMD" },
	{ "RUN x", "RUN: none of CMD" },
	{ "CMD", "CMD: it says nothing" },
	{ "ENV a", "ENV: 'a' has no value" },
	{ "EXPOSE 1-65535 1-2/udp", "EXPOSE: more than 65536 ports are too many" },
	{ "ENV a=1 b", "ENV: 'b' is not KEY=VALUE" },
	{ "ENV =x", "is not KEY=VALUE" },
	{ "ENV a=\"x", "no closing \"" },
	{ "ENV a=${b", "not ${NAME}" },
	{ "ENV a=${b?c}", "only :- and :+" },
	{ "EXPOSE 0", "EXPOSE: " },
	{ "EXPOSE 70000", "EXPOSE: " },
	{ "EXPOSE 90-80", "EXPOSE: " },
	{ "EXPOSE 80/xyz", "none of tcp" },
	{ "STOPSIGNAL NOSUCH", "STOPSIGNAL: " },
	{ "ONBUILD onbuild RUN x", "ONBUILD: ONBUILD is not allowed" },
	{ "ONBUILD FROM x", "FROM is not allowed" },
	{ "HEALTHCHECK x", "neither NONE nor CMD" },
	{ "HEALTHCHECK CMD", "neither NONE nor CMD" },
	{ "HEALTHCHECK --interval=x CMD y", "HEALTHCHECK: " },
	{ "HEALTHCHECK --bad=x CMD y", "unknown option --bad=x" },
	{ "VOLUME [\"\"]", "is empty" },
};

START_TEST(what_is_none_is_refused_by_name)
{
	struct oci_image_process process = { 0 };
	struct err e;

	ck_assert_int_lt(oci_instruction_apply(&process, bad[_i].text, &e), 0);
	ck_assert_msg(strstr(e.text, bad[_i].message), "%s", e.text);
	shape_clear(&oci_image_process_shape, &process);
}
END_TEST

UNIT_MAIN("oci/instruction", UNIT_LOOP(an_instruction_changes_the_config, COUNT_OF(good)),
	  UNIT_LOOP(what_is_none_is_refused_by_name, COUNT_OF(bad)))
