#include "image/claim.h"

#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

void image_claim_clear(struct image_claim *claim)
{
	free(claim->reference);
	free(claim->digest);
	*claim = (struct image_claim){ 0 };
}

/* The object's member; NULL unless it is an object with exactly count members. */
static struct json_object *exactly(struct json_object *object, const char *name, int count)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(object, name, &member) ||
	    !json_object_is_type(member, json_type_object) ||
	    json_object_object_length(member) != count)
		return NULL;
	return member;
}

static char *text_of(struct json_object *object, const char *name)
{
	struct json_object *member = NULL;

	if (!object || !json_object_object_get_ex(object, name, &member) ||
	    !json_object_is_type(member, json_type_string))
		return NULL;
	const char *text = json_object_get_string(member);
	return strlen(text) == (size_t)json_object_get_string_len(member) ? mem_text(text) : NULL;
}

int image_claim_parse(struct image_claim *claim, const char *text, size_t length, struct err *e)
{
	own_json struct json_object *object = NULL;
	int r = json_parse(&object, text, length, "what was signed", e);

	if (r < 0)
		return r;
	bool top = json_object_is_type(object, json_type_object) &&
		   json_object_object_length(object) <= 2;
	struct json_object *critical = top ? exactly(object, "critical", 3) : NULL;
	if (top && json_object_object_length(object) == 2 &&
	    !json_object_object_get_ex(object, "optional", NULL))
		critical = NULL;
	own_free char *type = text_of(critical, "type");
	claim->reference =
		text_of(critical ? exactly(critical, "identity", 1) : NULL, "docker-reference");
	claim->digest =
		text_of(critical ? exactly(critical, "image", 1) : NULL, "docker-manifest-digest");
	if (str_equal(type, "atomic container signature") && claim->reference && claim->digest)
		return 0;
	image_claim_clear(claim);
	return err_set(e, ERR_CORRUPT, "what was signed is no signature of an image");
}
